'use client';

/** An error with the buttons that help against it: one for each callback that the page passes. */

import { createElement as h } from 'react';
import { ENGLISH, fillIn } from './labels.js';

/** @typedef {import('./index.js').ErrorActions} ErrorActions */

/** By the error's name, which callback helps; its button's label has the name without `on`. @type {Record<string, keyof ErrorActions>} */
const REMEDIES = {
  InsufficientTokens: 'onPurchaseTokens',
  SubscriptionInactive: 'onUpgradeSubscription',
  Unauthorized: 'onSignIn',
  UnknownAccount: 'onSignIn',
};

/** Trying the same again cannot help against these, nor where one has to sign in before anything runs. */
const FINAL = /^(InvalidPrompt|BadRequest)$/;

/** @param {import('./index.js').ErrorNoticeProps} props */
export function ErrorNotice({ error, taskId, onRetry, onDismiss, labels, lang, ...actions }) {
  const says = { ...ENGLISH, ...labels };
  const name = REMEDIES[error.name];
  const remedy = actions[name];
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
      remedy &&
        h(
          'button',
          { type: 'button', className: 'pg-button pg-primary', onClick: () => remedy(error) },
          /** @type {any} */ (says)[name[2].toLowerCase() + name.slice(3)],
        ),
      retry && h('button', { type: 'button', className: 'pg-button', onClick: retry }, says.tryAgain),
      onDismiss && h('button', { type: 'button', className: 'pg-button', onClick: onDismiss }, says.dismiss),
    ),
  );
}
