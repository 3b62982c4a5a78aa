import type { Presence } from './index.js';

/** What this package uses of React Native's `AppState`. */
export interface AppStateLike {
  readonly currentState: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: React Native's own type of a state differs between its versions
  addEventListener(type: 'change', listener: (state: any) => void): { remove(): void };
}

/** What this package uses of `@react-native-community/netinfo`. */
export interface NetInfoLike {
  addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void;
}

/** Stop watching while the app is in the background or without a network, and go on afterwards. */
export function appStatePresence(appState: AppStateLike, netInfo?: NetInfoLike): Presence;
