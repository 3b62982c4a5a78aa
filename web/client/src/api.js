/**
 * The client: start a generation, watch it, cancel it, and read the account.
 *
 * `startGeneration`, `pollStatus` and `stopPolling` are those of the seed document's class; the rest is for new code.
 */

import { PausableWork } from './pausable-work.js';
import {
  asGenerationError,
  BadRequest,
  InvalidPrompt,
  NetworkError,
  ServerUnavailable,
  Timeout,
  UnexpectedAnswer,
} from './errors.js';
import { newIdempotencyKey } from './idempotency.js';
import { defaultPresence } from './presence.js';
import { Retries } from './retry.js';
import { isDocument } from './routes.js';
import { Transport } from './transport.js';
import { TaskView } from './view.js';
import { Watcher } from './watcher.js';
import { delay } from './waiting.js';

/** @typedef {import('./index.js').ClientOptions} ClientOptions */
/** @typedef {Required<Omit<ClientOptions, 'fetch'>> & Pick<ClientOptions, 'fetch'>} Settings */

export class PromptGeneratorAPI {
  #transport;
  #settings;
  /** @type {Set<AbortController>} what stopPolling ends */
  #polling = new Set();

  /**
   * @param {string} apiBaseUrl for example https://prompts.example.com/api/v1/web-knowledge
   * @param {import('./index.js').AuthToken} authToken an API key or JWT, or a function that returns the current one
   * @param {ClientOptions} [options]
   */
  constructor(apiBaseUrl, authToken, options = {}) {
    /** Both may be changed at any time, as the seed's fields could. */
    this.apiBaseUrl = apiBaseUrl;
    this.authToken = authToken;
    this.#settings = withDefaults(options);
    this.#transport = new Transport(this, this.#settings);
  }

  /**
   * Generate a prompt. Aborting `signal` only stops watching; `cancel` ends the generation itself.
   *
   * @param {string} manualPrompt
   * @param {import('./index.js').GenerateOptions} [options]
   * @returns {Promise<import('./index.js').Result>}
   */
  async generate(manualPrompt, options = {}) {
    const work = this.#pausable(options);
    const taskId = await this.#submit(manualPrompt, options, work);
    options.onStarted?.(taskId);
    return this.#watch(taskId, options, work);
  }

  /**
   * Watch a generation that was started before, here or elsewhere.
   *
   * @param {string} taskId
   * @param {import('./index.js').WatchOptions} [options]
   * @returns {Promise<import('./index.js').Result>}
   */
  resume(taskId, options = {}) {
    return this.#watch(taskId, options, this.#pausable(options));
  }

