/** The panel that shows a generation: waiting, running, done, failed. Owns its look in each state and none of the logic. */

import { adviceFor, FALLBACK_ADVICE, INCOMPLETE_ADVICE } from './advice.js';
import { copyText } from '../client/src/clipboard.js';
import { generatedColumn, showComparison } from './comparison.js';
import { element, grouped, make } from './elements.js';
import { recall, remember } from './tab-memory.js';

/** @typedef {import('../client/src/index.js').SessionState} SessionState */
/** @typedef {import('./advice.js').Action} Action */

const parts = {
  root: element('outcome', HTMLElement),
  title: element('outcome-title', HTMLHeadingElement),
  tools: element('result-tools', HTMLDivElement),
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
  notice: element('notice', HTMLDivElement),
  noticeTitle: element('notice-title', HTMLHeadingElement),
  noticeText: element('notice-text', HTMLParagraphElement),
  noticeHint: element('notice-hint', HTMLParagraphElement),
  noticeDetails: element('notice-details', HTMLDetailsElement),
  noticeFacts: element('notice-facts', HTMLParagraphElement),
  noticeActions: element('notice-actions', HTMLDivElement),
  skeleton: element('skeleton', HTMLDivElement),
  text: element('text', HTMLDivElement),
  comparison: element('comparison', HTMLDivElement),
  facts: element('facts', HTMLParagraphElement),
};

const CONNECTIONS = {
  live: '',
  polling: '',
  retrying: 'No answer from the server. Trying again…',
  offline: 'You are offline. The generation goes on, and its result appears when you are back.',
  background: 'Paused while nobody looks.',
};

const UNSENT = 'You are offline. Nothing has been sent yet; it is sent when you are back.';

const BUTTONS = {
  retry: 'Try again',
  again: 'Try again',
  key: 'Change API key',
  refresh: 'Refresh balance',
  edit: 'Edit prompt',
};

const FIDELITY = {
  kept: 'all your facts are in it',
  repaired: 'all your facts are in it, after a second look',
  incomplete: 'please check the facts',
};

const COPIED_FOR_MS = 2_000;
const ALMOST_AT_THE_END_PX = 8;

export class Outcome {
  #onAction;
  #startedAt = 0;
  #readerScrolled = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;
  /** @type {SessionState | undefined} */
  #state;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #copied;

