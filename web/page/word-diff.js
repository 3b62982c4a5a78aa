/**
 * What changed between two texts, word by word: Myers' O(ND) algorithm over words, bounded.
 *
 * Knows nothing of pages. Source: Eugene W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.
 */

/** More changes than this are no comparison any more, and their trace would fill the memory. */
const MOST_CHANGES = 2_000;

/** @typedef {{kind: 'same' | 'removed' | 'added', text: string}} Piece */

/**
 * Cut a text into words, and what stands between them; the pieces joined are the text.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function wordsOf(text) {
  if (typeof Intl.Segmenter === 'function') {
    const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' }); // knows Chinese, Japanese and Thai words too
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
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    start += 1;
  }
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) {
    end += 1;
  }
  const middle = changes(a.slice(start, a.length - end), b.slice(start, b.length - end));
  if (!middle) {
    return null;
  }
  const edges = /** @param {string[]} words @returns {Piece[]} */ (words) => words.map((text) => ({ kind: 'same', text }));
  return joined([...edges(a.slice(0, start)), ...middle, ...edges(a.slice(a.length - end))]);
}

/**
 * @param {string[]} a
 * @param {string[]} b
 * @returns {Piece[] | null}
 */
function changes(a, b) {
  const most = Math.min(a.length + b.length, MOST_CHANGES);
  const furthest = new Int32Array(2 * most + 3); // by diagonal k = x - y: the furthest x reached
  const trace = [];
  for (let d = 0; d <= most; d += 1) {
    trace.push(furthest.slice(most - d, most + d + 3)); // diagonals -d-1 … d+1, as they were before this round
    for (let k = -d; k <= d; k += 2) {
      const at = most + 1 + k;
      const down = k === -d || (k !== d && furthest[at - 1] < furthest[at + 1]);
      let x = down ? furthest[at + 1] : furthest[at - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) {
        x += 1;
      }
      furthest[at] = x;
      if (x >= a.length && x - k >= b.length) {
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
      pieces.push({ kind: 'same', text: a[x] });
    }
    if (d > 0) {
      pieces.push(down ? { kind: 'added', text: b[fromY] } : { kind: 'removed', text: a[fromX] });
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
      last.text += piece.text;
    } else {
      result.push({ ...piece });
    }
  }
  return result;
}
