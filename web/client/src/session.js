/**
 * One person's generation for a user interface: a state, listeners for its changes, and the actions of the buttons.
 *
 * The React hook and the server's own page both use it. It survives a reload (through `storage`), ignores answers
 * to an earlier generation, and refuses to know how anything looks.
 */

import { asGenerationError, Cancelled, IdempotencyKeyReused, TaskNotFound, Unauthorized } from './errors.js';
import { errorOfDocument } from './error-mapping.js';
import { newIdempotencyKey } from './idempotency.js';

/** @typedef {import('./index.js').SessionState} SessionState */
/** @typedef {{manualPrompt: string, feedback?: string, businessType?: string}} Asked */
/** @typedef {Asked & {taskId?: string, idempotencyKey?: string, cancel?: boolean, at?: number}} Remembered */

/** What may change; which of it belongs together is said by `phase`. @typedef {{-readonly [Name in keyof SessionState]?: SessionState[Name]}} Change */

/** So long after it nobody expects a submit to be sent once more: a browser's session may be restored after days. */
const KEY_LASTS_MS = 3_600_000;

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
    if (remembered && !this.#run && this.#state.phase !== 'failed') {
      // Perhaps the page went away while the submit was under way: the same key finds the task, or starts it.
      this.#start(remembered);
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
  generate(manualPrompt, { replace = false, feedback = '', businessType = '' } = {}) {
    const state = this.#state;
    if (state.phase === 'running' && !replace) {
      return false;
    }
    const asked = { manualPrompt, feedback, businessType };
    const same =
      manualPrompt === state.manualPrompt && feedback === state.feedback && businessType === state.businessType;
    this.#start(same && state.phase === 'failed' ? { ...asked, ...leftOf(state) } : asked);
    return true;
  }

  /**
   * Show a generation that exists, running or ended.
   *
   * @param {string} taskId
   * @param {string} [manualPrompt]
   */
  open(taskId, manualPrompt = '') {
    this.#start({ manualPrompt, taskId });
  }

  /** End the running generation: on the server, as soon as it has an id there; here, when nothing has been sent. */
  async cancel() {
    if (this.#run && !this.#state.cancelling) {
      const { signal } = this.#run;
      this.#remind({ cancel: true });
      this.#set({ cancelling: true, error: null });
      this.#cancelUnsent(signal);
      await this.#cancelTask(signal);
    }
  }

  /** @param {AbortSignal} signal */
  #cancelUnsent(signal) {
    const { cancelling, connection } = this.#state;
    if (cancelling && connection === 'unsent') {
      this.#fail(signal, new Cancelled('Nothing has been sent.', { title: 'Generation cancelled' }));
    }
  }

  /** @param {AbortSignal} signal */
  async #cancelTask(signal) {
    const { taskId, cancelling } = this.#state;
    if (!taskId || !cancelling) {
      return;
    }
    try {
      const document = await this.client.cancel(taskId); // to its end, whatever becomes of the watching
      if (document.status === 'failed') {
        this.#fail(signal, errorOfDocument(document));
      } // a completed one lost no race: the watcher brings its result
    } catch (error) {
      if (!signal.aborted) {
        this.#remind({ cancel: error instanceof Unauthorized || undefined }); // who signs in again still wants it
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
    const { manualPrompt, feedback, businessType, canRetry } = this.#state;
    const opened = canRetry && manualPrompt === ''; // and may run: what is written elsewhere has nothing to do with it
    if (edited !== undefined && edited !== manualPrompt && !opened) {
      this.generate(edited, { businessType });
    } else if (canRetry) {
      const { cancel } = this.#remembered ?? {};
      this.#start({ manualPrompt, feedback, businessType, cancel, ...leftOf(this.#state) });
    }
  }

  /** Forget the generation; one that is running goes on unwatched. */
  reset() {
    this.disconnect();
    this.#remember(null);
    this.#replace(IDLE);
  }

  /** @param {Remembered} remembered with `taskId` it is watched; with a key, an earlier submit may have arrived */
  #start({ taskId, idempotencyKey: found, cancel, at: _, ...asked }) {
    this.#run?.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    const options = this.#listen(signal, found);
    const idempotencyKey = taskId ? undefined : (found ?? newIdempotencyKey());
    this.#remember({ ...asked, taskId, idempotencyKey });
    this.#replace(/** @type {SessionState} */ ({ ...IDLE, ...asked, phase: 'running', taskId: taskId ?? null }));
    const running = taskId
      ? this.client.resume(taskId, options)
      : this.client.generate(asked.manualPrompt, { ...options, ...asked, idempotencyKey });
    running.then(
      (result) => this.#finish(signal, { phase: 'completed', result, text: result.prompt }),
      (error) => this.#fail(signal, asGenerationError(error), found),
    );
    if (cancel) {
      void this.cancel();
    }
  }

  /** @param {AbortSignal} signal @param {string} [found] @returns {import('./index.js').GenerateOptions} */
  #listen(signal, found) {
    /** @param {Change} change */
    const set = (change) => {
      if (!signal.aborted) {
        this.#set(change);
      }
    };
    return {
      signal,
      onStarted: (taskId) => {
        if (!signal.aborted) {
          this.#remind({ taskId, idempotencyKey: undefined });
          this.#set({ taskId });
          void this.#cancelTask(signal);
        }
      },
      onProgress: ({ status, stage = null, progress, message }) => set({ status, stage, progress, message }),
      onEstimate: (estimate) => set({ estimate }),
      onText: (text) => set({ text }),
      onConnection: (connection, trouble) => {
        const said = found && connection === 'unsent' ? 'offline' : connection;
        const { error } = this.#state; // of a cancel that did not get through: it goes with the next change
        set({ connection: said, trouble: trouble ?? null, error: said === this.#state.connection ? error : null });
        this.#cancelUnsent(signal);
      },
    };
  }

  /** @param {AbortSignal} signal @param {any} error @param {string} [found] the key of an earlier submit */
  #fail(signal, error, found) {
    const { taskId, manualPrompt } = this.#state;
    if (error instanceof IdempotencyKeyReused) {
      error.idempotencyKey = undefined;
    } else if (!taskId) {
      error.idempotencyKey ??= found; // a refusal of this submit says nothing of the earlier one
    }
    const canRetry = manualPrompt !== '' || (taskId !== null && mayRun(error));
    this.#finish(signal, { phase: 'failed', error, canRetry });
  }

  /** @param {AbortSignal} signal @param {Change} change */
  #finish(signal, change) {
    if (signal.aborted) {
      return;
    }
    this.disconnect();
    const { taskId } = this.#state;
    const { error } = change;
    if (!error || !(taskId ? mayRun(error) : error.idempotencyKey)) {
      this.#remember(null); // but what may run is taken up also after a reload, and by who has signed in again
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

  /** @param {Partial<Remembered>} change */
  #remind(change) {
    this.#remember({ .../** @type {Remembered} */ (this.#remembered), ...change });
  }

  /** @param {Remembered | null} generation */
  #remember(generation) {
    this.#remembered = generation && { ...generation, at: Date.now() };
    try {
      if (generation) {
        this.#storage?.setItem(this.#storageKey, JSON.stringify(this.#remembered));
      } else {
        this.#storage?.removeItem(this.#storageKey);
      }
    } catch {
      // A full or forbidden storage costs only the resume after a reload.
    }
  }

  /** @returns {Remembered | null} */
  #recall() {
    try {
      const found = this.#remembered ?? JSON.parse(this.#storage?.getItem(this.#storageKey) ?? 'null');
      const { manualPrompt, taskId, idempotencyKey, at } = found;
      const counts = taskId || (idempotencyKey && Date.now() - at < KEY_LASTS_MS);
      return typeof manualPrompt === 'string' && counts ? found : null;
    } catch {
      return null;
    }
  }
}

/** How to find what a failure may have left running. @param {Readonly<SessionState>} state */
function leftOf({ taskId, error }) {
  return taskId && mayRun(error) ? { taskId } : { idempotencyKey: error?.idempotencyKey };
}

/** Whether the error concerns the connection, not the end of the task. @param {import('./index.js').GenerationError | null} error */
function mayRun(error) {
  return error?.document?.status !== 'failed' && !(error instanceof TaskNotFound);
}
