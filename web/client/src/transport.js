/**
 * One request, one answer or one error: addresses, credentials, time limits, and errors mapped to their classes.
 *
 * Knows the URLs of the server and nothing of what is done with its answers. Tries nothing twice.
 */

import { errorOfAnswer } from './causes.js';
import { NetworkError, UnexpectedAnswer } from './errors.js';
import { Leash, throwIfAborted } from './waiting.js';

/** A request that has had no answer for so long counts as a network error. */
const ANSWER_WITHIN_MS = 15_000;

/**
 * @typedef {object} Request
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {unknown} [json] the body
 * @property {string} [taskId] what it is about, for its errors
 * @property {AbortSignal} [signal]
 */

export class Transport {
  #base;
  #token;
  #fetch;
  #presence;

  /**
   * @param {string} apiBaseUrl as the seed's clients give it: ends in /api/v1/web-knowledge
   * @param {import('./index.js').AuthToken} authToken
   * @param {{fetch?: typeof fetch, presence: import('./index.js').Presence}} options
   */
  constructor(apiBaseUrl, authToken, { fetch: given, presence }) {
    this.#base = apiBaseUrl.replace(/\/+$/, '');
    this.#token = authToken;
    this.#fetch = given ?? ((...args) => fetch(...args));
    this.#presence = presence;
  }

  /** @param {string} path below generate-prompt-async/ */
  generations(path = '') {
    return `${this.#base}/generate-prompt-async/${path}`;
  }

  /** @param {string} path below the account, which is a neighbour of web-knowledge */
  account(path = '') {
    return `${this.#base.replace(/\/[^/]*$/, '')}/account/${path}`;
  }

  /**
   * Send a request and read its JSON.
   *
   * @param {string} url
   * @param {Request} request
   * @returns {Promise<{body: any, headers: Headers}>}
   */
  async json(url, request = {}) {
    const leash = new Leash(request.signal);
    leash.expireIn(ANSWER_WITHIN_MS);
    try {
      const response = await this.open(url, { ...request, signal: leash.signal });
      return { body: await this.#read(response), headers: response.headers };
    } catch (error) {
      throwIfAborted(request.signal);
      throw leash.expired ? this.#networkError(error) : error;
    } finally {
      leash.release();
    }
  }

  /**
   * Send a request and return the response when it is a success; its body is the caller's to read or cancel.
   *
   * @param {string} url
   * @param {Request} request
   */
  async open(url, { method = 'GET', headers = {}, json, taskId, signal }) {
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    const sent = { Accept: 'application/json', ...headers, Authorization: `Bearer ${token}` };
    /** @type {RequestInit} */
    const init = { method, headers: sent, signal, cache: 'no-store' };
    if (json !== undefined) {
      init.headers = { ...sent, 'Content-Type': 'application/json' };
      init.body = JSON.stringify(json);
    }
    const response = await this.#fetch(url, init).catch((error) => {
      throwIfAborted(signal);
      throw this.#networkError(error);
    });
    if (!response.ok) {
      const body = await this.#read(response).catch(() => undefined);
      throwIfAborted(signal);
      throw errorOfAnswer(response, body, taskId);
    }
    return response;
  }

  /** @param {Response} response */
  async #read(response) {
    const text = await response.text().catch((error) => {
      throw this.#networkError(error);
    });
    try {
      return JSON.parse(text);
    } catch (error) {
      const facts = { title: 'Unexpected answer', httpStatus: response.status, cause: error };
      throw new UnexpectedAnswer('The answer did not come from the generation server.', facts);
    }
  }

  /** Whatever a runtime throws when the network fails it (their texts all differ) becomes ours. @param {unknown} cause */
  #networkError(cause) {
    const offline = this.#presence.state === 'offline';
    const message = offline ? 'You seem to be offline.' : 'The server cannot be reached.';
    return new NetworkError(message, { title: 'Network error', cause, offline });
  }
}
