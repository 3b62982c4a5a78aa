/** Where an API key is pasted. Owns the form; whether the key is good is for the server to say. */

import { element } from './elements.js';
import { words } from './words.js';

const parts = {
  form: element('key-form', HTMLFormElement),
  input: element('api-key', HTMLInputElement),
  show: element('show-key', HTMLButtonElement),
  connect: element('connect', HTMLButtonElement),
  keep: element('keep-key', HTMLButtonElement),
  error: element('key-error', HTMLParagraphElement),
};

export class KeyPanel {
  #hasKey;

  /**
   * @param {(key: string) => Promise<string>} onKey resolves to what is wrong with it, '' when it is accepted
   * @param {() => boolean} hasKey whether there is one to go on with
   */
  constructor(onKey, hasKey) {
    this.#hasKey = hasKey;
    parts.keep.addEventListener('click', () => {
      this.close();
      document.getElementById('change-key')?.focus();
    });
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#try(onKey);
    });
    parts.show.addEventListener('click', () => this.#reveal(parts.input.type === 'password'));
  }

  /** @param {string} problem why it is asked for, '' for the first time */
  open(problem = '') {
    this.#reveal(false);
    document.documentElement.dataset.connected = 'no';
    parts.keep.hidden = !this.#hasKey();
    this.#complain(problem);
    parts.input.focus();
  }

  close() {
    document.documentElement.dataset.connected = 'yes';
    parts.input.value = '';
    this.#complain('');
  }

  /** @param {(key: string) => Promise<string>} onKey */
  async #try(onKey) {
    const key = parts.input.value.trim();
    if (parts.connect.getAttribute('aria-disabled') === 'true') {
      return;
    }
    if (key === '') {
      this.#complain(words.pasteKey);
      return;
    }
    parts.connect.setAttribute('aria-disabled', 'true'); // not disabled: that would take the focus away
    const problem = await onKey(key);
    parts.connect.setAttribute('aria-disabled', 'false');
    if (problem) {
      this.#complain(problem);
      parts.input.focus();
    } else {
      this.close();
    }
  }

  /** @param {string} problem */
  #complain(problem) {
    parts.error.textContent = problem;
    parts.input.setAttribute('aria-invalid', String(problem !== ''));
  }

  /** @param {boolean} visible */
  #reveal(visible) {
    parts.input.type = visible ? 'text' : 'password';
    parts.show.textContent = visible ? words.hide : words.show;
    parts.show.setAttribute('aria-pressed', String(visible));
  }
}
