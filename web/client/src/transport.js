/**
 * One request, one answer or one error: addresses, credentials, time limits, and errors mapped to their classes.
 *
 * Knows the URLs of the server and not the use of its answers. Tries nothing twice.
 */

import { errorOfAnswer, STRANGE } from './error-mapping.js';
import { GenerationError, NetworkError, Unauthorized, UnexpectedAnswer } from './errors.js';
import { LinkedAbort, orAborted, throwIfAborted } from './waiting.js';

/** A request without an answer in this time counts as a network error. */
const ANSWER_WITHIN_MS = 15_000;

/**
 * @typedef {object} Request
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {unknown} [json] the body
 * @property {string} [taskId] what it is about, for its errors
 * @property {AbortSignal} [signal]
 * @property {(body: any) => boolean} [expected] whether the JSON has the expected form; a proxy may answer with its own
 */

export class Transport {
  #server;
  #fetch;
  #presence;

  /**
   * @param {{apiBaseUrl: string, authToken: import('./index.js').AuthToken}} server read for each request; the URL is as
   *   the seed's clients give it and ends in /api/v1/web-knowledge
   * @param {{fetch?: typeof fetch, presence: import('./index.js').Presence}} options
   */
  constructor(server, { fetch: given, presence }) {
    this.#server = server;
    this.#fetch = given ?? ((...args) => fetch(...args));
    this.#presence = presence;
  }

  /** Of the generations, as the seed's clients have it. */
  get base() {
    return this.#server.apiBaseUrl.replace(/\/+$/, '');
  }

  /** @param {string} path below generate-prompt-async/ */
  generations(path = '') {
    return `${this.base}/generate-prompt-async/${path}`;
  }

  /** @param {'status' | 'events' | 'cancel'} what @param {string} taskId */
  task(what, taskId) {
    return this.generations(`${what}/${encodeURIComponent(taskId)}/`);
  }

  /**
   * Send a request and read its JSON.
   *
   * @param {string} url
   * @param {Request} request
   * @returns {Promise<{body: any, headers: Headers}>}
   */
  async json(url, request = {}) {
    const limit = new LinkedAbort(request.signal);
    limit.expireIn(ANSWER_WITHIN_MS);
    try {
      const response = await this.open(url, { ...request, signal: limit.signal });
      const body = await this.#read(response);
      if (request.expected?.(body) === false) {
        throw strange(response);
      }
      return { body, headers: response.headers };
    } catch (error) {
      throwIfAborted(request.signal);
      throw limit.expired ? this.#networkError(error) : error;
    } finally {
      limit.release();
    }
  }

  /**
   * Send a request and return the response when it is a success; its body is the caller's to read or cancel.
   *
   * @param {string} url
   * @param {Request} request
   */
  async open(url, request) {
    const { taskId, signal } = request;
    let response = await this.#send(url, request);
    if (response.status === 401 && typeof this.#server.authToken === 'function') {
      await response.text().catch(() => {});
      response = await this.#send(url, request); // with what the function returns now
    }
    if (!response.ok) {
      const body = await this.#read(response).catch(() => undefined);
      throwIfAborted(signal);
      throw errorOfAnswer(response, body, taskId);
    }
    return response;
  }

  /** @param {string} url @param {Request} request @returns {Promise<Response>} */
  async #send(url, { method = 'GET', headers = {}, json, signal }) {
    const body = json ? JSON.stringify(json) : undefined;
    const sent = {
      Accept: 'application/json',
      ...(body && { 'Content-Type': 'application/json' }),
      ...headers,
      Authorization: `Bearer ${await this.#token(signal)}`,
    };
    const begunOffline = this.#isOffline;
    return this.#fetch(url, { method, headers: sent, body, signal, cache: 'no-store' }).catch((error) => {
      throwIfAborted(signal);
      throw this.#networkError(error, begunOffline);
    });
  }

  /** @param {AbortSignal} [signal] */
  async #token(signal) {
    const { authToken } = this.#server;
    if (typeof authToken !== 'function') {
      return sendable(authToken);
    }
    try {
      return sendable(await orAborted(Promise.resolve().then(authToken), signal));
    } catch (error) {
      throwIfAborted(signal);
      throw error instanceof GenerationError
        ? error
        : this.#isOffline || error instanceof TypeError // which fetch throws in every runtime
          ? this.#networkError(error, true)
          : unauthorized('Your access could not be renewed. Sign in again.', error);
    }
  }

  /** @param {Response} response */
  async #read(response) {
    const text = await response.text().catch((error) => {
      throw this.#networkError(error);
    });
    try {
      return JSON.parse(text);
    } catch (error) {
      throw strange(response, error);
    }
  }

  get #isOffline() {
    return this.#presence.state === 'offline';
  }

  /**
   * Turns a runtime's network error (their texts all differ) into ours.
   *
   * @param {unknown} cause
   * @param {boolean} [unanswered] not even a head came, and there was no network from the beginning
   */
  #networkError(cause, unanswered) {
    const offline = this.#isOffline;
    const message = offline ? 'You seem to be offline.' : 'The server cannot be reached.';
    return new NetworkError(message, { cause, offline, unsent: offline && unanswered });
  }
}

/**
 * A header carries ASCII only: anything else would look like a server that cannot be reached.
 *
 * @param {string} token
 */
function sendable(token) {
  if (!/^[\x21-\x7e]*$/.test(token)) {
    throw unauthorized('The API key has characters that no key has. Copy it again.');
  }
  return token;
}

/** @param {Response} response @param {unknown} [cause] */
function strange({ status }, cause) {
  return new UnexpectedAnswer(STRANGE[1], { title: STRANGE[0], httpStatus: status, cause });
}

/** @param {string} message @param {unknown} [cause] */
function unauthorized(message, cause) {
  return new Unauthorized(message, { title: 'Authentication required', cause });
}
