'use client';

/**
 * The hook: a GenerationSession of the client, tied to a component's life.
 *
 * The session drops what belongs to an earlier generation and survives being connected twice, as StrictMode does.
 */

import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { GenerationClient, GenerationSession } from 'prompt-generation-client';
import { useStorage } from './kept.js';

/**
 * @param {import('./index.js').UsePromptGenerationOptions} options
 * @returns {import('./index.js').PromptGeneration}
 */
export function usePromptGeneration({
  client,
  session: shared,
  apiBaseUrl,
  authToken,
  storage,
  storageKey,
  ...listeners
}) {
  // A token that is renewed, or a callback written in place, must not begin a new session.
  const latest = useRef({ authToken, listeners });
  useEffect(() => {
    latest.current = { authToken, listeners };
  });
  const token = useCallback(() => {
    const given = latest.current.authToken;
    return typeof given === 'function' ? given() : (given ?? '');
  }, []);
  const kept = useStorage(storage);
  const session = useMemo(
    () =>
      shared ??
      new GenerationSession(client ?? new GenerationClient(/** @type {string} */ (apiBaseUrl), token), {
        storage: kept,
        storageKey,
      }),
    [shared, client, apiBaseUrl, token, kept, storageKey],
  );

  const state = useSyncExternalStore(session.subscribe, session.getState, session.getState);

  useEffect(() => {
    let before = session.getState();
    const unsubscribe = session.subscribe(() => {
      const now = session.getState();
      const { onComplete, onError, onProgress, onText } = latest.current.listeners;
      const { result, error, text, progress, taskId } = now;
      const was = before;
      before = now;
      if (taskId && (progress !== was.progress || now.stage !== was.stage)) {
        onProgress?.(now);
      }
      if (text && text !== was.text) {
        onText?.(text);
      }
      if (result && result !== was.result) {
        onComplete?.(result);
      }
      if (error && error !== was.error) {
        onError?.(error);
      }
    });
    session.connect();
    return () => {
      unsubscribe();
      if (!shared) {
        session.disconnect(); // a shared one is its owner's to end
      }
    };
  }, [session, shared]);

  useEffect(() => {
    const { error, taskId } = session.getState();
    if (typeof authToken === 'string' && error?.name === 'Unauthorized') {
      taskId || error.idempotencyKey ? session.retry() : session.reset(); // a new token: the message goes with its cause
    }
  }, [session, authToken]);

  return useMemo(
    () => ({
      ...state,
      client: session.client,
      isRunning: state.phase === 'running',
      /** @param {string} manualPrompt @param {import('prompt-generation-client').SessionGenerateOptions} [options] */
      generate: (manualPrompt, options) => session.generate(manualPrompt, options),
      /** @param {string} taskId @param {string} [manualPrompt] */
      open: (taskId, manualPrompt) => session.open(taskId, manualPrompt),
      cancel: () => session.cancel(),
      stop: () => session.stop(),
      /** @param {unknown} [edited] may be a click's event, where this is its handler */
      retry: (edited) => session.retry(typeof edited === 'string' ? edited : undefined),
      reset: () => session.reset(),
    }),
    [session, state],
  );
}
