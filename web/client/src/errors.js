/**
 * One class a cause. `instanceof` tells them apart, and so does `name` where classes come from two copies of this module.
 *
 * GenerationError
 * ├── InvalidPrompt            empty, too long, or not text: mend the input
 * ├── BadRequest               anything else the server refuses to read
 * ├── IdempotencyKeyReused     the key came before with another prompt
 * ├── Unauthorized             no, an unknown or an expired key: sign in again
 * ├── UnknownAccount           a valid token without an account
 * ├── InsufficientTokens       `needed`, `available`: offer tokens
 * ├── SubscriptionInactive     offer an upgrade
 * ├── TaskNotFound             unknown or expired: start a new generation
 * ├── TooManyTasks             wait for one to end, or cancel one
 * ├── TooManyPolls             `retryAfterMs`
 * ├── Cancelled                somebody cancelled the task
 * ├── Interrupted              the server gave the task up after several attempts
 * ├── GenerationFailed         the task failed for another reason
 * ├── ServerUnavailable        5xx: `retryAfterMs` when the server named one
 * ├── UnexpectedAnswer         not this server's language: a proxy's page, for example
 * ├── NetworkError             no answer: `offline`
 * └── Timeout                  watched for `timeoutMs`; the task may go on: resume(taskId)
 *
 * `message` is the sentence to show, `title` a short one for a heading. `code` is always there: the server's stable
 * error_code; or `http_502` where a stranger answered with that status; or the class's own, `network_error` for example.
 * `idempotencyKey` is there when a submit failed without a word of whether it was accepted: submit again with it.
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

export class GenerationError extends Error {
  /**
   * @param {string} message
   * @param {Facts} [facts]
   */
  constructor(message, facts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.title = facts.title ?? message;
    this.code = facts.code ?? this.name.replace(/\B[A-Z]/g, '_$&').toLowerCase();
    this.taskId = facts.taskId;
    this.httpStatus = facts.httpStatus;
    this.requestId = facts.requestId;
    this.retryAfterMs = facts.retryAfterMs;
    this.document = facts.document;
    /** @type {string | undefined} set when a submit may have been accepted all the same */
    this.idempotencyKey = undefined;
  }

  // A getter on the prototype: names survive minifiers, and stay out of what loggers print for each instance.
  get name() {
    return 'GenerationError';
  }
}

export class InvalidPrompt extends GenerationError {
  get name() {
    return 'InvalidPrompt';
  }
}

export class BadRequest extends GenerationError {
  get name() {
    return 'BadRequest';
  }
}

export class IdempotencyKeyReused extends GenerationError {
  get name() {
    return 'IdempotencyKeyReused';
  }
}

export class Unauthorized extends GenerationError {
  get name() {
    return 'Unauthorized';
  }
}

export class UnknownAccount extends GenerationError {
  get name() {
    return 'UnknownAccount';
  }
}

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

export class SubscriptionInactive extends GenerationError {
  get name() {
    return 'SubscriptionInactive';
  }
}

export class TaskNotFound extends GenerationError {
  get name() {
    return 'TaskNotFound';
  }
}

export class TooManyTasks extends GenerationError {
  get name() {
    return 'TooManyTasks';
  }
}

export class TooManyPolls extends GenerationError {
  get name() {
    return 'TooManyPolls';
  }
}

export class Cancelled extends GenerationError {
  get name() {
    return 'Cancelled';
  }
}

export class Interrupted extends GenerationError {
  get name() {
    return 'Interrupted';
  }
}

export class GenerationFailed extends GenerationError {
  get name() {
    return 'GenerationFailed';
  }
}

export class ServerUnavailable extends GenerationError {
  get name() {
    return 'ServerUnavailable';
  }
}

export class UnexpectedAnswer extends GenerationError {
  get name() {
    return 'UnexpectedAnswer';
  }
}

export class NetworkError extends GenerationError {
  /**
   * @param {string} message
   * @param {Facts & {offline?: boolean}} [facts]
   */
  constructor(message, facts = {}) {
    super(message, { ...facts, code: facts.offline ? 'offline' : facts.code });
    this.offline = facts.offline ?? false;
  }

  get name() {
    return 'NetworkError';
  }
}

export class Timeout extends GenerationError {
  /**
   * @param {string} message
   * @param {Facts} [facts]
   */
  constructor(message, facts = {}) {
    super(message, facts);
    this.timeoutMs = facts.timeoutMs;
  }

  get name() {
    return 'Timeout';
  }
}

/**
 * Whether a proxy or a portal said it, and not the generation server.
 *
 * @param {unknown} error
 */
export function isOfStranger(error) {
  return error instanceof GenerationError && /^http_|^unexpected_answer$/.test(error.code);
}

/**
 * Make an error of ours of anything: of a callback's own mistake, for example.
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
