/**
 * One person's generation as a user interface shows it: a state to read, a listener to be told, and what the buttons do.
 *
 * The React hook and the server's own page both stand on it. It survives a reload (through `storage`), drops what comes
 * from an earlier generation, and refuses to know how anything looks.
 */

import { asGenerationError, TaskNotFound } from './errors.js';
import { errorOfDocument } from './error-mapping.js';
import { newIdempotencyKey } from './idempotency.js';

/** @typedef {import('./index.js').SessionState} SessionState */
/** @typedef {{manualPrompt: string, taskId?: string, idempotencyKey?: string, cancel?: boolean}} Remembered */

/** What may change; which of it belongs together is said by `phase`. @typedef {{-readonly [Name in keyof SessionState]?: SessionState[Name]}} Change */

/** @type {Readonly<SessionState>} */
const IDLE = Object.freeze({
  phase: 'idle',
  manualPrompt: '',
  taskId: null,
  status: null,
  stage: null,
  progress: 0,
  estimate: 0,
  message: '',
  text: '',
  connection: null,
  cancelling: false,
  result: null,
  error: null,
  canRetry: false,
});

export class GenerationSession {
  #client;
  #storage;
  #storageKey;
  #state = IDLE;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** The run whose news count; that of an earlier one is stale. @type {AbortController | null} */
  #run = null;
  #cancelWhenStarted = false;
  /** @type {Remembered | null} what `connect` takes up */
  #remembered = null;

  /**
   * @param {import('./index.js').PromptGeneratorAPI} client
   * @param {{storage?: import('./index.js').SessionStorage | null, storageKey?: string}} [options] where a running
   *   generation is remembered, sessionStorage for example; nowhere by default
   */
  constructor(client, { storage = null, storageKey = 'prompt-generation' } = {}) {
    this.#client = client;
    this.#storage = storage;
    this.#storageKey = storageKey;
  }

  // Bound, because React and others take them off the object.
  getState = () => this.#state;

  /** @param {() => void} listener */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Take up what was running before a reload, or before `disconnect`. */
  connect() {
    const remembered = this.#recall();
    if (!remembered || this.#run) {
      return;
    }
    const { taskId, manualPrompt, idempotencyKey, cancel } = remembered;
    if (taskId) {
      this.open(taskId, manualPrompt);
    } else {
      // The page went away while the submit was under way: the same key finds the task, or starts it.
      this.#start(manualPrompt, /** @type {string} */ (idempotencyKey));
      if (cancel) {
        void this.cancel();
      }
    }
  }

  /** Stop watching and keep what is remembered: the counterpart of `connect`. */
  disconnect() {
    this.#run?.abort();
    this.#run = null;
  }

  /**
   * @param {string} manualPrompt
   * @param {{replace?: boolean}} [options]
   * @returns {boolean} false while one is running, unless it is to be replaced: two clicks are not two generations
   */
  generate(manualPrompt, { replace = false } = {}) {
    if (this.#state.phase === 'running' && !replace) {
      return false;
    }
    this.#start(manualPrompt, newIdempotencyKey());
    return true;
  }

  /**
   * Show a generation that exists, running or ended.
   *
   * @param {string} taskId
   * @param {string} [manualPrompt]
   */
  open(taskId, manualPrompt = '') {
    const signal = this.#begin(manualPrompt, taskId);
    this.#settle(signal, this.#client.resume(taskId, this.#listen(signal)));
  }

  /** End the running generation on the server; at once, or as soon as it has an id. */
  async cancel() {
    const run = this.#run;
    const { phase, taskId, cancelling } = this.#state;
    if (phase !== 'running' || !run || (cancelling && !this.#cancelWhenStarted)) {
      return;
    }
    this.#set({ cancelling: true });
    this.#cancelWhenStarted = !taskId;
    if (!taskId) {
      this.#remember({ ...this.#remembered, manualPrompt: this.#state.manualPrompt, cancel: true });
      return;
    }
    try {
      const document = await this.#client.cancel(taskId, { signal: run.signal });
      if (this.#run === run && document.status === 'failed') {
        this.#fail(run.signal, errorOfDocument(document));
      } // a completed one lost no race: the watcher brings its result
    } catch (error) {
      if (this.#run === run && !run.signal.aborted) {
        this.#set({ cancelling: false, error: asGenerationError(error) });
      }
    }
  }

  /**
   * Try again after a failure, without paying for the same generation twice.
   *
   * @param {string} [edited] what the person has written since
   */
  retry(edited) {
    const { error, manualPrompt, taskId, canRetry, phase } = this.#state;
    if (edited !== undefined && edited !== manualPrompt) {
      this.generate(edited);
    } else if (!canRetry || phase === 'running') {
      return;
    } else if (taskId && mayRun(error)) {
      this.open(taskId, manualPrompt);
    } else {
      this.#start(manualPrompt, error?.idempotencyKey ?? newIdempotencyKey());
    }
  }

  /** Forget the generation; one that is running goes on unwatched. */
  reset() {
    this.disconnect();
    this.#remember(null);
    this.#replace(IDLE);
  }

  /** @param {string} manualPrompt @param {string} idempotencyKey */
  #start(manualPrompt, idempotencyKey) {
    const signal = this.#begin(manualPrompt, null);
    this.#remember({ manualPrompt, idempotencyKey });
    this.#settle(signal, this.#client.generate(manualPrompt, { ...this.#listen(signal), idempotencyKey }));
  }

