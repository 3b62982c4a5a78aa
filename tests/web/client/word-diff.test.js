import assert from 'node:assert/strict';
import test from 'node:test';
import { wordDiff, wordsOf } from '../../../web/page/word-diff.js';

const side = (pieces, which) => pieces.map((piece) => piece[which]).join('');

const trimmed = (text) => wordsOf(text).map((word) => word.trimEnd());

/** The fewest words that can be removed and added, by the plain table. */
function fewest(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, word] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) {
      next.push(word === other ? row[j] : 1 + Math.min(row[j + 1], next[j]));
    }
    row = next;
  }
  return row.at(-1);
}

test('words are added and removed where they are', () => {
  assert.deepEqual(wordDiff('the cat sat', 'the big cat'), [
    { kind: 'same', before: 'the ', after: 'the ' },
    { kind: 'added', before: '', after: 'big ' },
    { kind: 'same', before: 'cat ', after: 'cat' },
    { kind: 'removed', before: 'sat', after: '' },
  ]);
});

test('white space is no change, and stays as it is on each side', () => {
  assert.deepEqual(wordDiff(' a\n\nb', ' a b'), [{ kind: 'same', before: ' a\n\nb', after: ' a b' }]);
});

test('equal and empty texts', () => {
  assert.deepEqual(wordDiff('same', 'same'), [{ kind: 'same', before: 'same', after: 'same' }]);
  assert.deepEqual(wordDiff('', ''), []);
  assert.deepEqual(wordDiff('', 'new'), [{ kind: 'added', before: '', after: 'new' }]);
  assert.deepEqual(wordDiff('old', ''), [{ kind: 'removed', before: 'old', after: '' }]);
});

test('both texts can be read from the difference, which is the shortest', () => {
  let seed = 42;
  const draw = (below) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  const text = () => Array.from({ length: draw(25) }, () => 'abcd'[draw(4)]).join(' ');
  for (let round = 0; round < 500; round += 1) {
    const [a, b] = [text(), text()];
    const pieces = wordDiff(a, b);
    assert.equal(side(pieces, 'before'), a);
    assert.equal(side(pieces, 'after'), b);
    const changed = pieces
      .filter(({ kind }) => kind !== 'same')
      .reduce((sum, piece) => sum + wordsOf(piece.before + piece.after).length, 0);
    assert.equal(changed, fewest(trimmed(a), trimmed(b)), `${a} | ${b}`);
  }
});

test('scripts without spaces are cut into words too', () => {
  const pieces = wordDiff('我们的面包店七点开门', '我们的面包店八点开门');
  assert.ok(pieces.some(({ kind, after }) => kind === 'same' && after.includes('面包店')));
});

test('long texts with few changes are compared, quite different ones are not', () => {
  const long = Array.from({ length: 9_000 }, (_, index) => `w${index}`);
  const changed = long.map((word, index) => (index % 30 ? word : 'new'));
  assert.ok(wordDiff(long.join(' '), changed.join(' ')));
  assert.equal(wordDiff(long.join(' '), long.map((word) => `${word}x`).join(' ')), null);
});
