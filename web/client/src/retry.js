/**
 * Which errors are worth another try, how often, and after how long.
 *
 * A network error gets `retries` tries in a row, `delayMs` apart. A server that names the time to come back (Retry-After)
 * is believed; a patient caller, who has a deadline of his own, does not even count that: the server is up and says what it wants.
 * What did not come from the server (a proxy's or portal's page) says nothing about the task, and is tried again as well.
 */

import { isOfStranger, NetworkError, ServerUnavailable, TooManyPolls, UnexpectedAnswer } from './errors.js';

/** Nobody who is not patient waits longer than this for a server that asks for it. */
const LONGEST_RETRY_AFTER_MS = 10_000;

const PASSING = [NetworkError, ServerUnavailable, TooManyPolls];

export class Retries {
  #retries;
  #delayMs;
  #patient;
  #left;

  /** @param {{retries: number, retryDelayMs: number, patient?: boolean}} options */
  constructor({ retries, retryDelayMs, patient = false }) {
    this.#retries = retries;
    this.#delayMs = retryDelayMs;
    this.#patient = patient;
    this.#left = retries;
  }

  /** Something worked: count from the beginning. */
  worked() {
    this.#left = this.#retries;
  }

  /**
   * @param {unknown} error
   * @returns {number} milliseconds to wait before the next try
   * @throws the error itself when there is no next try
   */
  waitAfter(error) {
    const { retryAfterMs } = /** @type {import('./errors.js').GenerationError} */ (error);
    const named = error instanceof ServerUnavailable || error instanceof TooManyPolls ? retryAfterMs : undefined;
    if (this.#patient && named !== undefined) {
      return Math.max(named, this.#delayMs / 4);
    }
    const passing =
      PASSING.some((kind) => error instanceof kind) || (error instanceof UnexpectedAnswer && isOfStranger(error));
    if (!passing || this.#left === 0 || (retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) {
      throw error;
    }
    this.#left -= 1;
    return retryAfterMs ?? this.#delayMs;
  }
}
