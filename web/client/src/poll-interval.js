/**
 * How long to wait between two polls: the setting, what the server asks for, and ever longer when a generation takes long.
 */

export const SHORTEST_MS = 500;
export const LONGEST_MS = 3_000;
const LONG_AFTER_MS = 20_000;
const GROWTH = 1.25;

export class PollInterval {
  #intervalMs;
  #spentMs = 0;

  /** @param {number} intervalMs brought between 500 and 3,000 */
  constructor(intervalMs) {
    this.#intervalMs = Math.min(Math.max(intervalMs, SHORTEST_MS), LONGEST_MS);
  }

  /** @param {number} [retryAfterMs] what the last answer asked for */
  next(retryAfterMs = 0) {
    if (this.#spentMs >= LONG_AFTER_MS) {
      this.#intervalMs = Math.min(this.#intervalMs * GROWTH, LONGEST_MS);
    }
    const waitMs = Math.max(this.#intervalMs, retryAfterMs);
    this.#spentMs += waitMs;
    return waitMs;
  }
}
