/**
 * A key that no other submit has, even without crypto (pages over plain HTTP, React Native).
 */

export function newIdempotencyKey() {
  // Unlike a secret, a key has to be unique only among one account's submits of a day.
  return globalThis.crypto?.randomUUID?.() ?? [Date.now(), Math.random(), Math.random()].join('-');
}
