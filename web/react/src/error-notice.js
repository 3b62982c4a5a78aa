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

/** Trying the same again cannot help against these. */
const FINAL = new Set(['InvalidPrompt', 'BadRequest', 'Unauthorized', 'UnknownAccount']);

/** @param {import('./index.js').ErrorNoticeProps} props */
export function ErrorNotice({ error, onRetry, ...actions }) {
  const [name, words] = REMEDIES[error.name] ?? [];
  const remedy = name && actions[name];
  const retry = FINAL.has(error.name) ? undefined : onRetry;
  return h(
    'div',
    { className: 'pg-error', role: 'alert' },
    h('h3', { className: 'pg-subtitle' }, error.title),
    error.message !== error.title && h('p', null, error.message),
    (remedy || retry) &&
      h(
        'div',
        { className: 'pg-buttons' },
        remedy && h('button', { type: 'button', className: 'pg-button pg-primary', onClick: () => remedy(error) }, words),
        retry && h('button', { type: 'button', className: 'pg-button', onClick: retry }, 'Try again'),
      ),
  );
}
