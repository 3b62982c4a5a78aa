'use client';

/** An error with the buttons that help against it. Which there are, the page decides by the callbacks it gives. */

import { createElement as h } from 'react';

/** @typedef {import('./index.js').ErrorActions} ErrorActions */

/** By the error's name: which callback helps, and what its button says. @type {Record<string, [keyof ErrorActions, string]>} */
const REMEDIES = {
  InsufficientTokens: ['onPurchaseTokens', 'Purchase more tokens'],
  SubscriptionInactive: ['onUpgradeSubscription', 'Upgrade subscription'],
  Unauthorized: ['onSignIn', 'Sign in'],
  UnknownAccount: ['onSignIn', 'Sign in'],
};

/** For people, where the server's words are for programmers; by the error's code. @type {Record<string, string>} */
const WORDS = {
  manual_prompt_required: 'Write a prompt first.',
  invalid_manual_prompt: 'The prompt has a character that cannot be sent. Write it anew, or paste it as plain text.',
  manual_prompt_too_long: 'Your prompt is longer than it may be. Please shorten it.',
  body_too_large: 'Your prompt is longer than it may be. Please shorten it.',
};

/** Trying the same again cannot help against these. */
const FINAL = new Set(['InvalidPrompt', 'BadRequest', 'Unauthorized', 'UnknownAccount']);

/** @param {import('./index.js').ErrorNoticeProps} props */
export function ErrorNotice({ error, onRetry, ...actions }) {
  const [name, words] = REMEDIES[error.name] ?? [];
  const remedy = name && actions[name];
  const ours = WORDS[error.code ?? ''];
  const [title, message] = ours ? ['Please check your prompt', ours] : [error.title, error.message];
  const retry = FINAL.has(error.name) ? undefined : onRetry;
  return h(
    'div',
    { className: 'pg-error', role: 'alert' },
    h('h3', { className: 'pg-subtitle' }, title),
    message !== title && h('p', null, message),
    (remedy || retry) &&
      h(
        'div',
        { className: 'pg-buttons' },
        remedy && h('button', { type: 'button', className: 'pg-button pg-primary', onClick: () => remedy(error) }, words),
        retry && h('button', { type: 'button', className: 'pg-button', onClick: retry }, 'Try again'),
      ),
  );
}
