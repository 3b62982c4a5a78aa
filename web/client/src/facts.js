/** Finds the facts of a draft in a text, and adds those that a result lacks. */

/** The syntax of regular expressions, and white space, which may be another one. */
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/** A fact is no part of a longer number. @param {string} fact */
const pattern = (fact) => `(?<!\\p{N})${fact.replace(SYNTAX, '\\$&').replace(/\s+/g, '\\s+')}(?!\\p{N})`;

/** @param {string} text @param {string} fact */
const has = (text, fact) => new RegExp(pattern(fact), 'u').test(text);

/**
 * Cut a text where facts stand in it.
 *
 * @param {string} text
 * @param {readonly string[]} facts as the server names them
 * @returns {{text: string, fact: boolean}[]} joined they are the text again
 */
export function factsIn(text, facts) {
  const longestFirst = [...facts].sort((a, b) => b.length - a.length).map(pattern);
  const parts = facts.length > 0 ? text.split(new RegExp(`(${longestFirst.join('|')})`, 'u')) : [text];
  return parts.map((part, index) => ({ text: part, fact: index % 2 === 1 }));
}

/**
 * @param {string} text
 * @param {readonly string[]} facts
 * @returns {string[]} those that the text lacks
 */
export function factsNotIn(text, facts) {
  return facts.filter((fact) => !has(text, fact));
}

/**
 * @param {string} draft
 * @param {readonly string[]} facts
 * @returns {string[]} the draft's own sentences in which they stand, in its order
 */
export function sentencesWith(draft, facts) {
  const sentences = draft.split(/(?<=[.!?؟।])\s+|(?<=[。！？])|\n/u).map((sentence) => sentence.trim());
  return sentences.filter((sentence) => facts.some((fact) => has(sentence, fact)));
}

/**
 * @param {string} text
 * @param {string} draft
 * @param {readonly string[]} facts
 * @returns {string} the text with the facts that it lacks at its end, in the draft's words
 */
export function withFacts(text, draft, facts) {
  const missing = factsNotIn(text, facts);
  const sentences = sentencesWith(draft, missing);
  const rest = factsNotIn(sentences.join('\n'), missing); // facts that the draft writes in another way
  const lines = [...sentences, ...rest].map((line) => `\n- ${line}`).join('');
  return lines ? `${text.trimEnd()}\n${lines}` : text;
}
