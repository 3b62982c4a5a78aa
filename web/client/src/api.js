/**
 * The client of the whole server: generations, the account's list of them, and the account itself.
 *
 * `startGeneration`, `pollStatus` and `stopPolling` are those of the seed document's class; the rest is for new code.
 */

import { accountAddress } from './account-address.js';
import { asGenerationError, BadRequest, NetworkError } from './errors.js';
import { GenerationClient } from './generation-client.js';
import { isDocumentOf } from './routes.js';

export class PromptGeneratorAPI extends GenerationClient {
  /** @type {Set<AbortController>} what stopPolling ends */
  #polling = new Set();

  /**
   * @param {string} apiBaseUrl for example https://prompts.example.com/api/v1/web-knowledge
   * @param {import('./index.js').AuthToken} authToken an API key or JWT, or a function that returns the current one
   * @param {import('./index.js').ClientOptions} [options]
   */
  constructor(apiBaseUrl, authToken, options) {
    super(apiBaseUrl, authToken, options);
    const { pollIntervalMs, retries, retryDelayMs, timeoutMs } = this.settings;
    for (const [name, value] of Object.entries({ pollIntervalMs, retries, retryDelayMs, timeoutMs })) {
      if (typeof value !== 'number' || Number.isNaN(value)) {
        throw new TypeError(`${name} must be a number`);
      }
    }
  }

  /**
   * @protected
   * @override
   * @param {Parameters<GenerationClient['submit']>} asked
   */
  async submit(...asked) {
    const { idempotencyKey } = asked[1] ?? {};
    if (idempotencyKey !== undefined && !/^[\x21-\x7e]+$/.test(idempotencyKey)) {
      const code = 'invalid_idempotency_key';
      throw new BadRequest('An idempotency key is made of visible ASCII characters.', { code });
    }
    return super.submit(...asked);
  }

  /**
   * Read a status document once.
   *
   * @param {string} taskId
   * @param {import('./index.js').RequestOptions} [options]
   * @returns {Promise<import('./index.js').StatusDocument>}
   */
  status(taskId, { signal } = {}) {
    const url = this.transport.task('status', taskId);
    return this.retried(url, { taskId, signal, expected: isDocumentOf(taskId) });
  }

  /**
   * Read the account's unexpired generations, newest first: all of them, or those `before` one.
   *
   * @param {import('./index.js').LedgerOptions} [options]
   * @returns {Promise<import('./index.js').StatusDocument[]>}
   */
  async recent({ limit, before, signal } = {}) {
    const url = this.transport.generations(query({ limit, before }));
    return (await this.retried(url, { signal, expected: (body) => Array.isArray(body?.tasks) })).tasks;
  }

  /**
   * Read balance and subscription.
   *
   * @param {import('./index.js').RequestOptions} [options]
   * @returns {Promise<import('./index.js').Account>}
   */
  account({ signal } = {}) {
    return this.retried(accountAddress(this.transport), { signal, expected: (body) => body?.tokens_remaining >= 0 });
  }

  /**
   * Read the entries behind the balance, newest first; `next` is the `before` of the following page.
   *
   * @param {import('./index.js').LedgerOptions} [options]
   * @returns {Promise<import('./index.js').LedgerPage>}
   */
  ledger({ limit = 50, before, signal } = {}) {
    return this.retried(accountAddress(this.transport, `ledger/${query({ limit, before })}`), { signal });
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
      taskId = await this.submit(manualPrompt);
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
    return this.#polling.size > 0 ? this.settings.pollIntervalMs : null;
  }

  /** Stop watching whatever `startGeneration` and `pollStatus` watch. The generations themselves go on. */
  stopPolling() {
    for (const controller of this.#polling) {
      controller.abort();
    }
    this.#polling.clear();
  }

  /** Let `stopPolling` abort this from now on. */
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
        console.error(error); // an error in a callback: logged for its author
      }
      onError(ours === error && !(ours instanceof NetworkError) ? ours.message : 'Failed to check status', ours);
    } finally {
      this.#polling.delete(controller);
    }
  }
}

/** @param {Record<string, string | number | undefined>} parameters */
function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(/** @type {any} */ (given))}` : '';
}
