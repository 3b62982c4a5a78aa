/**
 * Watch one task until it has ended: events first, polls when events cannot be had, quiet while nobody is there.
 *
 * Owns the decisions; routes.js makes the single tries. Nothing is left running when `watch` has settled.
 */

import { NetworkError, Timeout } from './errors.js';
import { Pace } from './pace.js';
import { Retries } from './retry.js';
import { EventsUnusable, followEvents, poll } from './routes.js';
import { abortReason, delay, Leash, onAbort, throwIfAborted } from './waiting.js';

/** @typedef {import('./index.js').Presence} Presence */

export class Watcher {
  #transport;
  #settings;
  #presence;
  #view;
  #useEvents;

  /**
   * @param {import('./transport.js').Transport} transport
   * @param {import('./view.js').TaskView} view
   * @param {import('./api.js').Settings} settings
   */
  constructor(transport, view, settings) {
    this.#transport = transport;
    this.#view = view;
    this.#settings = settings;
    this.#presence = settings.presence;
    this.#useEvents = settings.events;
  }

  /**
   * Settle when the task has ended. Time spent in the background or offline does not count.
   *
   * @param {AbortSignal | undefined} signal
   * @param {number} patienceMs
   * @throws {Timeout} the patience is used up; the task may go on
   */
  async watch(signal, patienceMs) {
    for (;;) {
      await this.#untilSomebodyIsThere(signal);
      const leash = new Leash(signal);
      const startedAt = Date.now();
      leash.expireIn(patienceMs);
      const before = this.#presence.state;
      const unsubscribe = this.#presence.subscribe(() => this.#presence.state !== before && leash.pull());
      let offline = false;
      try {
        await this.#follow(leash.signal);
        return;
      } catch (error) {
        throwIfAborted(signal);
        if (leash.expired) {
          throw this.#timeout();
        }
        offline = this.#presence.state === 'offline' && error instanceof NetworkError;
        if (!offline && !leash.signal.aborted) {
          throw error;
        }
      } finally {
        unsubscribe();
        leash.release();
        patienceMs -= Date.now() - startedAt;
      }
      if (offline) {
        await this.#untilTheNetworkIsBack(signal);
      }
    }
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    const retries = new Retries({ ...this.#settings, patient: true });
    while (this.#useEvents && !this.#view.ended) {
      try {
        await followEvents(this.#transport, this.#view, signal, () => retries.worked());
      } catch (error) {
        throwIfAborted(signal);
        if (error instanceof EventsUnusable) {
          this.#useEvents = false;
        } else {
          await this.#waitAfter(error, retries, signal);
        }
      }
    }
    const pace = new Pace(this.#settings.pollIntervalMs);
    while (!this.#view.ended) {
      try {
        const retryAfterMs = await poll(this.#transport, this.#view, signal);
        retries.worked();
        if (!this.#view.ended) {
          await delay(pace.next(retryAfterMs), signal);
        }
      } catch (error) {
        throwIfAborted(signal);
        await this.#waitAfter(error, retries, signal);
      }
    }
  }

  /**
   * @param {unknown} error
   * @param {Retries} retries
   * @param {AbortSignal} signal
   */
  async #waitAfter(error, retries, signal) {
    if (error instanceof NetworkError && this.#presence.state === 'offline') {
      throw error; // no use in counting tries; `watch` waits for the network
    }
    const waitMs = retries.waitAfter(error);
    this.#view.connected('retrying');
    await delay(waitMs, signal);
  }

  /** @param {AbortSignal} [signal] */
  async #untilSomebodyIsThere(signal) {
    if (this.#presence.state === 'background') {
      this.#view.connected('background');
      await until(this.#presence, () => this.#presence.state !== 'background', signal);
    }
  }

  /** @param {AbortSignal} [signal] */
  async #untilTheNetworkIsBack(signal) {
    this.#view.connected('offline');
    await until(this.#presence, () => this.#presence.state !== 'offline', signal);
  }

  #timeout() {
    const { timeoutMs } = this.#settings;
    const seconds = Math.round(timeoutMs / 1000);
    return new Timeout(`The generation has not ended within ${seconds} seconds.`, {
      title: 'This takes too long',
      taskId: this.#view.taskId,
      timeoutMs,
      document: this.#view.document,
    });
  }
}

/**
 * @param {Presence} presence
 * @param {() => boolean} condition
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function until(presence, condition, signal) {
  return new Promise((resolve, reject) => {
    let settled = false;
    let forget = () => {};
    let unsubscribe = () => {};
    const settle = (/** @type {() => void} */ how) => {
      settled = true;
      unsubscribe();
      forget();
      how();
    };
    const look = () => !settled && condition() && settle(resolve);
    unsubscribe = presence.subscribe(look);
    forget = onAbort(signal, () => settle(() => reject(abortReason(/** @type {AbortSignal} */ (signal)))));
    look();
    if (settled) {
      unsubscribe(); // once more: a presence may call its listener before it has returned how to stop it
      forget();
    }
  });
}
