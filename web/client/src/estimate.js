/**
 * Where a progress bar should stand between two documents: it moves from what the document says towards the expected
 * end, slows down when that has passed, never goes back, and reaches 100 only with the last document.
 */

import { now } from './waiting.js';

const OVERTIME = 0.1; // of the way to 99: this last part is for generations that take longer
const SHORTEST_MS = 500;
const EXPECTING_FROM_PERCENT = 50;

export class Estimate {
  #shown = 0;
  #from = 0;
  #since = 0;
  /** @type {number | undefined} from `since` to the expected end */
  #lastsMs;
  /** @type {number | undefined} when the task began, if it was seen from its beginning */
  #begun;

  /** @param {import('./index.js').StatusDocument} document */
  accept({ status, progress = 0, created_at: createdAt, expected_at: expectedAt }) {
    const time = now();
    if (progress < EXPECTING_FROM_PERCENT) {
      this.#begun ??= time;
    }
    this.#shown = this.#from = status === 'completed' || status === 'failed' ? 100 : Math.max(this.value(), progress);
    this.#since = time;
    this.#lastsMs =
      expectedAt && this.#shown < 100 ? this.#leftMs(Date.parse(createdAt), Date.parse(expectedAt), time) : undefined;
  }

  /** Percent, with one decimal. */
  value() {
    if (this.#lastsMs) {
      const part = (now() - this.#since) / this.#lastsMs;
      const way = part < 1 ? part - OVERTIME * part : 1 - OVERTIME / part;
      this.#shown = Math.max(this.#shown, Math.floor(10 * (this.#from + (99 - this.#from) * way)) / 10);
    }
    return this.#shown;
  }

  /**
   * This device's clock may be wrong: what was seen from the beginning is measured, and anything else is bounded.
   *
   * @param {number} createdAt
   * @param {number} expectedAt
   * @param {number} time
   */
  #leftMs(createdAt, expectedAt, time) {
    const wholeMs = expectedAt - createdAt;
    const goneMs = this.#begun === undefined ? Date.now() - createdAt : time - this.#begun;
    return Math.max(wholeMs - Math.max(goneMs, 0), SHORTEST_MS);
  }
}
