/**
 * What a watcher has seen of one task. Documents may come twice or late (an event, a poll, another process);
 * what is shown only ever goes forward.
 */

import { errorOfDocument } from './error-mapping.js';
import { Estimate } from './estimate.js';

const ESTIMATE_EVERY_MS = 200;

/** @typedef {import('./index.js').StatusDocument} StatusDocument */

export class TaskView {
  #version = -1;
  #attempt = 0;
  #text = '';
  #listeners;
  #estimate = new Estimate();
  #estimated = -1;

  /** Where the event stream goes on after a break. */
  lastEventId = '';

  /** @type {StatusDocument | undefined} the newest one */
  document;

  /**
   * @param {string} taskId
   * @param {import('./index.js').WatchOptions} listeners
   */
  constructor(taskId, listeners) {
    this.taskId = taskId;
    this.#listeners = listeners;
  }

  get ended() {
    return this.document?.status === 'completed' || this.document?.status === 'failed';
  }

  /** @param {StatusDocument} document */
  accept(document) {
    const version = document.version ?? this.#version + 1; // a server of the seed's kind does not number them
    if (version <= this.#version || this.ended) {
      return;
    }
    this.#version = version;
    this.document = document;
    const { status, stage, progress = 0, message, attempt = 1, expected_at: expectedAt } = document;
    this.#listeners.onProgress?.({ taskId: this.taskId, status, stage, progress, message, attempt, expectedAt });
    this.#estimate.accept(document);
    this.#tellEstimate();
  }

  /** Report where a bar should stand, again and again; the returned function ends that. */
  animate() {
    const timer = this.#listeners.onEstimate && setInterval(() => this.#tellEstimate(), ESTIMATE_EVERY_MS);
    return () => clearInterval(timer);
  }

  #tellEstimate() {
    const value = this.#estimate.value();
    if (value !== this.#estimated) {
      this.#estimated = value;
      this.#listeners.onEstimate?.(value);
    }
  }

  /** @param {{attempt: number, text: string}} chunk a new attempt begins the text again */
  acceptText({ attempt, text }) {
    if (attempt < this.#attempt) {
      return;
    }
    this.#text = attempt > this.#attempt ? text : this.#text + text;
    this.#attempt = attempt;
    this.#listeners.onText?.(this.#text);
  }

  /** How documents arrive now, or why they do not. @type {NonNullable<import('./index.js').WatchOptions['onConnection']>} */
  connected = (connection, trouble) => this.#listeners.onConnection?.(connection, trouble);

  /**
   * @returns {import('./index.js').Result}
   * @throws {import('./errors.js').GenerationError} the cause, when the task failed
   */
  result() {
    const document = /** @type {StatusDocument} */ (this.document);
    if (document.status === 'failed') {
      throw errorOfDocument(document, this.taskId);
    }
    return {
      taskId: this.taskId,
      prompt: document.prompt ?? '',
      generatedByAI: document.generated_by_ai === true,
      warning: document.warning,
      fallbackReason: document.fallback_reason,
      fidelity: document.fidelity,
      missingFacts: document.missing_facts ?? [],
      inventedFacts: document.invented_facts ?? [],
      warningCode: document.warning_code,
      model: document.model,
      tokensUsed: document.tokens_used ?? 0,
      createdAt: document.created_at,
      completedAt: document.completed_at,
      document,
    };
  }
}
