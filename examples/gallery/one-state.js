/** What the address asks for, and what a tab would have kept from before. */

import { NO_VERSIONS, withResult } from '@web/client/src/versions.js';
import { PUSH, TASK } from './pretended-server.js';
import { DRAFT } from './states.js';

export function chosen() {
  const {
    state: name = 'nothing yet',
    theme = '',
    lang = 'en',
  } = Object.fromEntries(new URLSearchParams(location.search));
  return { name, theme, lang };
}

/** @returns the storage of a tab in which this state is about to be */
export function prepare(state, key) {
  document.documentElement.dataset.expected = state.phase;
  const storage = memory();
  if (key && !state.noKey) {
    storage.setItem('prompt-generation:api-key', key);
  }
  if (!state.empty && !state.unsent) {
    const found = state.submits ? { idempotencyKey: 'gallery', at: Date.now() } : { taskId: TASK };
    storage.setItem('prompt-generation', JSON.stringify({ manualPrompt: DRAFT, ...found }));
  }
  if (state.versions) {
    const made = state.versions.reduce((versions, { asked, ...result }, index) => {
      const before = versions.list.at(-1)?.text;
      return withResult(versions, {
        manualPrompt: before ?? DRAFT,
        feedback: asked ?? '',
        result: { ...RESULT, ...result, taskId: `version-${index}` },
      });
    }, NO_VERSIONS);
    storage.removeItem('prompt-generation');
    storage.setItem('prompt-generation:versions', JSON.stringify(made));
  }
  return storage;
}

const RESULT = { generatedByAI: true, fidelity: 'kept', missingFacts: [], inventedFacts: [], tokensUsed: 912 };

/** A browser that has been allowed to notify, and offers it at once. */
export function pretendPush() {
  const subscription = {
    endpoint: PUSH.endpoint,
    options: { applicationServerKey: Uint8Array.from(atob(PUSH.key), (character) => character.charCodeAt(0)).buffer },
    toJSON: () => ({ endpoint: PUSH.endpoint }),
    unsubscribe: async () => true,
  };
  const pushManager = { getSubscription: async () => subscription, subscribe: async () => subscription };
  const registration = { active: {}, pushManager };
  const value = { register: async () => registration, getRegistration: async () => registration };
  const { setTimeout } = window;
  Object.defineProperty(navigator, 'serviceWorker', { value });
  window.PushManager ??= class {};
  window.Notification = { permission: 'granted', requestPermission: async () => 'granted' };
  window.setTimeout = (done, ms, ...rest) => setTimeout(done, ms === 4_000 ? 0 : ms, ...rest);
}

/** Press these one after the other, each as soon as it is there. */
export function press(where, selectors = []) {
  const [first, ...rest] = selectors;
  const found = first && where.querySelector(first);
  found?.click();
  if (first) {
    requestAnimationFrame(() => press(where, found ? rest : selectors));
  }
}

export function memory() {
  const kept = new Map();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, String(value)),
    removeItem: (name) => void kept.delete(name),
  };
}
