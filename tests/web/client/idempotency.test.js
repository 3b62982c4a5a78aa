/** Keys of submits, also where there is no crypto: pages over plain HTTP, React Native. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { newIdempotencyKey } from '../../../web/client/src/idempotency.js';

test('no two submits have the same key, and each can be sent, with crypto and without', (t) => {
  const made = () => Array.from({ length: 1_000 }, newIdempotencyKey);
  const keys = made();
  t.mock.getter(globalThis, 'crypto', () => undefined);
  keys.push(...made());
  assert.equal(new Set(keys).size, 2_000);
  for (const key of keys) {
    assert.match(key, /^[\x21-\x7e]{16,255}$/);
  }
});
