/**
 * One person's generation for a user interface: a state, listeners for its changes, and the actions of the buttons.
 *
 * The React hook and the server's own page both use it. It survives a reload (through `storage`), ignores answers
 * to an earlier generation, and refuses to know how anything looks.
 */

import { asGenerationError, TaskNotFound, Unauthorized } from './errors.js';
import { errorOfDocument } from './error-mapping.js';
import { newIdempotencyKey } from './idempotency.js';

/** @typedef {import('./index.js').SessionState} SessionState */
/** @typedef {{manualPrompt: string, feedback?: string, businessType?: string}} Asked */
/** @typedef {Asked & {taskId?: string, idempotencyKey?: string, cancel?: boolean}} Remembered */

/** What may change; which of it belongs together is said by `phase`. @typedef {{-readonly [Name in keyof SessionState]?: SessionState[Name]}} Change */

/** @type {Readonly<SessionState>} */
const IDLE = {
  phase: 'idle',
  manualPrompt: '',
  feedback: '',
  businessType: '',
  taskId: null,
  status: null,
  stage: null,
  progress: 0,
  estimate: 0,
  message: '',
  text: '',
  connection: null,
  trouble: null,
  cancelling: false,
  result: null,
  error: null,
  canRetry: false,
};

export class GenerationSession {
  /** @readonly */
  client;
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
   * @param {import('./index.js').GenerationClient} client
   * @param {{storage?: import('./index.js').SessionStorage | null, storageKey?: string}} [options] where a running
   *   generation is remembered, sessionStorage for example; nowhere by default
   */
  constructor(client, { storage = null, storageKey = 'prompt-generation' } = {}) {
    this.client = client;
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

  /** Resume the generation that was running before a reload, or before `disconnect`. */
  connect() {
    const remembered = this.#recall();
    if (!remembered || this.#run) {
      return;
    }
    const { taskId, idempotencyKey, cancel, ...asked } = remembered;
    if (taskId) {
      this.#open(taskId, asked);
    } else {
      // The page went away while the submit was under way: the same key finds the task, or starts it.
      this.#start(asked, /** @type {string} */ (idempotencyKey));
      if (cancel) {
        void this.cancel();
      }
    }
  }

  /** Stop watching and keep the stored generation: the counterpart of `connect`. */
  disconnect() {
    this.#run?.abort();
    this.#run = null;
  }

  /**
   * @param {string} manualPrompt
   * @param {{replace?: boolean, feedback?: string, businessType?: string}} [options]
   * @returns {boolean} false while one is running, unless it is to be replaced: two clicks are not two generations
   */
  generate(manualPrompt, { replace = false, ...steering } = {}) {
    if (this.#state.phase === 'running' && !replace) {
      return false;
    }
    this.#start({ manualPrompt, ...steering }, newIdempotencyKey());
    return true;
  }

  /**
   * Show a generation that exists, running or ended.
   *
   * @param {string} taskId
   * @param {string} [manualPrompt]
   */
  open(taskId, manualPrompt = '') {
    this.#open(taskId, { manualPrompt });
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
      this.#remember({ .../** @type {Remembered} */ (this.#remembered), cancel: true });
      return;
    }
    try {
      const document = await this.client.cancel(taskId, { signal: run.signal });
      if (this.#run === run && document.status === 'failed') {
        this.#fail(run.signal, errorOfDocument(document));
      } // a completed one lost no race: the watcher brings its result
    } catch (error) {
      if (this.#run === run && !run.signal.aborted) {
        this.#set({ cancelling: false, error: asGenerationError(error) });
      }
    }
  }

  /** Wait no longer for a server that is away: the error is what it said last, and `retry` takes the generation up. */
  stop() {
    const { trouble } = this.#state;
    if (trouble && this.#run) {
      // It may have accepted the submit all the same.
      const error = Object.assign(trouble.error, { idempotencyKey: this.#remembered?.idempotencyKey });
      this.#fail(this.#run.signal, error);
    }
  }

  /**
   * Try again after a failure, without paying for the same generation twice.
   *
   * @param {string} [edited] what the person has written since
   */
  retry(edited) {
    const { error, manualPrompt, feedback, businessType, taskId, canRetry, phase } = this.#state;
    const asked = { manualPrompt, feedback, businessType };
    if (edited !== undefined && edited !== manualPrompt) {
      this.generate(edited, { businessType });
    } else if (!canRetry || phase === 'running') {
      return;
    } else if (taskId && mayRun(error)) {
      this.#open(taskId, asked);
    } else {
      this.#start(asked, error?.idempotencyKey ?? newIdempotencyKey());
    }
  }

  /** Forget the generation; one that is running goes on unwatched. */
  reset() {
    this.disconnect();
    this.#remember(null);
    this.#replace(IDLE);
  }

  /** @param {string} taskId @param {Asked} asked */
  #open(taskId, asked) {
    const signal = this.#begin(asked, { taskId });
    this.#settle(signal, this.client.resume(taskId, this.#listen(signal)));
  }

  /** @param {Asked} asked @param {string} idempotencyKey */
  #start(asked, idempotencyKey) {
    const signal = this.#begin(asked, { idempotencyKey });
    const { manualPrompt, feedback, businessType } = asked;
    const steering = { feedback: feedback || undefined, businessType: businessType || undefined };
    this.#settle(signal, this.client.generate(manualPrompt, { ...this.#listen(signal), ...steering, idempotencyKey }));
  }

  /** @param {Asked} asked @param {{taskId?: string, idempotencyKey?: string}} found @returns {AbortSignal} that of the new run */
  #begin(asked, found) {
    this.#run?.abort();
    this.#run = new AbortController();
    this.#cancelWhenStarted = false;
    this.#remember({ ...asked, ...found });
    this.#replace(/** @type {SessionState} */ ({ ...IDLE, ...asked, phase: 'running', taskId: found.taskId ?? null }));
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
        const { manualPrompt, feedback, businessType } = this.#state;
        this.#remember({ manualPrompt, feedback, businessType, taskId });
        if (this.#cancelWhenStarted) {
          void this.cancel();
        }
      },
      onProgress: ({ status, stage = null, progress, message }) => set({ status, stage, progress, message }),
      onEstimate: (estimate) => set({ estimate }),
      onText: (text) => set({ text }),
      onConnection: (connection, trouble) => set({ connection, trouble: trouble ?? null }),
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
    if (!this.#state.taskId || !(change.error instanceof Unauthorized)) {
      this.#remember(null); // but what runs is taken up by who has signed in, also after a reload
    }
    this.#set({ error: null, ...change, cancelling: false, connection: null, trouble: null });
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

/** Whether the error concerns the connection, not the end of the task. @param {import('./index.js').GenerationError | null} error */
function mayRun(error) {
  return error?.document?.status !== 'failed' && !(error instanceof TaskNotFound);
}
