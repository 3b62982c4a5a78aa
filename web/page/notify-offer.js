/**
 * "Notify me when it is done": offered after a few seconds. Its place is reserved from the start, so nothing jumps.
 * While nothing runs, the account's panel says that this browser is notified, and has the button that ends it.
 */

import { canNotify, Notifications } from '../client/src/notifications.js';
import { element } from './elements.js';
import { words } from './words.js';

const OFFERED_AFTER_MS = 4_000;

const parts = {
  root: element('notify', HTMLDivElement),
  button: element('notify-me', HTMLButtonElement),
  said: element('notify-said', HTMLParagraphElement),
  here: element('notified-here', HTMLDivElement),
  hereSaid: element('notified-here-said', HTMLParagraphElement),
  hereOff: element('notified-here-off', HTMLButtonElement),
};

/** @type {Record<string, string>} */
const SAID = { on: words.notified, denied: words.notifyDenied };

export class NotifyOffer {
  /** Whose notifications: none where the server cannot. */
  accountId = '';
  #client;
  /** @type {Notifications | undefined} */
  #notifications;
  #running = false;
  #on = false;
  /** Whose are shown beside the balance, while nothing runs. */
  #here = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {import('../client/src/index.js').GenerationClient} client */
  constructor(client) {
    this.#client = client;
    parts.button.addEventListener('click', () => void this.#turn());
    parts.hereOff.addEventListener('click', () => void this.#endHere());
  }

  /** @param {import('../client/src/index.js').SessionState} state */
  show({ phase, taskId }) {
    const accountId = canNotify() ? this.accountId : '';
    void this.#showHere(phase === 'running' ? '' : accountId);
    const running = phase === 'running' && taskId !== null && accountId !== '';
    if (running === this.#running) {
      return;
    }
    this.#running = running;
    clearTimeout(this.#timer);
    parts.root.hidden = !running;
    parts.button.hidden = true;
    parts.said.textContent = '';
    if (running) {
      this.#timer = setTimeout(() => void this.#offer(), OFFERED_AFTER_MS);
    }
  }

  async #offer() {
    const state = await this.#state().catch(() => 'impossible'); // then nothing is offered
    if (!this.#running) {
      return;
    }
    this.#showState(state);
  }

  /** @param {string} accountId */
  async #showHere(accountId) {
    if (accountId === this.#here) {
      return;
    }
    this.#here = accountId;
    parts.here.hidden = true;
    if (accountId && Notification.permission === 'granted') {
      const state = await this.#state().catch(() => 'impossible');
      parts.here.hidden = state !== 'on' || accountId !== this.#here;
      parts.hereSaid.textContent = words.notifiedHere;
      parts.hereOff.hidden = false;
    }
  }

  async #endHere() {
    try {
      await this.#notifications?.turnOff();
      parts.hereSaid.textContent = words.notNotifiedHere;
      parts.hereSaid.focus({ preventScroll: true });
      parts.hereOff.hidden = true;
    } catch {
      parts.hereSaid.textContent = words.notifyTrouble;
    }
  }

  /** One button turns it on and off. @param {string} state */
  #showState(state) {
    const focused = document.activeElement === parts.button;
    this.#on = state === 'on';
    parts.button.textContent = this.#on ? words.notifyOff : words.notifyMe;
    parts.button.hidden = state !== 'on' && state !== 'off';
    parts.said.textContent = SAID[state] ?? '';
    if (focused && parts.button.hidden) {
      parts.said.focus({ preventScroll: true });
    }
  }

  async #state() {
    const titles = { completed: words.notifyCompleted, failed: words.notifyFailed };
    this.#notifications ??= new Notifications(this.#client, { serviceWorker: workerAddress(), titles });
    return this.#notifications.state();
  }

  async #turn() {
    if (!this.#notifications || parts.button.getAttribute('aria-disabled') === 'true') {
      return;
    }
    parts.button.setAttribute('aria-disabled', 'true'); // not disabled: that would take the focus away
    try {
      this.#showState(await (this.#on ? this.#notifications.turnOff() : this.#notifications.turnOn()));
    } catch {
      parts.said.textContent = words.notifyTrouble;
    }
    parts.button.setAttribute('aria-disabled', 'false');
  }
}

/** Where the page's own worker is, as something that the page's policy lets be run. */
function workerAddress() {
  const href = new URL('service-worker.js', document.baseURI).href;
  const { trustedTypes } = /** @type {any} */ (globalThis);
  return trustedTypes
    ? trustedTypes.createPolicy('service-worker', { createScriptURL: () => href }).createScriptURL('')
    : href;
}
