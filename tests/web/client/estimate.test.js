/** Where the bar stands, also on a device whose clock is wrong. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Estimate } from '../../../web/client/src/estimate.js';

const at = (ms) => new Date(ms).toISOString();

/** A task of eight seconds, watched by a device whose clock is wrong by so many hours. */
function watched(t, wrongByHours, fromTheBeginning = true) {
  let time = 0;
  t.mock.method(performance, 'now', () => time);
  t.mock.method(Date, 'now', () => 1e12 + time + wrongByHours * 3_600_000);
  const estimate = new Estimate();
  const document = (progress, status = 'processing') =>
    estimate.accept({
      status,
      progress,
      created_at: at(1e12),
      expected_at: progress >= 50 && progress < 100 ? at(1e12 + 8_000) : undefined,
    });
  if (fromTheBeginning) {
    document(0, 'queued');
  }
  time = 1_000;
  document(70);
  const seen = [];
  for (; time < 20_000; time += 250) {
    seen.push(estimate.value());
  }
  return { seen, document, estimate };
}

for (const hours of [0, 1, -1]) {
  test(`it moves evenly to the expected end and slowly beyond, with a clock that is wrong by ${hours} h`, (t) => {
    const { seen, document, estimate } = watched(t, hours);
    assert.equal(seen[0], 70);
    assert.deepEqual(
      seen,
      [...seen].sort((one, other) => one - other),
    );
    const expected = seen[28]; // 8 s after the creation
    assert.ok(expected > 95 && expected < 97, String(expected));
    assert.ok(Math.abs(seen[14] - (70 + expected) / 2) < 0.5);
    assert.ok(seen.at(-1) > expected && seen.at(-1) < 99);
    document(90);
    assert.ok(estimate.value() >= seen.at(-1), 'never back');
    document(100, 'completed');
    assert.equal(estimate.value(), 100);
  });
}

test('met in its middle, on a device whose clock is wrong, it stays below the end', (t) => {
  for (const hours of [1, -1]) {
    const { seen } = watched(t, hours, false);
    assert.ok(seen.every((value) => value >= 70 && value < 99));
    assert.ok(seen[2] < 75, `half a second after it was met: ${seen[2]}`);
    t.mock.restoreAll();
  }
});