  /** @param {{onAction: (action: Action) => void, onCancel: () => void}} buttons */
  constructor({ onAction, onCancel }) {
    this.#onAction = onAction;
    parts.cancel.addEventListener('click', onCancel);
    parts.copy.addEventListener('click', () => void this.#copy());
    parts.tools.addEventListener('change', () => this.#showResult());
    for (const moved of ['wheel', 'touchmove']) {
      addEventListener(moved, () => (this.#readerScrolled = true), { passive: true });
    }
  }

  /** @param {SessionState} state */
  show(state) {
    const before = this.#state;
    this.#state = state;
    if (before?.phase !== state.phase) {
      this.#enter(state, before);
    }
    parts.root.dataset.phase = state.phase;
    const running = state.phase === 'running';
    parts.empty.hidden = state.phase !== 'idle';
    parts.running.hidden = !running;
    parts.cancel.hidden = !running;
    parts.tools.hidden = state.phase !== 'completed';
    parts.skeleton.hidden = !running || state.text !== '';
    if (running) {
      this.#showProgress(state);
    }
    this.#showNotice(state);
    this.#showResult();
  }

  /** @param {SessionState} state @param {SessionState} [before] */
  #enter(state, before) {
    clearInterval(this.#clock);
    const focusWasOnCancel = document.activeElement === parts.cancel;
    const focusWasOnNotice = parts.noticeActions.contains(document.activeElement);
    if (state.phase === 'running') {
      this.#startedAt = startOf(state);
      this.#readerScrolled = false;
      if (focusWasOnNotice) {
        parts.title.focus({ preventScroll: true }); // its buttons are about to go
      }
      this.#clock = setInterval(() => this.#showElapsed(), 1_000);
      this.#showElapsed();
      scrollIntoSight(parts.root);
    } else if (focusWasOnCancel && before?.phase === 'running') {
      parts.title.focus({ preventScroll: true }); // the button is about to go, and the focus with it
    }
    if (state.phase === 'completed' && before?.phase === 'running') {
      parts.text.textContent = state.text;
      if (isFollowed(parts.text)) {
        parts.text.scrollTop = 0; // to be read from its first line; who has scrolled back stays there
      }
      parts.announcement.textContent = state.result?.generatedByAI ? 'Prompt generated.' : 'Prompt generated without AI.';
    }
  }

  /** @param {SessionState} state */
  #showProgress({ progress, estimate, message, connection, cancelling, taskId }) {
    const percent = Math.floor(estimate);
    const words = cancelling ? 'Cancelling…' : message || 'Sending…';
    if (parts.message.textContent !== words) {
      parts.message.textContent = words;
      parts.announcement.textContent = words;
    }
    parts.cancel.setAttribute('aria-disabled', String(cancelling)); // not disabled: that would take the focus away
    parts.percent.textContent = `${percent}%`;
    parts.progress.dataset.progress = String(progress);
    parts.progress.setAttribute('aria-valuenow', String(percent));
    parts.progress.setAttribute('aria-valuetext', `${percent}%, ${words}`);
    parts.progress.style.setProperty('--progress', String(estimate / 100));
    const unsent = connection === 'offline' && taskId === null;
    const trouble = unsent ? UNSENT : connection ? CONNECTIONS[connection] : '';
    if (parts.connection.textContent !== trouble) {
      parts.connection.textContent = trouble;
      parts.announcement.textContent = trouble || words;
    }
    parts.connection.hidden = trouble === '';
    parts.running.dataset.connection = connection ?? '';
  }

  #showElapsed() {
    const seconds = Math.floor((Date.now() - this.#startedAt) / 1_000);
    parts.elapsed.textContent = seconds > 0 ? `${seconds} s` : '';
  }

  /** @param {SessionState} state */
  #showNotice({ error, result, phase, manualPrompt, canRetry }) {
    const fallback = phase === 'completed' && result && !result.generatedByAI ? result : null;
    const incomplete = phase === 'completed' && result?.fidelity === 'incomplete' ? result : null;
    const shown = error ?? fallback ?? incomplete;
    if (!shown) {
      parts.notice.hidden = true;
      return;
    }
    const help = error && adviceFor(error);
    const advice = help ?? (incomplete ? INCOMPLETE_ADVICE : FALLBACK_ADVICE);
    parts.notice.className = `notice ${advice.tone}`;
    parts.notice.setAttribute('role', error ? 'alert' : 'note');
    parts.noticeTitle.textContent = help ? help.title : incomplete ? 'Please check' : 'Written without AI';
    parts.noticeText.textContent = help ? help.message : incomplete ? checkOf(incomplete) : (fallback?.warning ?? '');
    parts.noticeHint.textContent = advice.hint;
    parts.noticeFacts.textContent = advice.details ?? '';
    parts.noticeDetails.hidden = !advice.details;
    /** @type {Partial<Record<Action, boolean>>} what is opened from the list may come without its prompt */
    const possible = { again: manualPrompt !== '', retry: canRetry };
    const actions = phase === 'running' ? [] : advice.actions.map((action) => (possible[action] === false ? 'edit' : action));
    parts.noticeActions.replaceChildren(
      ...actions.map((action) =>
        make('button', { type: 'button', className: 'button', onclick: () => this.#onAction(action) }, BUTTONS[action]),
      ),
    );
    parts.notice.hidden = false;
  }

  #showResult() {
    const state = /** @type {SessionState} */ (this.#state);
    const comparable = state.manualPrompt !== '';
    const chosen = parts.tools.querySelector('input:checked')?.getAttribute('value');
    const compares = state.phase === 'completed' && comparable && chosen === 'compare';
    parts.tools.querySelector('fieldset')?.toggleAttribute('hidden', !comparable);
    parts.text.hidden = state.text === '' || compares || state.phase === 'failed';
    parts.comparison.hidden = !compares;
    if (compares) {
      showComparison(state.manualPrompt, state.text);
    } else if (parts.text.textContent !== state.text) {
      grow(parts.text, state.text);
      if (state.phase === 'running' && !this.#readerScrolled) {
        parts.text.scrollIntoView({ block: 'nearest' }); // on a phone its last line would grow out of sight
      }
    }
    parts.facts.hidden = state.phase !== 'completed';
    parts.facts.textContent = state.result ? factsOf(state.result) : '';
  }

  async #copy() {
    const visible = parts.comparison.hidden ? parts.text : generatedColumn();
    const copied = await copyText(this.#state?.text ?? '', visible);
    parts.copy.textContent = copied ? 'Copied' : 'Selected: press Ctrl+C';
    parts.announcement.textContent = copied ? 'Copied to the clipboard.' : 'The text is selected. Press Ctrl+C to copy it.';
    clearTimeout(this.#copied);
    this.#copied = setTimeout(() => (parts.copy.textContent = 'Copy'), COPIED_FOR_MS);
  }
}

/** @param {HTMLElement} shown */
function isFollowed(shown) {
  return shown.scrollTop + shown.clientHeight >= shown.scrollHeight - ALMOST_AT_THE_END_PX;
}

/** When the generation began, also after a reload. @param {SessionState} state */
function startOf({ taskId }) {
  const known = taskId ? Number(recall('started')) : 0;
  const startedAt = known || Date.now();
  remember('started', String(startedAt));
  return startedAt;
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
      shown.scrollTop = shown.scrollHeight; // who has scrolled back is left there
    }
  } else {
    shown.textContent = text;
  }
}

/** @param {import('../client/src/index.js').Result} result */
function factsOf({ model, tokensUsed, createdAt, completedAt, fidelity }) {
  const seconds = completedAt ? Math.round((Date.parse(completedAt) - Date.parse(createdAt)) / 1_000) : 0;
  const facts = [model, tokensUsed ? `${grouped(tokensUsed)} tokens` : 'nothing charged', seconds ? `${seconds} s` : '', fidelity ? FIDELITY[fidelity] : ''];
  return facts.filter(Boolean).join(' · ');
}

/**
 * @param {import('../client/src/index.js').Result} result
 * @returns {string} what is missing and what is invented, one list each
 */
function checkOf({ warning = '', missingFacts, inventedFacts }) {
  const missing = missingFacts.length > 0 ? ` Left out by the AI: ${missingFacts.join(' · ')}.` : '';
  const invented = inventedFacts.length > 0 ? ` Not from you: ${inventedFacts.join(' · ')}.` : '';
  return warning + missing + invented;
}
