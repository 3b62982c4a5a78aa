/** Manual and generated prompt side by side, with the changes marked. Owns the look of a difference, not its making. */

import { element, make } from './elements.js';
import { wordDiff, wordsOf } from './word-diff.js';
import { filled, words } from './words.js';

/** What is marked and counted has at least a letter or a digit. */
const WORD = /[\p{L}\p{N}]/u;

const root = element('comparison', HTMLDivElement);
let shown = '';

/**
 * @param {string} before the manual prompt
 * @param {string} after the generated one
 * @param {string} name what `before` is
 */
export function showComparison(before, after, name) {
  const pair = `${name}\0${before}\0${after}`;
  if (pair === shown) {
    return;
  }
  shown = pair;
  const pieces = wordDiff(before, after);
  root.replaceChildren(
    column(name, pieces ? marked(pieces, 'before') : [before]),
    column(words.generated, pieces ? marked(pieces, 'after') : [after]),
    make('p', { className: 'hint legend' }, ...legend(pieces)),
  );
}

/** Where the generated prompt stands. @returns {Node} */
export function generatedColumn() {
  return /** @type {Node} */ (root.querySelectorAll('.prompt-text')[1]);
}

/**
 * @param {import('./word-diff.js').Piece[]} pieces
 * @param {'before' | 'after'} side
 */
function marked(pieces, side) {
  const tag = side === 'before' ? 'del' : 'ins';
  return pieces.map((piece) => {
    const text = piece[side].trimEnd(); // the mark ends with the word, not with the line
    return !WORD.test(text) || piece.kind === 'same'
      ? piece[side]
      : make('span', {}, make(tag, {}, text), piece[side].slice(text.length));
  });
}

/** @param {string} title @param {(Node | string)[]} content */
function column(title, content) {
  const text = make(
    'div',
    { className: 'prompt-text', dir: 'auto', tabIndex: 0, role: 'group', ariaLabel: title },
    ...content,
  );
  return make('div', { className: 'comparison-column' }, make('h3', {}, title), text);
}

/** @param {number} number */
function counted(number) {
  return filled(number === 1 ? words.oneWord : words.manyWords, { number: number });
}

/** @param {import('./word-diff.js').Piece[] | null} pieces */
function legend(pieces) {
  if (!pieces) {
    return [words.tooDifferent];
  }
  /** @param {'before' | 'after'} side */
  const changed = (side) =>
    pieces
      .filter(({ kind }) => kind !== 'same')
      .flatMap((piece) => wordsOf(piece[side]).filter((word) => WORD.test(word))).length;
  return [
    make('del', {}, words.removed),
    ` ${counted(changed('before'))}  `,
    make('ins', {}, words.wasAdded),
    ` ${counted(changed('after'))}`,
  ];
}
