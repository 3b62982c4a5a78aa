/**
 * Decides which errors are tried again, how often, and after which pause.
 *
 * A network error gets `retries` tries in a row, `delayMs` apart. A server that names the time to come back (Retry-After)
 * is believed; a caller with a deadline of its own does not even count that as a try: the server is up and names a time.
 * An answer that is not the server's (a proxy's or portal's page) says nothing about the task, and is tried again as well.
 */

import { isOfStranger, NetworkError, ServerUnavailable, TooManyPolls, UnexpectedAnswer } from './errors.js';

/** The longest Retry-After that a caller without a deadline waits for. */
const LONGEST_RETRY_AFTER_MS = 10_000;

const PASSING = [NetworkError, ServerUnavailable, TooManyPolls];

/**
 * Say that there is trouble, of which kind, and when the next try is. A server that names the time is busy; one that
 * names none has not answered.
 *
 * @param {import('./index.js').WatchOptions['onConnection']} listener
 * @param {any} error
 * @param {number} retryInMs
 */
export function tellTrouble(listener, error, retryInMs) {
  listener?.(error.httpStatus && error.retryAfterMs ? 'busy' : 'retrying', { error, retryInMs });
}

/**
 * @param {{retries: number, retryDelayMs: number, deadline?: boolean}} options
 * @returns {{worked: () => void, waitAfter: (error: unknown) => number}} `worked`: count from the beginning.
 *   `waitAfter` tells the milliseconds to wait before the next try, or throws the error when there is none
 */
export function countRetries({ retries, retryDelayMs, deadline }) {
  let left = retries;
  return {
    worked() {
      left = retries;
    },
    waitAfter(error) {
      const { retryAfterMs } = /** @type {import('./errors.js').GenerationError} */ (error);
      const named = error instanceof ServerUnavailable || error instanceof TooManyPolls ? retryAfterMs : undefined;
      if (deadline && named !== undefined) {
        return Math.max(named, retryDelayMs / 4);
      }
      const passing =
        PASSING.some((kind) => error instanceof kind) || (error instanceof UnexpectedAnswer && isOfStranger(error));
      if (!passing || left === 0 || (retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) {
        throw error;
      }
      left -= 1;
      return retryAfterMs ?? retryDelayMs;
    },
  };
}
