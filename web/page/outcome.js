/** The panel that shows a generation: waiting, running, done, failed. Owns its look in each state and none of the logic. */

import { adviceFor, FALLBACK_ADVICE, INCOMPLETE_ADVICE } from './advice.js';
import { copyText } from '../client/src/clipboard.js';
import { generatedColumn, showComparison } from './comparison.js';
import { FactCheck, marked } from './fact-check.js';
import { element, make } from './elements.js';
import { recall, remember } from './tab-memory.js';
import { filled, warningOf, words } from './words.js';

/** @typedef {import('../client/src/index.js').SessionState} SessionState */
/** @typedef {import('./advice.js').Action} Action */
/** @typedef {import('./versions.js').Version} Version */

const parts = {
  root: element('outcome', HTMLElement),
  title: element('outcome-title', HTMLHeadingElement),
  tools: element('result-tools', HTMLDivElement),
  against: element('against', HTMLSelectElement),
  edit: element('edit', HTMLButtonElement),
  copy: element('copy', HTMLButtonElement),
  cancel: element('cancel', HTMLButtonElement),
  announcement: element('announcement', HTMLParagraphElement),
  empty: element('empty', HTMLDivElement),
  running: element('running', HTMLDivElement),
  message: element('progress-message', HTMLSpanElement),
  percent: element('percent', HTMLElement),
  elapsed: element('elapsed', HTMLSpanElement),
  progress: element('progress', HTMLDivElement),
  connection: element('connection', HTMLParagraphElement),
  waiting: element('waiting', HTMLParagraphElement),
  nextTry: element('next-try', HTMLSpanElement),
  stop: element('stop', HTMLButtonElement),
  notice: element('notice', HTMLDivElement),
  noticeTitle: element('notice-title', HTMLHeadingElement),
  noticeText: element('notice-text', HTMLParagraphElement),
  noticeHint: element('notice-hint', HTMLParagraphElement),
  noticeDetails: element('notice-details', HTMLDetailsElement),
  noticeFacts: element('notice-facts', HTMLParagraphElement),
  noticeActions: element('notice-actions', HTMLDivElement),
  skeleton: element('skeleton', HTMLDivElement),
  text: element('text', HTMLDivElement),
  editor: element('editor', HTMLTextAreaElement),
  comparison: element('comparison', HTMLDivElement),
  facts: element('facts', HTMLParagraphElement),
};

const CONNECTIONS = {
  live: '',
  polling: '',
  retrying: words.retrying,
  busy: words.busy,
  offline: words.offline,
  unsent: words.unsent,
  background: '',
  connecting: '',
};

const BUTTONS = {
  retry: words.tryAgain,
  watch: words.keepWaiting,
  again: words.tryAgain,
  key: words.changeApiKey,
  refresh: words.refreshBalance,
  edit: words.editPrompt,
};

const FIDELITY = {
  kept: words.factsKept,
  repaired: words.factsRepaired,
  incomplete: words.factsIncomplete,
};

const COPIED_FOR_MS = 2_000;
const ALMOST_AT_THE_END_PX = 8;
const KEPT_FOR_MS = 600_000; // no generation runs as long as the server keeps its result

export class Outcome {
  #onAction;
  #versions;
  #factCheck;
  #startedAt = 0;
  #nextTryAt = 0;
  #readerScrolled = false;
  #edits = false;
  /** @type {unknown[]} what the notice was made from */
  #noticed = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;
  /** @type {SessionState | undefined} */
  #state;
  /** @type {Version | undefined} the version that is shown, if one is */
  #version;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #copied;

