/**
 * A key that no other submit has, even without crypto (pages over plain HTTP, React Native).
 */

export function newIdempotencyKey() {
  const { crypto } = globalThis;
  if (typeof crypto?.randomUUID === 'function') {
    return crypto.randomUUID();
  }
  const words = new Uint32Array(4);
  if (typeof crypto?.getRandomValues === 'function') {
    crypto.getRandomValues(words);
  } else {
    // Unlike a secret, a key has to be unique only among one account's submits of a day.
    words.forEach((_, index) => (words[index] = Math.random() * 2 ** 32));
  }
  return `${Date.now().toString(36)}-${Array.from(words, (word) => word.toString(36)).join('-')}`;
}
