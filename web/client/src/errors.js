/**
 * One class per cause. `instanceof` distinguishes them, and so does `name` where classes come from two copies of this module.
 *
 * GenerationError
 * ├── InvalidPrompt            empty, too long, or not text: correct the input
 * ├── BadRequest               anything else the server refuses to read
 * ├── IdempotencyKeyReused     the key came before with another prompt
 * ├── Unauthorized             a missing, unknown or expired key: sign in again
 * ├── UnknownAccount           a valid token whose account does not exist, is closed, or may not do this
 * ├── InsufficientTokens       `needed`, `available`: offer tokens
 * ├── SubscriptionInactive     offer an upgrade
 * ├── TaskNotFound             unknown or expired: start a new generation
 * ├── TooManyTasks             wait for one to end, or cancel one
 * ├── TooManyPolls             `retryAfterMs`
 * ├── Cancelled                somebody cancelled the task
 * ├── Interrupted              the server gave the task up after several attempts
 * ├── GenerationFailed         the task failed for another reason
 * ├── ServerUnavailable        5xx: `retryAfterMs` when the server named one
 * ├── UnexpectedAnswer         not this server's protocol: a proxy's page, for example
 * ├── NetworkError             no answer: `offline`
 * └── Timeout                  watched for `timeoutMs`; the task may go on: resume(taskId)
 *
 * `message` is the sentence to show, `title` a short one for a heading. `code` is always there: the server's stable
 * error_code; or `http_502` where another program answered with that status; or the class's own, `network_error` for example.
 * `idempotencyKey` is there when a submit failed and may have been accepted: submit again with it.
 */

/**
 * @typedef {object} Facts
 * @property {string} [title]
 * @property {string} [code]
 * @property {string} [taskId]
 * @property {number} [httpStatus]
 * @property {string} [requestId]
 * @property {number} [retryAfterMs]
 * @property {import('./index.js').StatusDocument} [document]
 * @property {number} [timeoutMs]
 * @property {unknown} [cause]
 */

/** @param {string} name of a class */
export const codeOf = (name) => name.replace(/\B[A-Z]/g, '_$&').toLowerCase();

export class GenerationError extends Error {
  title = '';
  code = '';
  /** @type {string | undefined} */
  taskId;
  /** @type {number | undefined} */
  httpStatus;
  /** @type {string | undefined} */
  requestId;
  /** @type {number | undefined} */
  retryAfterMs;
  /** @type {import('./index.js').StatusDocument | undefined} */
  document;
  /** @type {string | undefined} set when a submit may have been accepted all the same */
  idempotencyKey;

  /**
   * @param {string} message
   * @param {Facts} [facts]
   */
  constructor(message, { cause, ...facts } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    const { title = message, code = codeOf(this.name) } = facts;
    Object.assign(this, facts, { title, code });
  }

  // A getter on the prototype: names survive minifiers, and stay out of what loggers print for each instance.
  get name() {
    return 'GenerationError';
  }
}

/**
 * A class that adds nothing but its name, which minifiers leave as it is.
 *
 * @param {string} name
 */
const kind = (name) =>
  ({
    [name]: class extends GenerationError {
      get name() {
        return name;
      }
    },
  })[name];

export const InvalidPrompt = kind('InvalidPrompt');
export const BadRequest = kind('BadRequest');
export const IdempotencyKeyReused = kind('IdempotencyKeyReused');
export const Unauthorized = kind('Unauthorized');
export const UnknownAccount = kind('UnknownAccount');
export const SubscriptionInactive = kind('SubscriptionInactive');
export const TaskNotFound = kind('TaskNotFound');
export const TooManyTasks = kind('TooManyTasks');
export const TooManyPolls = kind('TooManyPolls');
export const Cancelled = kind('Cancelled');
export const Interrupted = kind('Interrupted');
export const GenerationFailed = kind('GenerationFailed');
export const ServerUnavailable = kind('ServerUnavailable');
export const UnexpectedAnswer = kind('UnexpectedAnswer');

export class InsufficientTokens extends GenerationError {
  /**
   * @param {string} message
   * @param {Facts} [facts]
   */
  constructor(message, facts) {
    super(message, facts);
    // The server's sentence is part of its contract: "You need at least 700 tokens …. Available: 250"
    const [needed, available] = (message.match(/\d+/g) ?? []).map(Number);
    this.needed = needed;
    this.available = available;
  }

  get name() {
    return 'InsufficientTokens';
  }
}

export class NetworkError extends GenerationError {
  /**
   * @param {string} message
   * @param {Facts & {offline?: boolean, unsent?: boolean}} [facts] `unsent`: nothing can have left for the server
   */
  constructor(message, facts = {}) {
    super(message, { title: 'Network error', ...facts, code: facts.offline ? 'offline' : facts.code });
    this.offline = facts.offline ?? false;
  }

  get name() {
    return 'NetworkError';
  }
}

/** Has `timeoutMs`. */
export const Timeout = kind('Timeout');

/**
 * Whether the answer came from a proxy or a portal, not from the generation server.
 *
 * @param {unknown} error
 */
export function isOfStranger(error) {
  return error instanceof GenerationError && /^http_|^unexpected_answer$/.test(error.code);
}

/**
 * Turn anything into an error of ours: an exception in a callback, for example.
 *
 * @param {unknown} error
 * @returns {GenerationError}
 */
export function asGenerationError(error) {
  if (error instanceof GenerationError) {
    return error;
  }
  return new GenerationError('Something went wrong on this page.', { title: 'Unexpected error', cause: error });
}
