/** What should change: feedback on the shown version, the versions of this tab, keep or take back. Owns its look and its input. */

import { element, grouped, make } from './elements.js';
import { recall, remember } from './tab-memory.js';
import { filled, words } from './words.js';

const parts = {
  root: element('refine', HTMLDivElement),
  form: element('refine-form', HTMLFormElement),
  feedback: element('feedback', HTMLTextAreaElement),
  chips: element('feedback-chips', HTMLDivElement),
  error: element('feedback-error', HTMLParagraphElement),
  versions: element('versions', HTMLDivElement),
  list: element('version-list', HTMLDivElement),
  decision: element('decision', HTMLDivElement),
  keep: element('keep', HTMLButtonElement),
  takeBack: element('take-back', HTMLButtonElement),
};

export class RefinePanel {
  #versions;
  #onChange;

  /**
   * @param {import('./versions.js').Versions} versions
   * @param {{onRefine: (feedback: string) => void, onChange: () => void}} buttons `onChange`: another version is shown
   */
  constructor(versions, { onRefine, onChange }) {
    this.#versions = versions;
    this.#onChange = onChange;
    parts.feedback.value = recall('feedback');
    parts.feedback.addEventListener('input', () => this.#changed());
    parts.feedback.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        parts.form.requestSubmit();
      }
    });
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit(onRefine);
    });
    for (const chip of parts.chips.querySelectorAll('button')) {
      chip.addEventListener('click', () => this.#add(chip.textContent ?? ''));
    }
    parts.keep.addEventListener('click', () => this.#decide(() => versions.keep()));
    parts.takeBack.addEventListener('click', () => this.#decide(() => versions.takeBack()));
  }

  /** @param {boolean} visible */
  show(visible) {
    const { list, current, undecided } = this.#versions;
    parts.root.hidden = !visible;
    parts.versions.hidden = list.length < 2;
    parts.decision.hidden = !undecided || current !== list.at(-1);
    if (parts.list.childElementCount !== list.length || !this.#isMarked()) {
      parts.list.replaceChildren(...list.map((version, index) => this.#choice(version, index)));
    }
  }

  /** The feedback has led to a result. */
  clear() {
    parts.feedback.value = '';
    this.#changed();
  }

  /** Whether the buttons show what is. */
  #isMarked() {
    const checked = parts.list.querySelector('input:checked');
    return checked?.getAttribute('value') === this.#versions.current?.taskId;
  }

  /** @param {import('./versions.js').Version} version @param {number} index */
  #choice(version, index) {
    const input = make('input', {
      type: 'radio',
      name: 'version',
      value: version.taskId,
      checked: version === this.#versions.current,
    });
    input.addEventListener('change', () => {
      this.#versions.choose(version.taskId);
      this.#onChange();
    });
    const label = make('label', { title: version.feedback }, input, make('span', {}, grouped(index + 1)));
    input.setAttribute('aria-label', filled(words.version, { number: index + 1 }));
    return label;
  }

  /** @param {() => void} decision its buttons go, and the focus with them unless it is taken along */
  #decide(decision) {
    decision();
    this.#onChange();
    parts.feedback.focus({ preventScroll: true });
  }

  /** @param {string} wish one more of them */
  #add(wish) {
    const before = parts.feedback.value.trim();
    parts.feedback.value = before ? `${before} ${wish}` : wish;
    parts.feedback.focus();
    this.#changed();
  }

  /** @param {(feedback: string) => void} onRefine */
  #submit(onRefine) {
    const feedback = parts.feedback.value.trim();
    if (feedback) {
      onRefine(feedback);
    } else {
      parts.error.textContent = words.sayWhatShouldChange;
      parts.feedback.focus();
    }
  }

  #changed() {
    parts.error.textContent = '';
    remember('feedback', parts.feedback.value);
  }
}
