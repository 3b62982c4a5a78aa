/** The page's words, in the language that is shown. */

import { en } from './words/en.js';

export const words = en;

/** Put values where a sentence has their names in braces. @param {string} sentence @param {Record<string, string | number>} values */
export function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}
