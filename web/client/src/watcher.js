/**
 * Watches one task until it has ended: by events, or by polls where there are none.
 *
 * Owns the decisions; routes.js makes the single tries. Nothing is left running when `watch` has settled.
 */

import { pollIntervals } from './poll-interval.js';
import { countRetries, tellTrouble } from './retry.js';
import { EventsUnusable, followEvents, poll } from './routes.js';
import { delay, throwIfAborted } from './waiting.js';

/** After so many refusals in a row, while polls work, the stream is not tried any more. */
const EVENT_TRIES = 2;

/**
 * Settle when the task has ended.
 *
 * @param {import('./transport.js').Transport} transport
 * @param {import('./view.js').TaskView} view
 * @param {import('./pausable-work.js').PausableWork} work
 * @param {import('./generation-client.js').Settings} settings
 * @throws {import('./errors.js').Timeout} the time is used up; the task may go on
 */
export function watch(transport, view, work, settings) {
  let useEvents = settings.events;
  let eventTries = EVENT_TRIES;
  /** Why nothing arrives, while nothing does. @type {unknown} */
  let trouble;

  /** @param {AbortSignal} signal */
  const follow = async (signal) => {
    const retries = countRetries({ ...settings, deadline: true });
    const nextInterval = pollIntervals(settings.pollIntervalMs);
    const worked = () => {
      trouble = undefined;
      retries.worked();
    };
    while (!view.ended) {
      try {
        if (useEvents) {
          await followEvents(transport, view, signal, () => {
            worked();
            eventTries = EVENT_TRIES;
          });
        } else {
          const retryAfterMs = await poll(transport, view, signal);
          worked();
          if (!view.ended) {
            await delay(nextInterval(retryAfterMs), signal);
          }
          useEvents = settings.events && eventTries > 0;
        }
      } catch (error) {
        throwIfAborted(signal);
        if (error instanceof EventsUnusable) {
          useEvents = false;
          eventTries = error.passing ? eventTries - 1 : 0;
          continue;
        }
        if (work.pauses(error)) {
          throw error;
        }
        const waitMs = retries.waitAfter(error);
        if (trouble || !useEvents) {
          tellTrouble(view.connected, error, waitMs); // but not of each cut of a stream, which goes on at once
        }
        trouble = error;
        await delay(waitMs, signal);
      }
    }
  };

  const factsOfTimeout = () => ({ taskId: view.taskId, document: view.document, cause: trouble });
  return work.during(follow, { factsOfTimeout });
}