  /**
   * End a generation and return its last document; that of a finished one is returned as it is.
   *
   * @param {string} taskId
   * @param {import('./index.js').RequestOptions} [options]
   * @returns {Promise<import('./index.js').StatusDocument>}
   */
  async cancel(taskId, { signal } = {}) {
    const url = this.#transport.generations(`cancel/${encodeURIComponent(taskId)}/`);
    return (await this.#retried(url, { method: 'POST', taskId, signal, expected: isDocument })).body;
  }

  /**
   * Read a status document once.
   *
   * @param {string} taskId
   * @param {import('./index.js').RequestOptions} [options]
   * @returns {Promise<import('./index.js').StatusDocument>}
   */
  async status(taskId, { signal } = {}) {
    const url = this.#transport.generations(`status/${encodeURIComponent(taskId)}/`);
    return (await this.#retried(url, { taskId, signal, expected: isDocument })).body;
  }

  /**
   * Read the account's unexpired generations, newest first: all of them, or those `before` one.
   *
   * @param {import('./index.js').LedgerOptions} [options]
   * @returns {Promise<import('./index.js').StatusDocument[]>}
   */
  async recent({ limit, before, signal } = {}) {
    const url = this.#transport.generations(query({ limit, before }));
    return (await this.#retried(url, { signal, expected: (body) => Array.isArray(body?.tasks) })).body.tasks;
  }

  /**
   * Read balance and subscription.
   *
   * @param {import('./index.js').RequestOptions} [options]
   * @returns {Promise<import('./index.js').Account>}
   */
  async account({ signal } = {}) {
    return (await this.#retried(this.#transport.account(), { signal })).body;
  }

  /**
   * Read the entries behind the balance, newest first; `next` is the `before` of the following page.
   *
   * @param {import('./index.js').LedgerOptions} [options]
   * @returns {Promise<import('./index.js').LedgerPage>}
   */
  async ledger({ limit = 50, before, signal } = {}) {
    return (await this.#retried(this.#transport.account(`ledger/${query({ limit, before })}`), { signal })).body;
  }

  /**
   * Start a generation and report it through callbacks, as the seed's class does.
   *
   * @param {string} manualPrompt
   * @param {import('./index.js').OnProgress} onProgress
   * @param {import('./index.js').OnComplete} onComplete
   * @param {import('./index.js').OnError} onError gets the message, and after it the error itself
   * @returns {Promise<string | null>} the task's id, or null when it could not be started
   */
  async startGeneration(manualPrompt, onProgress, onComplete, onError) {
    const controller = this.#track();
    let taskId;
    try {
      taskId = await this.#submit(manualPrompt, {}, this.#pausable({}));
    } catch (error) {
      if (this.#polling.delete(controller)) {
        const ours = asGenerationError(error);
        onError(ours instanceof NetworkError ? 'Failed to start generation' : ours.title, ours);
      }
      return null;
    }
    void this.#report(taskId, controller, onProgress, onComplete, onError);
    return taskId;
  }

  /**
   * Report a running generation through callbacks; none of them is called any more after `stopPolling`.
   *
   * @param {string} taskId
   * @param {import('./index.js').OnProgress} onProgress
   * @param {import('./index.js').OnComplete} onComplete
   * @param {import('./index.js').OnError} onError
   */
  pollStatus(taskId, onProgress, onComplete, onError) {
    void this.#report(taskId, this.#track(), onProgress, onComplete, onError);
  }

  /** As in the seed's class: null when nothing is being watched through callbacks. */
  get pollingInterval() {
    return this.#polling.size > 0 ? this.#settings.pollIntervalMs : null;
  }

  /** Stop watching whatever `startGeneration` and `pollStatus` watch. The generations themselves go on. */
  stopPolling() {
    for (const controller of this.#polling) {
      controller.abort();
    }
    this.#polling.clear();
  }

  /** Be ended by `stopPolling` from now on. */
  #track() {
    const controller = new AbortController();
    this.#polling.add(controller);
    return controller;
  }

  /**
   * @param {string} taskId
   * @param {AbortController} controller
   * @param {import('./index.js').OnProgress} onProgress
   * @param {import('./index.js').OnComplete} onComplete
   * @param {import('./index.js').OnError} onError
   */
  async #report(taskId, controller, onProgress, onComplete, onError) {
    const { signal } = controller;
    try {
      const result = await this.resume(taskId, { onProgress, signal });
      if (!signal.aborted) {
        onComplete(result.prompt, result.generatedByAI, result);
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      const ours = asGenerationError(error);
      if (ours !== error) {
        console.error(error); // a callback's mistake: the one who wrote it wants to see where
      }
      onError(ours === error && !(ours instanceof NetworkError) ? ours.message : 'Failed to check status', ours);
    } finally {
      this.#polling.delete(controller);
    }
  }

  /** @param {import('./index.js').WatchOptions} options */
  #pausable({ signal, onConnection }) {
    return new PausableWork(this.#settings, signal, (connection) => onConnection?.(connection));
  }

  /**
   * @param {string} manualPrompt
   * @param {import('./index.js').GenerateOptions} options
   * @param {PausableWork} work
   * @returns {Promise<string>} the task's id
   */
  async #submit(manualPrompt, { idempotencyKey = newIdempotencyKey(), onConnection, feedback, businessType }, work) {
    if (typeof manualPrompt !== 'string' || manualPrompt.trim() === '') {
      const facts = { title: 'manual_prompt is required', code: 'manual_prompt_required' };
      throw new InvalidPrompt('Write a prompt first.', facts);
    }
    if (!/^[\x21-\x7e]+$/.test(idempotencyKey)) {
      throw new BadRequest('An idempotency key is made of visible ASCII characters.', {
        code: 'invalid_idempotency_key',
      });
    }
    const headers = { 'Idempotency-Key': idempotencyKey };
    const expected = (/** @type {any} */ body) => typeof body?.task_id === 'string';
    const request = {
      method: 'POST',
      headers,
      json: { manual_prompt: manualPrompt, feedback, business_type: businessType },
      expected,
    };
    /** @param {unknown} error */
    const onRetry = (error) => {
      if (work.isOffline(error)) {
        throw error;
      }
      onConnection?.('retrying');
    };
    try {
      const { body } = await work.during((signal) =>
        this.#retried(this.#transport.generations(), { ...request, signal }, onRetry),
      );
      return body.task_id;
    } catch (error) {
      if (FATE_UNKNOWN.some((kind) => error instanceof kind)) {
        /** @type {import('./errors.js').GenerationError} */ (error).idempotencyKey = idempotencyKey;
      }
      throw error;
    }
  }

  /**
   * @param {string} taskId
   * @param {import('./index.js').WatchOptions} options
   * @param {PausableWork} work
   */
  async #watch(taskId, options, work) {
    const view = new TaskView(taskId, options);
    const still = view.animate();
    try {
      await new Watcher(this.#transport, view, work, this.#settings).watch();
    } finally {
      still();
    }
    return view.result();
  }

  /**
   * Send a request that may be repeated, until it is answered or not worth another try.
   *
   * @param {string} url
   * @param {import('./transport.js').Request} request
   * @param {(error: unknown) => void} [onRetry] may throw: then there is none
   */
  async #retried(url, request, onRetry) {
    const retries = new Retries(this.#settings);
    for (;;) {
      try {
        return await this.#transport.json(url, request);
      } catch (error) {
        onRetry?.(error);
        await delay(retries.waitAfter(error), request.signal);
      }
    }
  }
}

/** @param {Record<string, string | number | undefined>} parameters */
function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(/** @type {any} */ (given))}` : '';
}

/** After these a submit may have been accepted all the same. */
const FATE_UNKNOWN = [NetworkError, ServerUnavailable, UnexpectedAnswer, Timeout];

/** @param {ClientOptions} options @returns {Settings} */
function withDefaults({
  fetch,
  events = fetch !== undefined || 'body' in (globalThis.Response?.prototype ?? {}), // React Native's own has no streams
  pollIntervalMs = 1_000,
  retries = 3,
  retryDelayMs = 2_000,
  timeoutMs = 120_000,
  presence = defaultPresence(),
}) {
  for (const [name, value] of Object.entries({ pollIntervalMs, retries, retryDelayMs, timeoutMs })) {
    if (typeof value !== 'number' || Number.isNaN(value)) {
      throw new TypeError(`${name} must be a number`);
    }
  }
  return { events, pollIntervalMs, retries, retryDelayMs, timeoutMs, presence, fetch };
}
