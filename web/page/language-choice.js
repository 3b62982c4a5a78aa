/** Where the language is chosen. A reload brings the page in it; draft, result and what runs are there again. */

import { element } from './elements.js';
import { language } from './words.js';

const select = element('language', HTMLSelectElement);

export function offerLanguages() {
  select.value = language;
  select.addEventListener('change', () => {
    try {
      localStorage.setItem('prompt-generation:language', select.value);
    } catch {
      select.value = language; // without storage it is the browser's
      return;
    }
    location.reload();
  });
}