  /** @param {string} manualPrompt @param {string | null} taskId @returns {AbortSignal} that of the new run */
  #begin(manualPrompt, taskId) {
    this.#run?.abort();
    this.#run = new AbortController();
    this.#cancelWhenStarted = false;
    if (taskId) {
      this.#remember({ manualPrompt, taskId });
    }
    this.#replace(/** @type {SessionState} */ ({ ...IDLE, phase: 'running', manualPrompt, taskId }));
    return this.#run.signal;
  }

  /** @param {AbortSignal} signal @returns {import('./index.js').GenerateOptions} */
  #listen(signal) {
    /** @param {Change} change */
    const set = (change) => {
      if (!signal.aborted) {
        this.#set(change);
      }
    };
    return {
      signal,
      onStarted: (taskId) => {
        set({ taskId });
        this.#remember({ manualPrompt: this.#state.manualPrompt, taskId });
        if (this.#cancelWhenStarted) {
          void this.cancel();
        }
      },
      onProgress: ({ status, stage = null, progress, message }) => set({ status, stage, progress, message }),
      onEstimate: (estimate) => set({ estimate }),
      onText: (text) => set({ text }),
      onConnection: (connection) => set({ connection }),
    };
  }

  /** @param {AbortSignal} signal @param {Promise<import('./index.js').Result>} running */
  #settle(signal, running) {
    running.then(
      (result) => this.#finish(signal, { phase: 'completed', result, text: result.prompt }),
      (error) => this.#fail(signal, asGenerationError(error)),
    );
  }

  /** @param {AbortSignal} signal @param {import('./index.js').GenerationError} error */
  #fail(signal, error) {
    const { taskId, manualPrompt } = this.#state;
    const canRetry = manualPrompt !== '' || (taskId !== null && mayRun(error));
    this.#finish(signal, { phase: 'failed', error, canRetry });
  }

  /** @param {AbortSignal} signal @param {Change} change */
  #finish(signal, change) {
    if (signal.aborted) {
      return;
    }
    this.disconnect();
    this.#remember(null);
    this.#set({ error: null, ...change, cancelling: false, connection: null });
  }

  /** @param {Change} change */
  #set(change) {
    this.#replace(/** @type {SessionState} */ ({ ...this.#state, ...change }));
  }

  /** @param {Readonly<SessionState>} state */
  #replace(state) {
    this.#state = state;
    for (const listener of this.#listeners) {
      listener();
    }
  }

  /** @param {Remembered | null} generation */
  #remember(generation) {
    this.#remembered = generation;
    try {
      if (generation) {
        this.#storage?.setItem(this.#storageKey, JSON.stringify(generation));
      } else {
        this.#storage?.removeItem(this.#storageKey);
      }
    } catch {
      // A full or forbidden storage costs only the resume after a reload.
    }
  }

  /** @returns {Remembered | null} */
  #recall() {
    if (this.#remembered) {
      return this.#remembered;
    }
    try {
      const found = JSON.parse(this.#storage?.getItem(this.#storageKey) ?? 'null');
      return typeof found?.manualPrompt === 'string' && (found.taskId || found.idempotencyKey) ? found : null;
    } catch {
      return null;
    }
  }
}

/** Whether the error speaks of the way to the task, and not of its end. @param {import('./index.js').GenerationError | null} error */
function mayRun(error) {
  return error?.document?.status !== 'failed' && !(error instanceof TaskNotFound);
}
