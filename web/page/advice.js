/** What a person can do about each error, and about a fallback. Owns words and buttons, refuses to know the page. */

import { make } from './elements.js';
import { filled, language, words } from './words.js';

/**
 * @typedef {'retry' | 'watch' | 'again' | 'key' | 'refresh' | 'edit'} Action
 * @typedef {{hint: string, actions: Action[], tone: 'danger' | 'warning' | 'neutral', command?: string, details?: Node[]}} Advice
 */

/** @typedef {import('../client/src/index.js').GenerationError} GenerationError */

/** @type {Readonly<Record<string, Advice>>} by the error's name */
const ADVICE = {
  InvalidPrompt: { tone: 'danger', hint: '', actions: ['edit'] },
  BadRequest: { tone: 'danger', hint: '', actions: ['edit'] },
  Unauthorized: { tone: 'danger', hint: '', actions: ['key'] },
  UnknownAccount: { tone: 'danger', hint: words.askForAccount, actions: ['key'] },
  InsufficientTokens: {
    tone: 'warning',
    hint: words.askForTokens,
    command: 'python main.py accounts grant',
    actions: ['refresh', 'again'],
  },
  SubscriptionInactive: {
    tone: 'warning',
    hint: words.askForRenewal,
    command: 'python main.py accounts subscribe',
    actions: ['refresh', 'again'],
  },
  TaskNotFound: { tone: 'neutral', hint: words.keptTenMinutes, actions: ['again'] },
  TooManyTasks: { tone: 'warning', hint: words.listedBeside, actions: ['again'] },
  Cancelled: { tone: 'neutral', hint: '', actions: ['again'] },
  NetworkError: { tone: 'danger', hint: words.neverTwice, actions: ['retry'] },
  ServerUnavailable: { tone: 'warning', hint: words.neverTwice, actions: ['retry'] },
  Timeout: { tone: 'warning', hint: words.mayEndWell, actions: ['watch'] },
};

/** @type {Advice} */
const OTHERWISE = { tone: 'danger', hint: '', actions: ['retry'] };

/** Title and sentence for people, where there are such; English has the server's otherwise. @param {GenerationError} error */
function saidOf(error) {
  return words.errors[error.code] ?? words.errors[error.name] ?? words.errors.Otherwise;
}

/** @param {GenerationError} error */
export function sentenceOf(error) {
  const [, sentence] = saidOf(error) ?? ['', error.message];
  const { needed = '', available = '' } = /** @type {import('../client/src/index.js').InsufficientTokens} */ (error);
  return filled(sentence, { needed, available });
}

/** @param {GenerationError} error @returns {Advice & {title: string, message: string}} */
export function adviceFor(error) {
  const advice = ADVICE[error.name] ?? OTHERWISE;
  const title = saidOf(error)?.[0] ?? error.title;
  return { ...advice, title, message: sentenceOf(error), details: detailsOf(error, advice.command) };
}

/** For whoever is asked for help: names and numbers that no language changes. @param {GenerationError} error @param {string} [command] */
function detailsOf(error, command) {
  const theirs = language === 'en' && saidOf(error) ? error.message : '';
  const facts = [theirs, error.code, error.requestId && `${words.request} ${error.requestId}`]
    .filter(Boolean)
    .join(' · ');
  const how = command
    ? [
        make('span', {}, filled(words.theyAdd, { command: '' })),
        make('code', { translate: false, dir: 'ltr' }, command),
        ' ',
      ]
    : [];
  return facts || command ? [make('span', {}, ...how), make('span', { translate: false }, facts)] : [];
}

/** @type {Advice} */
export const INCOMPLETE_ADVICE = { tone: 'warning', hint: words.lookThrough, actions: [] };

/** @type {Advice} */
export const FALLBACK_ADVICE = { tone: 'warning', hint: words.withinTemplate, actions: ['again'] };
