/**
 * Where a progress bar should stand between two documents: it moves from what the document says towards the expected
 * end, slows down when that has passed, never goes back, and reaches 100 only with the last document.
 */

import { now } from './waiting.js';

const OVERTIME = 0.1; // of the way to 99: this last part is for generations that take longer
const SHORTEST_MS = 500;

export class Estimate {
  #shown = 0;
  #from = 0;
  #since = 0;
  /** @type {number | false | undefined} from `since` to the expected end */
  #lastsMs;
  /** @type {number | undefined} when the task was first seen: its own time is that of another clock, and one of the two may be wrong */
  #begun;

  /** @param {import('./index.js').StatusDocument} document */
  accept({ status, progress = 0, created_at: createdAt, expected_at: expectedAt }) {
    const time = now();
    this.#begun ??= time;
    this.#shown = this.#from = status === 'completed' || status === 'failed' ? 100 : Math.max(this.value(), progress);
    this.#since = time;
    const wholeMs = this.#shown < 100 && Date.parse(/** @type {string} */ (expectedAt)) - Date.parse(createdAt);
    this.#lastsMs = wholeMs && Math.max(wholeMs - (time - this.#begun), SHORTEST_MS);
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
}
