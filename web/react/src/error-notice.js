'use client';

/** An error with the buttons that help against it: one for each callback that the page passes. */

import { createElement as h } from 'react';
import { ENGLISH, fillIn } from './labels.js';

/** @typedef {import('./index.js').ErrorActions} ErrorActions */

/** By the error's name: which callback helps, and what its button says. @type {Record<string, [keyof ErrorActions, 'signIn']>} */
const REMEDIES = {
  InsufficientTokens: ['onPurchaseTokens', /** @type {any} */ ('purchaseTokens')],
  SubscriptionInactive: ['onUpgradeSubscription', /** @type {any} */ ('upgradeSubscription')],
  Unauthorized: ['onSignIn', 'signIn'],
  UnknownAccount: ['onSignIn', 'signIn'],
};

/** Trying the same again cannot help against these, nor where one has to sign in before anything runs. */
const FINAL = /^(InvalidPrompt|BadRequest)$/;

/** @param {import('./index.js').ErrorNoticeProps} props */
export function ErrorNotice({ error, taskId = error.taskId, onRetry, onDismiss, labels, lang, ...actions }) {
  const says = { ...ENGLISH, ...labels };
  const [name, button] = REMEDIES[error.name] ?? [];
  const remedy = name && actions[name];
  const ours = says.errors[error.code] ?? says.errors[error.name] ?? says.errors.Otherwise;
  const [title, sentence] = ours ?? [error.title, error.message];
  const message = ours ? fillIn(lang)(sentence, /** @type {any} */ (error)) : sentence;
  const retry = (name === 'onSignIn' && !taskId) || FINAL.test(error.name) ? undefined : onRetry;
  return h(
    'div',
    { className: 'pg-error', role: 'alert', 'data-error': error.name },
    h('h3', { className: 'pg-subtitle' }, title),
    message !== title && h('p', null, message),
    error.httpStatus &&
      h(
        'details',
        null,
        h('summary', null, says.details),
        // For whoever is asked for help: no language changes it.
        h('p', { translate: 'no', dir: 'ltr' }, [error.message, error.code, error.requestId].join(' ')),
      ),
    h(
      'div',
      { className: 'pg-buttons' },
      offer(remedy && (() => remedy(error)), says[button ?? 'signIn'], ' pg-primary'),
      offer(retry, says.tryAgain),
      offer(onDismiss, says.dismiss),
    ),
  );
}

/** @param {(() => void) | undefined} onClick @param {string} text @param {string} [more] */
const offer = (onClick, text, more = '') =>
  onClick && h('button', { type: 'button', className: `pg-button${more}`, onClick }, text);
