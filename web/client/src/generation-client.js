/**
 * Generations: start, watch and cancel one. This is all that a user interface for one person needs.
 *
 * Refuses to know accounts, lists and callbacks: api.js adds them.
 */

import { PausableWork } from './pausable-work.js';
import { GenerationError, InvalidPrompt, NetworkError, ServerUnavailable, UnexpectedAnswer } from './errors.js';
import { newIdempotencyKey } from './idempotency.js';
import { defaultPresence } from './presence.js';
import { countRetries, tellTrouble } from './retry.js';
import { isDocumentOf } from './routes.js';
import { Transport } from './transport.js';
import { TaskView } from './view.js';
import { watch } from './watcher.js';
import { delay } from './waiting.js';

/** @typedef {import('./index.js').ClientOptions} ClientOptions */
/** @typedef {Required<Omit<ClientOptions, 'fetch'>> & Pick<ClientOptions, 'fetch'>} Settings */

export class GenerationClient {
  /**
   * @param {string} apiBaseUrl for example https://prompts.example.com/api/v1/web-knowledge
   * @param {import('./index.js').AuthToken} authToken an API key or JWT, or a function that returns the current one
   * @param {ClientOptions} [options]
   */
  constructor(apiBaseUrl, authToken, options = {}) {
    /** Both may be changed at any time, as the seed's fields could. */
    this.apiBaseUrl = apiBaseUrl;
    this.authToken = authToken;
    /** @protected */
    this.settings = withDefaults(options);
    /** @protected */
    this.transport = new Transport(this, this.settings);
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
    const taskId = await this.submit(manualPrompt, options, work);
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
  cancel(taskId, { signal } = {}) {
    const url = this.transport.task('cancel', taskId);
    return this.retried(url, { method: 'POST', taskId, signal, expected: isDocumentOf(taskId) });
  }

  /**
   * @protected
   * @param {string} manualPrompt
   * @param {import('./index.js').GenerateOptions} [options]
   * @param {PausableWork} [work]
   * @returns {Promise<string>} the task's id
   */
  async submit(manualPrompt, options = {}, work = this.#pausable(options)) {
    const { idempotencyKey = newIdempotencyKey(), onConnection, feedback, businessType } = options;
    if (typeof manualPrompt !== 'string' || manualPrompt.trim() === '') {
      const facts = { title: 'manual_prompt is required', code: 'manual_prompt_required' };
      throw new InvalidPrompt('Write a prompt first.', facts);
    }
    const request = {
      method: 'POST',
      headers: { 'Idempotency-Key': idempotencyKey },
      json: { manual_prompt: manualPrompt, feedback: feedback || undefined, business_type: businessType || undefined },
      expected: (/** @type {any} */ body) => typeof body?.task_id === 'string',
    };
    let perhaps = false; // whether a try may have been accepted, whatever the later ones came to
    /** @param {unknown} error @param {number} [inMs] */
    const note = (error, inMs) => {
      perhaps ||= !(error instanceof GenerationError) || FATE_UNKNOWN.some((kind) => error instanceof kind);
      if (inMs === undefined || work.pauses(error)) {
        throw error;
      }
      tellTrouble(onConnection, error, inMs);
    };
    const url = this.transport.generations();
    try {
      return (
        await work.during((signal) => this.retried(url, { ...request, signal }, note).catch(note), { sends: true })
      ).task_id;
    } catch (error) {
      if (perhaps && error instanceof GenerationError) {
        error.idempotencyKey = idempotencyKey;
      }
      throw error;
    }
  }

  /**
   * Send a repeatable request until it is answered or further tries are useless.
   *
   * @protected
   * @param {string} url
   * @param {import('./transport.js').Request} request
   * @param {(error: unknown, inMs: number) => void} [onRetry] may throw: then there is none
   * @returns {Promise<any>} the JSON of the answer
   */
  async retried(url, request, onRetry) {
    const retries = countRetries(this.settings);
    for (;;) {
      try {
        return (await this.transport.json(url, request)).body;
      } catch (error) {
        const waitMs = retries.waitAfter(error);
        onRetry?.(error, waitMs);
        await delay(waitMs, request.signal);
      }
    }
  }

  /** @param {import('./index.js').WatchOptions} options */
  #pausable({ signal, onConnection }) {
    return new PausableWork(this.settings, signal, (connection) => onConnection?.(connection));
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
      await watch(this.transport, view, work, this.settings);
    } finally {
      still();
    }
    return view.result();
  }
}

/** After these a submit may have been accepted all the same; and after what is not ours, such as the abort of a try. */
const FATE_UNKNOWN = [NetworkError, ServerUnavailable, UnexpectedAnswer];

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
  return { events, pollIntervalMs, retries, retryDelayMs, timeoutMs, presence, fetch };
}
