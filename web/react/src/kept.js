'use client';

/** State that a reload finds again: JSON in a storage, read after the first render, so that a server renders the same. */

import { useCallback, useEffect, useLayoutEffect, useState } from 'react';

/** As useLayoutEffect, which React 18 warns of on a server. */
export const useBeforePaint = globalThis.document ? useLayoutEffect : useEffect;

/** The tab's storage; none on a server, or where storage is forbidden. */
function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/**
 * The first one counts: it may be written in place, and so be another one at each render.
 *
 * @param {import('prompt-generation-client').SessionStorage | null} [given] the tab's when there is none
 */
export function useStorage(given) {
  return useState(() => (given === undefined ? tabStorage() : given))[0];
}

/**
 * @template T
 * @param {import('prompt-generation-client').SessionStorage | null} storage
 * @param {string} key
 * @returns {[T | null, (next: T) => void, () => T | null]} the value, what changes it, and what reads it before the first effect
 */
export function useKept(storage, key) {
  const [value, setValue] = useState(/** @type {T | null} */ (null));
  const read = useCallback(() => {
    try {
      return JSON.parse(storage?.getItem(key) ?? 'null');
    } catch {
      return null; // what cannot be read is forgotten
    }
  }, [storage, key]);
  useEffect(() => setValue((now) => read() ?? now), [read]);
  const keep = useCallback(
    (/** @type {T} */ next) => {
      setValue(next);
      try {
        storage?.setItem(key, JSON.stringify(next));
      } catch {
        // A full or forbidden storage costs only what a reload would find.
      }
    },
    [storage, key],
  );
  return [value, keep, read];
}
