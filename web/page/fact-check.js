/** Which facts a result lacks or has made up, marked where they stand. Owns their look, refuses to judge. */

import { factsIn, factsNotIn, sentencesWith, withFacts } from '../client/src/facts.js';
import { element, make } from './elements.js';
import { filled, words } from './words.js';

/** @typedef {import('./versions.js').Version} Version */

const parts = {
  root: element('fact-check', HTMLDivElement),
  draft: element('draft-facts', HTMLUListElement),
  add: element('add-facts', HTMLButtonElement),
  correct: element('correct-facts', HTMLButtonElement),
};

/**
 * @param {string} text
 * @param {readonly string[]} facts
 * @param {'missing' | 'invented'} kind
 * @returns {(Node | string)[]} the text with its facts marked
 */
export function marked(text, facts, kind) {
  return factsIn(text, facts).map((part) => (part.fact ? make('mark', { className: kind }, part.text) : part.text));
}

export class FactCheck {
  /** @type {Version | undefined} */
  #version;

  /** @param {{onAdd: (text: string) => void, onCorrect: (feedback: string) => void}} buttons */
  constructor({ onAdd, onCorrect }) {
    parts.add.addEventListener('click', () => this.#version && onAdd(withMissing(this.#version)));
    parts.correct.addEventListener('click', () => this.#version && onCorrect(correctionOf(this.#version.result)));
  }

  /** @param {Version | undefined} version none when there is nothing to check */
  show(version) {
    this.#version = version;
    parts.root.hidden = !version;
    if (version) {
      const { missingFacts } = version.result;
      const sentences = sentencesWith(version.asked, missingFacts);
      parts.draft.replaceChildren(
        ...sentences.map((sentence) => make('li', { dir: 'auto' }, ...marked(sentence, missingFacts, 'missing'))),
      );
      parts.add.hidden = factsNotIn(version.text, missingFacts).length === 0;
      parts.correct.hidden = false;
    }
  }
}

/** @param {Version} version */
function withMissing({ text, asked, result }) {
  return withFacts(text, asked, result.missingFacts);
}

/** What to ask the AI for, so that nothing is left to check. @param {import('../client/src/index.js').Result} result */
function correctionOf({ missingFacts, inventedFacts }) {
  const sentences = [
    missingFacts.length > 0 ? filled(words.correctMissing, { facts: missingFacts.join(', ') }) : '',
    inventedFacts.length > 0 ? filled(words.correctInvented, { facts: inventedFacts.join(', ') }) : '',
  ];
  return sentences.filter(Boolean).join(' ');
}
