'use client';

/** State that a reload finds again: JSON in a storage, read after the first render, so that a server renders the same. */

import { useCallback, useEffect, useState } from 'react';

/** The tab's storage; none on a server, or where storage is forbidden. */
export function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/**
 * @template T
 * @param {import('prompt-generation-client').SessionStorage | null} storage
 * @param {string} key
 * @param {T} initial
 * @returns {[T, (next: T) => void]}
 */
export function useKept(storage, key, initial) {
  const [value, setValue] = useState(initial);
  useEffect(() => {
    try {
      const found = JSON.parse(storage?.getItem(key) ?? 'null');
      if (found !== null) {
        setValue(found);
      }
    } catch {
      // What cannot be read is forgotten.
    }
  }, [storage, key]);
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
  return [value, keep];
}
