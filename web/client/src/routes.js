/**
 * The two ways to read a task's documents: one event stream, or one poll. Each is a single try;
 * the watcher decides the next step.
 */

import { retryAfterMs } from './error-mapping.js';
import { isOfStranger, NetworkError, TaskNotFound, Unauthorized, UnknownAccount } from './errors.js';
import { EventStreamParser, readEventStream } from './event-stream.js';
import { LinkedAbort, throwIfAborted } from './waiting.js';

/** The server sends `retry:` and the first status at once; silence means that a proxy holds them back. */
const FIRST_BYTE_WITHIN_MS = 2_000;
/** The server's keep-alive comes every 15 s: after more than two of them the connection is dead. */
const SILENCE_MS = 40_000;

/** Events cannot be read now (`passing`) or at all: an old server, a proxy that buffers, a runtime without streams. */
export class EventsUnusable extends Error {
  /** @param {boolean} [passing] */
  constructor(passing = false) {
    super();
    this.passing = passing;
  }
}

/**
 * Follow the events until the task has ended.
 *
 * @param {import('./transport.js').Transport} transport
 * @param {import('./view.js').TaskView} view
 * @param {AbortSignal} signal
 * @param {() => void} worked called when the stream has brought something
 */
export async function followEvents(transport, view, signal, worked) {
  const limit = new LinkedAbort(signal);
  limit.expireIn(FIRST_BYTE_WITHIN_MS);
  const parser = new EventStreamParser(view.lastEventId);
  const isDocument = isDocumentOf(view.taskId);
  let brought = false;
  /** The server names its `retry:` first; a stream without it, and without a document, is somebody else's. */
  const isOurs = () => {
    limit.expireIn(SILENCE_MS);
    if (!brought) {
      brought = true;
      view.connected('live');
      worked();
    }
  };
  try {
    const body = await openEvents(transport, view, limit.signal);
    await readEventStream(body, parser, {
      onBytes() {
        if (brought || parser.retryMs) {
          isOurs();
        }
      },
      onEvent(event) {
        view.lastEventId = event.id;
        if (event.type === 'status') {
          view.accept(parsed(event, isDocument));
          isOurs();
        } else if (event.type === 'chunk') {
          view.acceptText(parsed(event, (chunk) => typeof chunk?.text === 'string'));
        }
        return event.type !== 'end';
      },
    });
  } catch (error) {
    throwIfAborted(signal);
    const silent = limit.expired || error instanceof NetworkError; // an opened stream's: openEvents throws its own
    throw silent && !(error instanceof EventsUnusable) ? interruption(brought, parser, error) : error;
  } finally {
    limit.abort();
    limit.release();
  }
  if (!view.ended) {
    throw interruption(brought, parser);
  }
}

/**
 * @param {import('./event-stream.js').StreamEvent} event
 * @param {(value: any) => boolean} expected
 */
function parsed({ data }, expected) {
  try {
    const value = JSON.parse(data);
    if (expected(value)) {
      return value;
    }
  } catch {
    // It is somebody else's too.
  }
  throw new EventsUnusable();
}

/**
 * A stream that broke after its first event is worth another try, one that brought nothing is not.
 *
 * @param {boolean} brought
 * @param {EventStreamParser} parser
 * @param {unknown} [cause]
 */
function interruption(brought, parser, cause) {
  if (!brought) {
    return new EventsUnusable();
  }
  return new NetworkError('The connection was lost.', { cause, retryAfterMs: parser.retryMs });
}

/** When the server itself answers with these, they hold for polls too; any other refusal concerns the stream alone. */
const ABOUT_THE_TASK = [TaskNotFound, Unauthorized, UnknownAccount];

/**
 * @param {import('./transport.js').Transport} transport
 * @param {import('./view.js').TaskView} view
 * @param {AbortSignal} signal
 */
async function openEvents(transport, view, signal) {
  const { taskId, lastEventId } = view;
  /** @type {Record<string, string>} */
  const headers = { Accept: 'text/event-stream' };
  if (lastEventId) {
    headers['Last-Event-ID'] = lastEventId;
  }
  let response;
  try {
    response = await transport.open(transport.task('events', taskId), {
      headers,
      taskId,
      signal,
    });
  } catch (error) {
    const aboutTheTask = !isOfStranger(error) && ABOUT_THE_TASK.some((kind) => error instanceof kind);
    throw aboutTheTask ? error : new EventsUnusable(true);
  }
  const type = response.headers.get('Content-Type') ?? '';
  if (typeof response.body?.getReader !== 'function') {
    throw new EventsUnusable();
  }
  if (!type.startsWith('text/event-stream')) {
    throw new EventsUnusable(true);
  }
  return response.body;
}

/** Proxies have a status too, "maintenance" for example. @param {string} taskId @returns {(body: any) => boolean} */
export const isDocumentOf = (taskId) => (body) =>
  /^(queued|processing|completed|failed)$/.test(body?.status) && (body.task_id ?? taskId) === taskId;

/**
 * Poll once.
 *
 * @param {import('./transport.js').Transport} transport
 * @param {import('./view.js').TaskView} view
 * @param {AbortSignal} signal
 * @returns {Promise<number | undefined>} after how many milliseconds the server wants to be asked again
 */
export async function poll(transport, view, signal) {
  const { taskId } = view;
  const { body, headers } = await transport.json(transport.task('status', taskId), {
    taskId,
    signal,
    expected: isDocumentOf(taskId),
  });
  view.connected('polling');
  view.accept(body);
  return retryAfterMs(headers);
}