  /**
   * @param {import('./versions.js').Versions} versions
   * @param {{onAction: (action: Action) => void, onCancel: () => void, onStop: () => void, onCorrect: (feedback: string) => void}} buttons
   */
  constructor(versions, { onAction, onCancel, onStop, onCorrect }) {
    this.#versions = versions;
    this.#onAction = onAction;
    this.#factCheck = new FactCheck({ onAdd: (text) => this.#rewrite(text), onCorrect });
    parts.edit.addEventListener('click', () => this.#editing(!this.#edits));
    parts.editor.addEventListener('input', () => versions.edit(parts.editor.value));
    parts.against.addEventListener('change', () => this.#showResult());
    parts.cancel.addEventListener('click', onCancel);
    parts.stop.addEventListener('click', onStop);
    parts.copy.addEventListener('click', () => void this.#copy());
    parts.tools.addEventListener('change', () => this.#showResult());
    for (const moved of ['wheel', 'touchmove']) {
      addEventListener(moved, () => (this.#readerScrolled = true), { passive: true });
    }
  }

  /** @param {SessionState} state @param {Version} [version] what is shown of a result, also when a change of it has failed */
  show(state, version) {
    const before = this.#state;
    if (version?.taskId !== this.#version?.taskId || state.phase === 'running') {
      this.#edits = false;
      parts.edit.textContent = words.edit;
      this.#offerComparisons(version);
    }
    this.#state = state;
    this.#version = version;
    if (before?.phase !== state.phase) {
      this.#enter(state, before);
    }
    if (state.trouble !== before?.trouble) {
      this.#nextTryAt = performance.now() + (state.trouble?.retryInMs ?? 0);
      parts.waiting.hidden = !state.trouble;
      this.#showNextTry();
    }
    parts.root.dataset.phase = state.phase;
    const running = state.phase === 'running';
    parts.empty.hidden = state.phase !== 'idle';
    parts.running.hidden = !running;
    parts.cancel.hidden = !running;
    parts.tools.hidden = !version;
    parts.skeleton.hidden = !running || state.text !== '';
    if (running) {
      this.#showProgress(state);
    }
    this.#showNotice(state);
    this.#showResult();
  }

  /** Make a change that may take away what has the focus, which would fall to the body. @param {() => void} change */
  keepFocus(change) {
    const focused = parts.root.contains(document.activeElement) && document.activeElement;
    change();
    if (focused && focused.getClientRects().length === 0) {
      parts.title.focus({ preventScroll: true });
    }
  }

  /** Whether what a message offers has the focus: it goes with the message. */
  get hasFocusOnNotice() {
    return parts.notice.contains(document.activeElement);
  }

  /** @param {SessionState} state @param {SessionState} [before] */
  #enter(state, before) {
    clearInterval(this.#clock);
    if (state.phase === 'running') {
      this.#startedAt = performance.now() - elapsedOf(state);
      this.#readerScrolled = false;
      this.#clock = setInterval(() => {
        this.#showElapsed();
        this.#showNextTry();
      }, 1_000);
      this.#showElapsed();
      scrollIntoSight(parts.root);
    }
    if (state.phase === 'completed' && before?.phase === 'running') {
      parts.text.textContent = state.text;
      if (isFollowed(parts.text)) {
        parts.text.scrollTop = 0; // to be read from its first line; a reader who has scrolled back stays there
      }
      parts.announcement.textContent = state.result?.generatedByAI ? words.doneAnnounced : words.doneWithoutAI;
    }
  }

  /** @param {SessionState} state */
  #showProgress({ progress, estimate, stage, message, connection, cancelling }) {
    const percent = Math.floor(estimate);
    const doing = cancelling ? words.cancelling : (words.stages[stage ?? ''] ?? message) || words.sending;
    const shown = filled(words.percent, { number: percent });
    if (parts.message.textContent !== doing) {
      parts.message.textContent = doing;
      parts.announcement.textContent = doing;
    }
    parts.cancel.setAttribute('aria-disabled', String(cancelling)); // not disabled: that would take the focus away
    parts.percent.textContent = shown;
    parts.progress.dataset.progress = String(progress);
    parts.progress.setAttribute('aria-valuenow', String(percent));
    parts.progress.setAttribute('aria-valuetext', `${shown}, ${doing}`);
    parts.progress.style.setProperty('--progress', String(estimate / 100));
    // Nobody waits any more for the result that those words promise.
    const trouble = cancelling && connection === 'offline' ? '' : CONNECTIONS[connection ?? 'connecting'];
    if (parts.connection.textContent !== trouble) {
      parts.connection.textContent = trouble;
      parts.announcement.textContent = trouble || doing;
    }
    parts.connection.hidden = trouble === '';
    parts.running.dataset.connection = connection ?? '';
  }

  #showElapsed() {
    const seconds = Math.floor((performance.now() - this.#startedAt) / 1_000);
    parts.elapsed.textContent = seconds > 0 ? filled(words.seconds, { number: seconds }) : '';
  }

  /** Nothing while the server is being asked. */
  #showNextTry() {
    const seconds = Math.round((this.#nextTryAt - performance.now()) / 1_000);
    parts.nextTry.textContent = seconds > 0 ? filled(words.nextTry, { number: seconds }) : '';
  }

  /** @param {SessionState} state */
  #showNotice({ error, phase, manualPrompt, canRetry }) {
    const result = this.#version?.result;
    const fallback = phase === 'completed' && result && !result.generatedByAI ? result : null;
    const incomplete = phase === 'completed' && result?.fidelity === 'incomplete' ? result : null;
    this.#factCheck.show(incomplete && !error ? this.#version : undefined);
    const shown = error ?? fallback ?? incomplete;
    if (!shown) {
      parts.notice.hidden = true;
      return;
    }
    const facts = [shown, phase, manualPrompt !== '', canRetry];
    if (!parts.notice.hidden && facts.every((fact, index) => fact === this.#noticed[index])) {
      return; // a screen reader would say it anew
    }
    this.#noticed = facts;
    const help = error && adviceFor(error);
    const advice = help ?? (incomplete ? INCOMPLETE_ADVICE : FALLBACK_ADVICE);
    parts.notice.className = `notice ${advice.tone}`;
    parts.notice.setAttribute('role', error ? 'alert' : 'note');
    parts.noticeTitle.textContent = help ? help.title : incomplete ? words.pleaseCheck : words.withoutAI;
    const said = help ? [help.message] : incomplete ? checkOf(incomplete) : fallback ? [warningOf(fallback)] : [];
    parts.noticeText.replaceChildren(...said);
    parts.noticeHint.textContent = advice.hint;
    parts.noticeFacts.replaceChildren(...(advice.details ?? []));
    parts.noticeDetails.hidden = !advice.details?.length;
    /** @type {Partial<Record<Action, boolean>>} what is opened from the list may come without its prompt */
    const possible = { again: manualPrompt !== '', retry: canRetry, watch: canRetry };
    const actions =
      phase === 'running' ? [] : advice.actions.map((action) => (possible[action] === false ? 'edit' : action));
    parts.noticeActions.replaceChildren(
      ...actions.map((action) =>
        make('button', { type: 'button', className: 'button', onclick: () => this.#onAction(action) }, BUTTONS[action]),
      ),
    );
    parts.notice.hidden = false;
  }

  #showResult() {
    const state = /** @type {SessionState} */ (this.#state);
    const version = this.#version;
    const other = this.#versions.find(parts.against.value);
    const before = other?.text ?? version?.draft ?? '';
    const comparable = parts.against.childElementCount > 0;
    const chosen = parts.tools.querySelector('input:checked')?.getAttribute('value');
    const compares = Boolean(version) && comparable && chosen === 'compare';
    const text = version?.text ?? state.text;
    parts.tools.querySelector('fieldset')?.toggleAttribute('hidden', !comparable);
    parts.against.hidden = !compares || parts.against.childElementCount < 2;
    parts.edit.hidden = compares;
    parts.text.hidden = text === '' || compares || this.#edits || (state.phase === 'failed' && !version);
    parts.editor.hidden = !this.#edits || compares || !version;
    parts.comparison.hidden = !compares;
    if (compares) {
      showComparison(before, text, parts.against.selectedOptions[0]?.textContent ?? '');
    } else if (version) {
      showMarked(version);
    } else if (parts.text.textContent !== state.text) {
      grow(parts.text, state.text);
      if (state.phase === 'running' && !this.#readerScrolled) {
        parts.text.scrollIntoView({ block: 'nearest' }); // on a phone its last line would grow out of sight
      }
    }
    parts.facts.hidden = !version;
    parts.facts.replaceChildren(...(version ? factsOf(version.result) : []));
  }

  /** @param {boolean} on */
  #editing(on) {
    this.#edits = on;
    parts.edit.textContent = on ? words.editDone : words.edit;
    if (!this.#state) {
      return;
    }
    if (on) {
      parts.editor.value = this.#version?.text ?? '';
    }
    this.#version = this.#version && this.#versions.find(this.#version.taskId);
    this.#showNotice(this.#state);
    this.#showResult();
    if (on) {
      parts.editor.focus();
    }
  }

  /** @param {string} text of the version that is shown */
  #rewrite(text) {
    this.#versions.edit(text);
    this.#editing(false);
    parts.title.focus({ preventScroll: true }); // the button that was pressed has gone
    parts.announcement.textContent = words.added;
    parts.text.scrollTop = parts.text.scrollHeight;
  }

  /** What the shown version can be compared with: what it was made from comes first. @param {Version} [version] */
  #offerComparisons(version) {
    const others = this.#versions.list.filter((other) => other !== version && other.taskId !== version?.taskId);
    const options = others.map(
      (other) => new Option(filled(words.version, { number: this.#versions.list.indexOf(other) + 1 }), other.taskId),
    );
    const draft = version?.draft ? [new Option(words.yourDraft, '')] : [];
    parts.against.replaceChildren(...draft, ...options);
    parts.against.value =
      version?.base && others.some(({ taskId }) => taskId === version.base)
        ? version.base
        : (parts.against.options[0]?.value ?? '');
  }

  async #copy() {
    if (this.#edits) {
      this.#editing(false);
    }
    const visible = parts.comparison.hidden ? parts.text : generatedColumn();
    const copied = await copyText(this.#version?.text ?? '', visible);
    parts.copy.textContent = copied ? words.copied : words.selected;
    parts.announcement.textContent = copied ? words.copiedLong : words.selectedLong;
    clearTimeout(this.#copied);
    this.#copied = setTimeout(() => (parts.copy.textContent = words.copy), COPIED_FOR_MS);
  }
}

/** The text of a result, with what the AI has made up marked in it. @param {Version} version */
function showMarked({ text, result }) {
  const marks = result.fidelity === 'incomplete' ? result.inventedFacts : [];
  if (parts.text.textContent !== text || parts.text.querySelectorAll('mark').length === 0) {
    const position = parts.text.scrollTop;
    parts.text.replaceChildren(...marked(text, marks, 'invented'));
    parts.text.scrollTop = position;
  }
}

/** @param {HTMLElement} shown */
function isFollowed(shown) {
  return shown.scrollTop + shown.clientHeight >= shown.scrollHeight - ALMOST_AT_THE_END_PX;
}

/** How long the generation has been running, in milliseconds, also after a reload. @param {SessionState} state */
function elapsedOf({ taskId }) {
  const now = Date.now();
  const startedAt = (taskId && Number(recall('started'))) || now;
  const elapsed = now - startedAt;
  const isPossible = elapsed >= 0 && elapsed < KEPT_FOR_MS; // somebody may have set the clock meanwhile
  remember('started', String(isPossible ? startedAt : now));
  return isPossible ? elapsed : 0;
}

/** On a phone the panel is below the fold when the button above it is pressed. @param {HTMLElement} panel */
function scrollIntoSight(panel) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  panel.scrollIntoView({ block: 'nearest', behavior: calm ? 'auto' : 'smooth' });
}

/** Append what is new, so that a selection in the text survives. @param {HTMLElement} shown @param {string} text */
function grow(shown, text) {
  const last = shown.lastChild;
  const before = shown.textContent ?? '';
  const followed = isFollowed(shown);
  if (last instanceof Text && before !== '' && text.startsWith(before)) {
    last.appendData(text.slice(before.length));
    if (followed) {
      shown.scrollTop = shown.scrollHeight; // a reader who has scrolled back stays there
    }
  } else {
    shown.textContent = text;
  }
}

/** @param {import('../client/src/index.js').Result} result */
function factsOf({ model, tokensUsed, createdAt, completedAt, fidelity }) {
  const seconds = completedAt ? Math.round((Date.parse(completedAt) - Date.parse(createdAt)) / 1_000) : 0;
  const facts = [
    tokensUsed ? filled(words.usedTokens, { number: tokensUsed }) : words.nothingCharged,
    seconds ? filled(words.seconds, { number: seconds }) : '',
    fidelity ? FIDELITY[fidelity] : '',
  ];
  const said = facts.filter(Boolean).join(' · ');
  return [make('span', {}, ...(model ? [make('span', { translate: false, dir: 'ltr' }, model), ' · '] : []), said)];
}

/** What is missing and what is invented, one list each. @param {import('../client/src/index.js').Result} result */
function checkOf(result) {
  const { missingFacts, inventedFacts } = result;
  return [
    warningOf(result),
    ...naming(words.missingFacts, missingFacts),
    ...naming(words.inventedFacts, inventedFacts),
  ];
}

/** A sentence that names facts, each read in its own direction. @param {string} sentence @param {readonly string[]} facts */
function naming(sentence, facts) {
  const [before, after] = sentence.split('{facts}');
  const named = facts.flatMap((fact, index) => [index > 0 ? ' · ' : '', make('bdi', {}, fact)]);
  const last = named.pop() ?? '';
  // A full stop may not stand alone in the next line.
  const end = make('span', { className: 'unbroken' }, last, after.slice(0, 1));
  return facts.length > 0 ? [' ', before, ...named, end, after.slice(1)] : [];
}
