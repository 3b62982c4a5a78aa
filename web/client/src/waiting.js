/**
 * Waiting that can be ended: every timer and listener made here is gone when the wait is over.
 *
 * Written for runtimes without AbortSignal.any, AbortSignal.timeout and signal.reason (React Native).
 */

/** Milliseconds for measuring durations: a wall clock that is set meanwhile changes nothing. */
export function now() {
  return globalThis.performance?.now() ?? Date.now();
}

/** @param {AbortSignal} signal */
export function abortReason(signal) {
  return signal.reason ?? Object.assign(new Error('Aborted'), { name: 'AbortError' });
}

/** @param {AbortSignal | undefined} signal */
export function throwIfAborted(signal) {
  if (signal?.aborted) {
    throw abortReason(signal);
  }
}

/**
 * Call `listener` once when the signal aborts, at once when it has.
 *
 * @param {AbortSignal | undefined} signal
 * @param {() => void} listener
 * @returns {() => void} takes the listener away
 */
export function onAbort(signal, listener) {
  if (!signal) {
    return () => {};
  }
  if (signal.aborted) {
    listener();
    return () => {};
  }
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/**
 * Wait; reject with the signal's reason when it aborts before.
 *
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function delay(ms, signal) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  /** @type {Promise<void>} */
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return orAborted(over, signal).finally(() => clearTimeout(timer));
}

/**
 * Settle as the promise does, or reject with the signal's reason when it aborts before.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export function orAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(abortReason(/** @type {AbortSignal} */ (signal))));
    promise.then(resolve, reject).finally(forget);
  });
}

/** The longest time that a timer can hold; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * An AbortController that also ends with a parent's signal and after a time that can be set again and again.
 */
export class LinkedAbort {
  #controller = new AbortController();
  #forget;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** Whether the time ran out (rather than the parent aborting). */
  expired = false;

  /** @param {AbortSignal} [parent] */
  constructor(parent) {
    this.#forget = onAbort(parent, () => this.abort(abortReason(/** @type {AbortSignal} */ (parent))));
  }

  get signal() {
    return this.#controller.signal;
  }

  /** @param {number} ms counted from now; the time set before no longer counts */
  expireIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.expired = true;
        this.abort();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
  }

  /** @param {unknown} [reason] */
  abort(reason) {
    this.#controller.abort(reason);
  }

  /** Release the timer and the parent; the signal stays as it is. */
  release() {
    clearTimeout(this.#timer);
    this.#forget();
  }
}
