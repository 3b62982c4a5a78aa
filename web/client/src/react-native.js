/**
 * Presence for React Native. The modules come in as arguments, so that this package depends on none of them.
 */

/**
 * @param {import('./react-native.js').AppStateLike} appState `AppState` of react-native
 * @param {import('./react-native.js').NetInfoLike} [netInfo] the default export of @react-native-community/netinfo
 * @returns {import('./index.js').Presence} for the app's life: it listens to `netInfo` from now on, to know of the network before the first request
 */
export function appStatePresence(appState, netInfo) {
  let connected = true;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  netInfo?.addEventListener((network) => {
    connected = network.isConnected !== false;
    for (const listener of listeners) {
      listener();
    }
  });
  return {
    get state() {
      // iOS says "inactive" while a call or the app switcher is on top: the app still runs.
      if (appState.currentState === 'background') {
        return 'background';
      }
      return connected ? 'active' : 'offline';
    },
    subscribe(listener) {
      const subscription = appState.addEventListener('change', () => listener());
      listeners.add(listener);
      return () => {
        subscription.remove();
        listeners.delete(listener);
      };
    },
  };
}
