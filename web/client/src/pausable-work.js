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
   * Whether tries should not be counted: the work ends with its error, and restarts when the network is back.
   *
   * @param {unknown} error
   */
  isOffline(error) {
    return error instanceof NetworkError && this.#presence.state === 'offline';
  }

  /**
   * Settle as `work` does, which gets the signal that stops it.
   *
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} work
   * @param {() => import('./errors.js').Facts} [factsOfTimeout]
   * @returns {Promise<T>}
   * @throws {Timeout} the time is used up
   */
  async during(work, factsOfTimeout) {
    for (;;) {
      await this.#untilNot('background');
      const limit = new LinkedAbort(this.#signal);
      const startedAt = now();
      limit.expireIn(this.#leftMs);
      const before = this.#presence.state;
      const unsubscribe = this.#presence.subscribe(() => this.#presence.state !== before && limit.abort());
      let offline = false;
      try {
        return await work(limit.signal);
      } catch (error) {
        throwIfAborted(this.#signal);
        if (limit.expired) {
          const facts = factsOfTimeout?.();
          throw facts?.cause ?? this.#timeout(facts); // the cause was a server that was away, not a slow generation
        }
        offline = this.isOffline(error);
        if (!offline && !limit.signal.aborted) {
          throw error;
        }
      } finally {
        unsubscribe();
        limit.release();
        this.#leftMs -= now() - startedAt;
      }
      if (offline) {
        await this.#untilNot('offline');
      }
    }
  }

  /** @param {'background' | 'offline'} state */
  async #untilNot(state) {
    if (this.#presence.state === state) {
      this.#connected(state);
      await until(this.#presence, () => this.#presence.state !== state, this.#signal);
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
