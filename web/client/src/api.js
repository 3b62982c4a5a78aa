/**
 * The client: start a generation, watch it, cancel it, and read the account.
 *
 * `startGeneration`, `pollStatus` and `stopPolling` are those of the seed document's class; the rest is for new code.
 */

import { GenerationError, InvalidPrompt, NetworkError, UnexpectedAnswer } from './errors.js';
import { newIdempotencyKey } from './idempotency.js';
import { defaultPresence } from './presence.js';
import { Retries } from './retry.js';
import { Transport } from './transport.js';
import { TaskView } from './view.js';
import { Watcher } from './watcher.js';
import { delay } from './waiting.js';

/** @typedef {import('./index.js').ClientOptions} ClientOptions */
/** @typedef {Required<Omit<ClientOptions, 'fetch'>> & Pick<ClientOptions, 'fetch'>} Settings */

const DEFAULTS = { events: true, pollIntervalMs: 1_000, retries: 3, retryDelayMs: 2_000, timeoutMs: 120_000 };

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
    /** @type {Settings} */
    this.#settings = { ...DEFAULTS, ...options, presence: options.presence ?? defaultPresence() };
    this.#transport = new Transport(apiBaseUrl, authToken, this.#settings);
  }

  /**
   * Generate a prompt. Aborting `signal` only stops watching; `cancel` ends the generation itself.
   *
   * @param {string} manualPrompt
   * @param {import('./index.js').GenerateOptions} [options]
   * @returns {Promise<import('./index.js').Result>}
   */
  async generate(manualPrompt, options = {}) {
    const startedAt = Date.now();
    const taskId = await this.#submit(manualPrompt, options);
    options.onStarted?.(taskId);
    return this.#watch(taskId, options, this.#settings.timeoutMs - (Date.now() - startedAt));
  }

  /**
   * Watch a generation that was started before, here or elsewhere.
   *
   * @param {string} taskId
   * @param {import('./index.js').WatchOptions} [options]
   * @returns {Promise<import('./index.js').Result>}
   */
  resume(taskId, options = {}) {
    return this.#watch(taskId, options, this.#settings.timeoutMs);
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
    return (await this.#retried(url, { method: 'POST', taskId, signal })).body;
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
    return (await this.#retried(url, { taskId, signal })).body;
  }

  /**
   * Read the account's unexpired generations, newest first.
   *
   * @param {import('./index.js').RequestOptions} [options]
   * @returns {Promise<import('./index.js').StatusDocument[]>}
   */
  async recent({ signal } = {}) {
    return (await this.#retried(this.#transport.generations(), { signal })).body.tasks;
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
    const query = before === undefined ? `?limit=${limit}` : `?limit=${limit}&before=${encodeURIComponent(before)}`;
    return (await this.#retried(this.#transport.account(`ledger/${query}`), { signal })).body;
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
    let taskId;
    try {
      taskId = await this.#submit(manualPrompt, {});
    } catch (error) {
      refuseForeign(error);
      onError(error instanceof NetworkError ? 'Failed to start generation' : error.title, error);
      return null;
    }
    this.pollStatus(taskId, onProgress, onComplete, onError);
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
    const controller = new AbortController();
    this.#polling.add(controller);
    const ended = () => this.#polling.delete(controller) && !controller.signal.aborted;
    this.resume(taskId, { onProgress, signal: controller.signal }).then(
      (result) => ended() && onComplete(result.prompt, result.generatedByAI, result),
      (error) => {
        if (ended()) {
          refuseForeign(error);
          onError(error instanceof NetworkError ? 'Failed to check status' : error.message, error);
        }
      },
    );
  }

  /** Stop watching whatever `startGeneration` and `pollStatus` watch. The generations themselves go on. */
  stopPolling() {
    for (const controller of this.#polling) {
      controller.abort();
    }
    this.#polling.clear();
  }

  /**
   * @param {string} manualPrompt
   * @param {import('./index.js').GenerateOptions} options
   * @returns {Promise<string>} the task's id
   */
  async #submit(manualPrompt, { idempotencyKey = newIdempotencyKey(), signal, onConnection }) {
    if (manualPrompt.trim() === '') {
      const facts = { title: 'manual_prompt is required', code: 'manual_prompt_required' };
      throw new InvalidPrompt('Write a prompt first.', facts);
    }
    const headers = { 'Idempotency-Key': idempotencyKey };
    const json = { manual_prompt: manualPrompt };
    try {
      const request = { method: 'POST', headers, json, signal };
      const { body } = await this.#retried(this.#transport.generations(), request, () => onConnection?.('retrying'));
      if (typeof body?.task_id !== 'string') {
        throw new UnexpectedAnswer('The answer names no task.', { title: 'Unexpected answer' });
      }
      return body.task_id;
    } catch (error) {
      if (error instanceof NetworkError) {
        error.idempotencyKey = idempotencyKey; // whether the task exists is unknown: the same key finds it
      }
      throw error;
    }
  }

  /**
   * @param {string} taskId
   * @param {import('./index.js').WatchOptions} options
   * @param {number} patienceMs
   */
  async #watch(taskId, options, patienceMs) {
    const view = new TaskView(taskId, options);
    await new Watcher(this.#transport, view, this.#settings).watch(options.signal, patienceMs);
    return view.result();
  }

  /**
   * Send a request that may be repeated, until it is answered or not worth another try.
   *
   * @param {string} url
   * @param {import('./transport.js').Request} request
   * @param {() => void} [onRetry]
   */
  async #retried(url, request, onRetry) {
    const retries = new Retries(this.#settings);
    for (;;) {
      try {
        return await this.#transport.json(url, request);
      } catch (error) {
        const waitMs = retries.waitAfter(error);
        onRetry?.();
        await delay(waitMs, request.signal);
      }
    }
  }
}

/**
 * Rethrow what is no error of ours, a callback's mistake for example: it belongs in the console, not in onError.
 *
 * @param {unknown} error
 * @returns {asserts error is GenerationError}
 */
function refuseForeign(error) {
  if (!(error instanceof GenerationError)) {
    throw error;
  }
}

