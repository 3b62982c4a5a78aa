'use client';

/**
 * The hook: a GenerationSession of the client, tied to a component's life.
 *
 * The session drops what belongs to an earlier generation and survives being connected twice, as StrictMode does.
 */

import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { GenerationSession, PromptGeneratorAPI } from 'prompt-generation-client';
import { tabStorage } from './kept.js';

/**
 * @param {import('./index.js').UsePromptGenerationOptions} options
 * @returns {import('./index.js').PromptGeneration}
 */
export function usePromptGeneration({ client, apiBaseUrl, authToken, storageKey, onComplete }) {
  // A token that is renewed, or a callback written in place, must not begin a new session.
  const latest = useRef({ authToken, onComplete });
  useEffect(() => {
    latest.current = { authToken, onComplete };
  });
  const token = useCallback(() => resolveToken(latest.current.authToken), []);
  const session = useMemo(
    () => new GenerationSession(client ?? new PromptGeneratorAPI(required(apiBaseUrl), token), { storage: tabStorage(), storageKey }),
    [client, apiBaseUrl, token, storageKey],
  );

  const state = useSyncExternalStore(session.subscribe, session.getState, session.getState);

  useEffect(() => {
    let { phase } = session.getState();
    const unsubscribe = session.subscribe(() => {
      const now = session.getState();
      const justCompleted = now.phase === 'completed' && phase !== 'completed';
      phase = now.phase;
      if (justCompleted && now.result) {
        latest.current.onComplete?.(now.result);
      }
    });
    session.connect();
    return () => {
      unsubscribe();
      session.disconnect();
    };
  }, [session]);

  return useMemo(
    () => ({
      ...state,
      isRunning: state.phase === 'running',
      /** @param {string} manualPrompt @param {import('prompt-generation-client').SessionGenerateOptions} [options] */
      generate: (manualPrompt, options) => session.generate(manualPrompt, options),
      /** @param {string} taskId @param {string} [manualPrompt] */
      open: (taskId, manualPrompt) => session.open(taskId, manualPrompt),
      cancel: () => session.cancel(),
      /** @param {unknown} [edited] may be a click's event, where this is its handler */
      retry: (edited) => session.retry(typeof edited === 'string' ? edited : undefined),
      reset: () => session.reset(),
    }),
    [session, state],
  );
}

/** @param {import('prompt-generation-client').AuthToken | undefined} authToken */
function resolveToken(authToken) {
  return typeof authToken === 'function' ? authToken() : (authToken ?? '');
}

/** @param {string | undefined} apiBaseUrl */
function required(apiBaseUrl) {
  if (!apiBaseUrl) {
    throw new TypeError('usePromptGeneration needs a client, or an apiBaseUrl and an authToken');
  }
  return apiBaseUrl;
}
