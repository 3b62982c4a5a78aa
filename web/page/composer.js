/** Where a prompt is written: the text, its examples, its count. Owns the input, refuses to know what becomes of it. */

import { element, grouped } from './elements.js';
import { recall, remember } from './tab-memory.js';
import { words } from './words.js';

const parts = {
  form: element('composer', HTMLFormElement),
  text: element('manual-prompt', HTMLTextAreaElement),
  error: element('prompt-error', HTMLParagraphElement),
  count: element('prompt-count', HTMLSpanElement),
  generate: element('generate', HTMLButtonElement),
  examples: element('examples', HTMLDivElement),
  business: element('business', HTMLSelectElement),
};

const MAX_CHARACTERS = 20_000; // unless config.yaml says otherwise: the server decides

const EXAMPLES = [
  words.exampleBakeryText,
  words.exampleShopText,
  'أجب عن أسئلة مرضى عيادة الأسنان. نعمل من الأحد إلى الخميس من 9 إلى 17. للحجز: 030 1234567.',
];

export class Composer {
  #locked = false;
  #edited = false;

  /**
   * @param {(manualPrompt: string) => void} onGenerate
   * @param {() => void} onEdit
   */
  constructor(onGenerate, onEdit) {
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#locked) {
        this.#submit(onGenerate);
      }
    });
    parts.text.addEventListener('input', () => {
      this.#edited = true;
      this.#changed();
      onEdit();
    });
    parts.text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        parts.form.requestSubmit();
      }
    });
    [...parts.examples.querySelectorAll('button')].forEach((button, index) => {
      button.addEventListener('click', () => this.#locked || this.#insert(EXAMPLES[index]));
    });
    parts.text.value ||= recall('draft'); // what was typed before this script came stays
    this.#changed();
    parts.business.addEventListener('change', () => remember('business', parts.business.value));
  }

  /** The kind of business that was chosen instead of the account's, '' for none. */
  get businessType() {
    return parts.business.value;
  }

  /** @param {readonly string[]} names */
  offerBusinesses(names) {
    const chosen = recall('business');
    if (parts.business.childElementCount !== names.length + 1) {
      const options = names.map((name) => new Option(words.businesses[name] ?? name, name));
      parts.business.replaceChildren(new Option(words.businessAsInAccount, ''), ...options);
    }
    parts.business.value = names.includes(chosen) ? chosen : '';
  }

  /** What was written since the last generation began; undefined when nothing was. */
  get edited() {
    return this.#edited ? parts.text.value : undefined;
  }

  /** Show the prompt of a generation that was taken up; a draft stays. @param {string} text */
  write(text) {
    if (text && parts.text.value.trim() === '') {
      parts.text.value = text;
      this.#changed();
    }
  }

  /** As if it had been typed: the browser's undo brings back what was there. @param {string} text */
  #insert(text) {
    parts.text.focus();
    parts.text.select();
    if (!document.execCommand('insertText', false, text)) {
      parts.text.value = text;
      parts.text.dispatchEvent(new Event('input'));
    }
  }

  /** @param {string} problem shown beside the text, '' for none */
  complain(problem) {
    parts.error.textContent = problem;
    parts.text.setAttribute('aria-invalid', String(problem !== ''));
    if (problem) {
      parts.text.focus();
    }
  }

  focus() {
    parts.text.focus();
  }

  /** Not with `disabled`, which would take the focus away. @param {boolean} busy */
  lock(busy) {
    this.#edited &&= !busy || this.#locked;
    this.#locked = busy;
    parts.text.readOnly = busy;
    parts.generate.textContent = busy ? words.generating : words.generate;
    for (const button of parts.form.querySelectorAll('button')) {
      button.setAttribute('aria-disabled', String(busy));
    }
  }

  /** @param {(manualPrompt: string) => void} onGenerate */
  #submit(onGenerate) {
    if (parts.text.value.trim() === '') {
      this.complain(words.writeFirst);
    } else {
      onGenerate(parts.text.value);
    }
  }

  #changed() {
    const { length } = [...parts.text.value];
    parts.count.textContent = `${grouped(length)} / ${grouped(MAX_CHARACTERS)}`;
    remember('draft', parts.text.value);
    this.complain('');
  }
}
