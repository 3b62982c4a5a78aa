/**
 * Watch one task until it has ended: events first, polls when events cannot be had.
 *
 * Owns the decisions; routes.js makes the single tries. Nothing is left running when `watch` has settled.
 */

import { PollInterval } from './poll-interval.js';
import { Retries } from './retry.js';
import { EventsUnusable, followEvents, poll } from './routes.js';
import { delay, throwIfAborted } from './waiting.js';

/** After so many refusals in a row, while polls work, the stream is not tried any more. */
const EVENT_TRIES = 2;

export class Watcher {
  #transport;
  #settings;
  #view;
  #work;
  #useEvents;
  /** Why nothing arrives, while nothing does. @type {unknown} */
  #trouble;
  #eventTries = EVENT_TRIES;

  /**
   * @param {import('./transport.js').Transport} transport
   * @param {import('./view.js').TaskView} view
   * @param {import('./pausable-work.js').PausableWork} work
   * @param {import('./api.js').Settings} settings
   */
  constructor(transport, view, work, settings) {
    this.#transport = transport;
    this.#view = view;
    this.#work = work;
    this.#settings = settings;
    this.#useEvents = settings.events;
  }

  /**
   * Settle when the task has ended.
   *
   * @throws {import('./errors.js').Timeout} the time is used up; the task may go on
   */
  watch() {
    const { taskId } = this.#view;
    return this.#work.during(
      (signal) => this.#follow(signal),
      () => ({ taskId, document: this.#view.document, cause: this.#trouble }),
    );
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    const retries = new Retries({ ...this.#settings, patient: true });
    const interval = new PollInterval(this.#settings.pollIntervalMs);
    while (!this.#view.ended) {
      try {
        if (this.#useEvents) {
          await followEvents(this.#transport, this.#view, signal, () => {
            this.#worked(retries);
            this.#eventTries = EVENT_TRIES;
          });
        } else {
          const retryAfterMs = await poll(this.#transport, this.#view, signal);
          this.#worked(retries);
          if (!this.#view.ended) {
            await delay(interval.next(retryAfterMs), signal);
          }
          this.#useEvents = this.#settings.events && this.#eventTries > 0;
        }
      } catch (error) {
        throwIfAborted(signal);
        if (error instanceof EventsUnusable) {
          this.#useEvents = false;
          this.#eventTries = error.passing ? this.#eventTries - 1 : 0;
        } else {
          await this.#waitAfter(error, retries, signal);
        }
      }
    }
  }

  /** @param {Retries} retries */
  #worked(retries) {
    this.#trouble = undefined;
    retries.worked();
  }

  /**
   * @param {unknown} error
   * @param {Retries} retries
   * @param {AbortSignal} signal
   */
  async #waitAfter(error, retries, signal) {
    if (this.#work.isOffline(error)) {
      throw error;
    }
    this.#trouble = error;
    const waitMs = retries.waitAfter(error);
    this.#view.connected('retrying');
    await delay(waitMs, signal);
  }
}
