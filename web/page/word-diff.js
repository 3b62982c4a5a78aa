/**
 * What changed between two texts, word by word: Myers' O(ND) algorithm over words, bounded.
 *
 * Knows nothing of pages. Source: Eugene W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.
 */

/** More changes than this are no comparison any more, and their trace would fill the memory. */
const MAX_CHANGES = 1_500;

/** Scripts that put no spaces between words. */
const WITHOUT_SPACES = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/**
 * A run of words. A piece that is the same in both texts may differ in the white space between its words, so it has both.
 *
 * @typedef {{kind: 'same' | 'removed' | 'added', before: string, after: string}} Piece
 */

/**
 * Cut a text into words with the white space that follows them; joined they are the text again.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function wordsOf(text) {
  /** @type {string[]} */
  const words = [];
  for (const segment of segmentsOf(text)) {
    if (segment.trim() === '' && words.length > 0) {
      words[words.length - 1] += segment;
    } else {
      words.push(segment);
    }
  }
  return words;
}

/** @param {string} text @returns {string[]} */
function segmentsOf(text) {
  if (WITHOUT_SPACES.test(text) && typeof Intl.Segmenter === 'function') {
    const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' }); // has dictionaries, and takes its time
    return Array.from(segmenter.segment(text), ({ segment }) => segment);
  }
  return text.match(/[\p{L}\p{M}\p{N}_]+|\s+|[^\p{L}\p{M}\p{N}_\s]/gu) ?? [];
}

/**
 * @param {string} before
 * @param {string} after
 * @returns {Piece[] | null} in order, neighbours of one kind joined; null when too much has changed to be compared
 */
export function wordDiff(before, after) {
  const a = wordsOf(before);
  const b = wordsOf(after);
  const pieces = changes(a, b);
  return pieces && joined(pieces);
}

/**
 * @param {string[]} a
 * @param {string[]} b
 * @returns {Piece[] | null}
 */
function changes(a, b) {
  const bare = (/** @type {string[]} */ words) => words.map((word) => word.trimEnd()); // white space is no change
  const [from, to] = [bare(a), bare(b)];
  const most = Math.min(a.length + b.length, MAX_CHANGES);
  const furthest = new Int32Array(2 * most + 3); // by diagonal k = x - y: the furthest x reached
  const trace = [];
  for (let d = 0; d <= most; d += 1) {
    trace.push(furthest.slice(most - d, most + d + 3)); // diagonals -d-1 … d+1, as they were before this round
    for (let k = -d; k <= d; k += 2) {
      const at = most + 1 + k;
      const down = k === -d || (k !== d && furthest[at - 1] < furthest[at + 1]);
      let x = down ? furthest[at + 1] : furthest[at - 1] + 1;
      while (x < from.length && x - k < to.length && from[x] === to[x - k]) {
        x += 1;
      }
      furthest[at] = x;
      if (x >= from.length && x - k >= to.length) {
        return path(a, b, trace);
      }
    }
  }
  return null;
}

/**
 * Walk back from the end along the rounds.
 *
 * @param {string[]} a
 * @param {string[]} b
 * @param {Int32Array[]} trace
 * @returns {Piece[]}
 */
function path(a, b, trace) {
  /** @type {Piece[]} */
  const pieces = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const before = trace[d];
    const k = x - y;
    const at = d + 1 + k;
    const down = k === -d || (k !== d && before[at - 1] < before[at + 1]);
    const fromX = d === 0 ? 0 : before[down ? at + 1 : at - 1];
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      pieces.push({ kind: 'same', before: a[x], after: b[y] });
    }
    if (d > 0) {
      pieces.push(
        down ? { kind: 'added', before: '', after: b[fromY] } : { kind: 'removed', before: a[fromX], after: '' },
      );
      x = fromX;
      y = fromY;
    }
  }
  return pieces.reverse();
}

/** @param {Piece[]} pieces @returns {Piece[]} */
function joined(pieces) {
  /** @type {Piece[]} */
  const result = [];
  for (const piece of pieces) {
    const last = result[result.length - 1];
    if (last?.kind === piece.kind) {
      last.before += piece.before;
      last.after += piece.after;
    } else {
      result.push({ ...piece });
    }
  }
  return result;
}
