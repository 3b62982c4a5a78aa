/**
 * Whether the page is visible and the network is up. The core uses this interface and knows neither DOM nor React Native.
 *
 * `state` is "active", "background" or "offline"; `subscribe` calls its listener after each change.
 * "offline" is a hint: a request is still tried once, because a server on this machine answers all the same.
 *
 * @typedef {import('./index.js').Presence} Presence
 */

/** Somebody is always there: Node, workers. @type {Presence} */
export const alwaysPresent = Object.freeze({ state: /** @type {const} */ ('active'), subscribe: () => () => {} });

/**
 * Presence from the page's visibility and the browser's network state.
 *
 * @returns {Presence}
 */
export function browserPresence() {
  return {
    get state() {
      if (document.visibilityState === 'hidden') {
        return 'background';
      }
      return navigator.onLine === false ? 'offline' : 'active';
    },
    subscribe(listener) {
      document.addEventListener('visibilitychange', listener);
      addEventListener('online', listener);
      addEventListener('offline', listener);
      return () => {
        document.removeEventListener('visibilitychange', listener);
        removeEventListener('online', listener);
        removeEventListener('offline', listener);
      };
    },
  };
}

/** @returns {Presence} */
export function defaultPresence() {
  const isBrowser = typeof document === 'object' && typeof document?.addEventListener === 'function';
  return isBrowser ? browserPresence() : alwaysPresent;
}
