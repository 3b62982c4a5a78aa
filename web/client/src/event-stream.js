/**
 * The text/event-stream format, read with fetch because EventSource cannot send an Authorization header.
 *
 * Knows nothing of tasks. Source: HTML Standard, section "Parsing an event stream".
 */

import { NetworkError } from './errors.js';

/** @typedef {{type: string, data: string, id: string}} StreamEvent */

/** Turns text, however it was cut, into events. */
export class EventStreamParser {
  #rest = '';
  #endedWithCarriageReturn = false;
  /** @type {string[]} */
  #data = [];
  #type = '';
  #id = '';

  /** What the server asks to wait before a reconnect, once it has. @type {number | undefined} */
  retryMs;

  /** @param {string} lastEventId the event after which the stream resumes */
  constructor(lastEventId = '') {
    this.#id = lastEventId;
  }

  /**
   * @param {string} text
   * @returns {StreamEvent[]} the events that it completes
   */
  push(text) {
    // A line may end in CR LF whose halves come in two pieces: the LF then belongs to the line before.
    if (this.#endedWithCarriageReturn && text.startsWith('\n')) {
      text = text.slice(1);
      this.#endedWithCarriageReturn = false;
    }
    if (text === '') {
      return [];
    }
    this.#endedWithCarriageReturn = text.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = /** @type {string} */ (lines.pop());
    return lines.map((line) => this.#line(line)).filter((event) => event !== undefined);
  }

  /** @param {string} line @returns {StreamEvent | undefined} */
  #line(line) {
    if (line === '') {
      return this.#dispatch();
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'data') {
      this.#data.push(value);
    } else if (field === 'event') {
      this.#type = value;
    } else if (field === 'id' && !value.includes('\0')) {
      this.#id = value;
    } else if (field === 'retry' && /^\d+$/.test(value)) {
      this.retryMs = Number(value);
    }
    return undefined;
  }

  #dispatch() {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    const empty = this.#data.length === 0;
    this.#data = [];
    this.#type = '';
    return empty ? undefined : event;
  }
}

/**
 * Read a stream to its end, or until `onEvent` returns false; the connection is closed either way.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {EventStreamParser} parser
 * @param {{onEvent: (event: StreamEvent) => boolean, onBytes: () => void}} listeners
 * @throws {NetworkError} the connection broke
 */
export async function readEventStream(body, parser, { onEvent, onBytes }) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        throw new NetworkError('The connection was lost.', { cause });
      });
      if (done) {
        return;
      }
      const events = parser.push(decoder.decode(value, { stream: true }));
      onBytes();
      for (const event of events) {
        if (!onEvent(event)) {
          return;
        }
      }
    }
  } finally {
    // Not awaited: a cancel may wait for the network, and what it reports was reported by read() before.
    reader.cancel().catch(() => {});
  }
}
