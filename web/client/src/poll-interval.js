/**
 * The pause between two polls: the setting or the server's Retry-After, and longer when a generation takes long.
 */

export const SHORTEST_MS = 500;
export const LONGEST_MS = 3_000;
const LONG_AFTER_MS = 20_000;
const GROWTH = 1.25;

/**
 * @param {number} intervalMs brought between 500 and 3,000
 * @returns {(retryAfterMs?: number) => number} the next wait, with what the last answer asked for
 */
export function pollIntervals(intervalMs) {
  let waitMs = Math.min(Math.max(intervalMs, SHORTEST_MS), LONGEST_MS);
  let spentMs = 0;
  return (retryAfterMs = 0) => {
    if (spentMs >= LONG_AFTER_MS) {
      waitMs = Math.min(waitMs * GROWTH, LONGEST_MS);
    }
    const nextMs = Math.max(waitMs, retryAfterMs);
    spentMs += nextMs;
    return nextMs;
  };
}
