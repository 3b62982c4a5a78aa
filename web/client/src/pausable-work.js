/**
 * Work that pauses in the background and without a network, and ends when its time is used up. Paused work restarts
 * from its beginning, so it must be repeatable.
 */

import { NetworkError, Timeout } from './errors.js';
import { LinkedAbort, now, orAborted, throwIfAborted } from './waiting.js';

/** @typedef {import('./index.js').Presence} Presence */

/** The time for one generation, from the submit to its end; time spent paused does not count. */
export class PausableWork {
  #presence;
  #timeoutMs;
  #leftMs;
  #signal;
  #connected;

  /**
   * @param {{presence: Presence, timeoutMs: number}} settings
   * @param {AbortSignal | undefined} signal
   * @param {(connection: import('./index.js').Connection) => void} connected
   */
  constructor({ presence, timeoutMs }, signal, connected) {
    this.#presence = presence;
    this.#timeoutMs = timeoutMs;
    this.#leftMs = timeoutMs;
    this.#signal = signal;
    this.#connected = connected;
  }

  /**
   * Whether tries should not be counted: the work ends with its error, and restarts when somebody or the network is back.
   *
   * @param {unknown} error
   */
  pauses(error) {
    return error instanceof NetworkError && this.#presence.state !== 'active';
  }

  /**
   * Settle as `work` does, which gets the signal that stops it.
   *
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} work
   * @param {{factsOfTimeout?: () => import('./errors.js').Facts, sends?: boolean}} [options] `sends`: begun work goes on
   *   in the background; and say `unsent` as long as nothing can have left
   * @returns {Promise<T>}
   * @throws {Timeout} the time is used up
   */
  async during(work, { factsOfTimeout, sends = false } = {}) {
    let unsent = sends;
    for (;;) {
      await this.#untilNot('background');
      const limit = new LinkedAbort(this.#signal);
      const startedAt = now();
      limit.expireIn(this.#leftMs);
      const goesOnIn = [this.#presence.state, sends && 'background'];
      const unsubscribe = this.#presence.subscribe(() => goesOnIn.includes(this.#presence.state) || limit.abort());
      let paused = false;
      try {
        return await work(limit.signal);
      } catch (error) {
        throwIfAborted(this.#signal);
        if (limit.expired) {
          const facts = factsOfTimeout?.();
          throw facts?.cause ?? this.#timeout(facts); // the cause was a server that was away, not a slow generation
        }
        paused = this.pauses(error);
        unsent &&= /** @type {any} */ (error).unsent;
        if (!paused && !limit.signal.aborted) {
          throw error;
        }
      } finally {
        unsubscribe();
        limit.release();
        this.#leftMs -= now() - startedAt;
      }
      if (paused) {
        await this.#untilNot('offline', unsent ? 'unsent' : 'offline');
      }
    }
  }

  /** @param {'background' | 'offline'} state @param {import('./index.js').Connection} [said] */
  async #untilNot(state, said = state) {
    if (this.#presence.state === state) {
      this.#connected(said);
      await until(this.#presence, () => this.#presence.state !== state, this.#signal);
      this.#connected('connecting'); // before anything is sent: what was said of the pause is no longer true
    }
  }

  /** @param {import('./errors.js').Facts} [facts] */
  #timeout(facts) {
    const message = `The generation has not ended within ${Math.round(this.#timeoutMs / 1000)} seconds.`;
    return new Timeout(message, { ...facts, title: 'This takes too long', timeoutMs: this.#timeoutMs });
  }
}

/**
 * @param {Presence} presence
 * @param {() => boolean} condition
 * @param {AbortSignal} [signal]
 */
async function until(presence, condition, signal) {
  let unsubscribe = () => {};
  /** @type {Promise<void>} */
  const met = new Promise((resolve) => {
    const look = () => condition() && resolve();
    unsubscribe = presence.subscribe(look); // which may call its listener at once
    look();
  });
  try {
    await orAborted(met, signal);
  } finally {
    unsubscribe();
  }
}
