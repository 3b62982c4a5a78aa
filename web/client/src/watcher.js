/**
 * Watch one task until it has ended: events first, polls when events cannot be had.
 *
 * Owns the decisions; routes.js makes the single tries. Nothing is left running when `watch` has settled.
 */

import { Pace } from './pace.js';
import { Retries } from './retry.js';
import { EventsUnusable, followEvents, poll } from './routes.js';
import { delay, throwIfAborted } from './waiting.js';

export class Watcher {
  #transport;
  #settings;
  #view;
  #attendance;
  #useEvents;

  /**
   * @param {import('./transport.js').Transport} transport
   * @param {import('./view.js').TaskView} view
   * @param {import('./attendance.js').Attendance} attendance
   * @param {import('./api.js').Settings} settings
   */
  constructor(transport, view, attendance, settings) {
    this.#transport = transport;
    this.#view = view;
    this.#attendance = attendance;
    this.#settings = settings;
    this.#useEvents = settings.events;
  }

  /**
   * Settle when the task has ended.
   *
   * @throws {import('./errors.js').Timeout} the patience is used up; the task may go on
   */
  watch() {
    const { taskId } = this.#view;
    return this.#attendance.during(
      (signal) => this.#follow(signal),
      () => ({ taskId, document: this.#view.document }),
    );
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
    if (this.#attendance.isOffline(error)) {
      throw error;
    }
    const waitMs = retries.waitAfter(error);
    this.#view.connected('retrying');
    await delay(waitMs, signal);
  }
}
