/** The page's words, in the language that before-paint.js has chosen; and numbers and times as that language writes them. */

import { grouped } from './elements.js';
import { en } from './words/en.js';

const chosen = document.documentElement.lang;

/** @type {import('./words/en.js').Words} */
export const words =
  chosen === 'en' ? en : await import(`./words/${chosen}.js`).then((module) => module.words, inEnglish);

export const language = document.documentElement.lang;

/** The file of that language has not come. */
function inEnglish() {
  Object.assign(document.documentElement, { lang: 'en', dir: 'ltr' });
  return en;
}

/** Put values where a sentence has their names in braces; numbers in the language's digits. @param {string} sentence @param {Record<string, string | number>} values */
export function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name] ?? place;
    return typeof value === 'number' ? grouped(value) : value;
  });
}

/** @param {string} name @returns {string} */
const word = (name) => String(/** @type {Record<string, unknown>} */ (words)[name] ?? name);

/** English says what the server says; other languages have words of their own. @param {import('../client/src/index.js').Result} result */
export function warningOf({ warningCode = '', warning = '' }) {
  return words.warnings[warningCode] ?? words.warnings.otherwise ?? warning;
}

/** Say everything that index.html says: the text of [data-t], and attributes by their own markers. */
export function translatePage() {
  document.title = words.title;
  for (const [marker, attribute] of [
    ['t', ''],
    ['tLabel', 'aria-label'],
    ['tPlaceholder', 'placeholder'],
  ]) {
    const selector = `[data-${marker.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}]`;
    for (const found of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector))) {
      const said = word(found.dataset[marker] ?? '');
      if (attribute) {
        found.setAttribute(attribute, said);
      } else {
        found.textContent = said;
      }
    }
  }
  document.documentElement.dataset.said = language;
}
