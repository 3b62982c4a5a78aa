/** Balance, subscription, ledger and the last generations, beside the prompt. Reads; changes nothing. */

import { element, grouped, make } from './elements.js';
import { asGenerationError } from '../client/src/errors.js';
import { sentenceOf } from './advice.js';
import { promptOf } from './prompt-history.js';
import { filled, language, words } from './words.js';

/** @typedef {import('../client/src/index.js').Account} Account */
/** @typedef {import('../client/src/index.js').StatusDocument} StatusDocument */

const parts = {
  top: element('top-account', HTMLDivElement),
  topBalance: element('top-balance', HTMLElement),
  side: element('side', HTMLElement),
  title: element('account-title', HTMLHeadingElement),
  balance: element('balance', HTMLSpanElement),
  warning: element('account-warning', HTMLParagraphElement),
  facts: element('account-facts', HTMLElement),
  ledger: element('ledger', HTMLDetailsElement),
  entries: element('ledger-entries', HTMLUListElement),
  recent: element('recent', HTMLUListElement),
  more: element('more', HTMLButtonElement),
  recentTitle: element('recent-title', HTMLHeadingElement),
  recentError: element('recent-error', HTMLParagraphElement),
  recentHint: element('recent-hint', HTMLParagraphElement),
};

const REFRESH_MS = 3_000;
const LEDGER_ENTRIES = 12;
const LISTED = 10;
const MAX_PER_PAGE = 100;
const KINDS = { grant: words.kindGrant, hold: words.kindHold, settle: words.kindSettle, release: words.kindRelease };
const STATES = {
  queued: words.stateQueued,
  processing: words.stateProcessing,
  completed: words.stateCompleted,
  failed: words.stateFailed,
};
const LOCALE = language === 'en' ? [] : language; // English as the browser writes it

export class AccountPanel {
  #client;
  #onOpen;
  #onCancel;
  #onAccount;
  #onRefresh;
  /** @type {string | null} the generation that is shown beside the list */
  #open = null;
  #wanted = LISTED;
  #running = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {AbortController | undefined} the reading whose answers count; those of an earlier one are stale */
  #reading;

  /**
   * @param {import('../client/src/index.js').PromptGeneratorAPI} client
   * @param {{onOpen: (taskId: string, createdAt: string) => void, onCancel: (taskId: string) => Promise<string>, onAccount: (account: Account, running: number) => void, onRefresh: () => Promise<void>}} listeners
   *   `onCancel` resolves to why it could not be; `onRefresh` is to call `refresh`, and to deal with its errors
   */
  constructor(client, { onOpen, onCancel, onAccount, onRefresh }) {
    this.#client = client;
    this.#onOpen = onOpen;
    this.#onCancel = onCancel;
    this.#onAccount = onAccount;
    this.#onRefresh = onRefresh;
    parts.more.onclick = () => this.#showMore();
    parts.ledger.ontoggle = () => parts.ledger.open && void this.#readLedger();
  }

  /** Read everything anew. @throws {import('../client/src/index.js').GenerationError} */
  async refresh() {
    this.#reading?.abort();
    const { signal } = (this.#reading = new AbortController());
    try {
      const [account, recent] = await Promise.all([this.#client.account({ signal }), this.#readRecent(signal)]);
      this.#showAccount(account);
      this.#onAccount(account, recent.filter(isRunning).length);
      this.#showRecent(recent);
    } catch (error) {
      if (signal.aborted) {
        return; // the one that has ended it sets the timer
      }
      this.#refreshWhileRunning();
      throw error;
    }
    if (parts.ledger.open) {
      await this.#readLedger();
    }
  }

  /** @param {AbortSignal} signal @returns {Promise<StatusDocument[]>} the newest ones, as many as are wanted */
  async #readRecent(signal) {
    /** @type {StatusDocument[]} */
    const documents = [];
    for (;;) {
      const limit = Math.min(this.#wanted - documents.length, MAX_PER_PAGE);
      const page = await this.#client.recent({ limit, before: documents.at(-1)?.task_id, signal });
      documents.push(...page);
      if (page.length < limit || documents.length >= this.#wanted) {
        parts.more.hidden = page.length < limit;
        return documents;
      }
    }
  }

  #showMore() {
    const { childElementCount: listed } = parts.recent;
    this.#wanted += LISTED;
    const pressed = document.activeElement === parts.more;
    const done = () => pressed && parts.more.hidden && parts.recent.children[listed]?.querySelector('button')?.focus();
    void this.#onRefresh().then(done);
  }

  /** Mark the generation that is shown. @param {string | null} taskId */
  mark(taskId) {
    this.#open = taskId;
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (parts.recent.querySelectorAll('.open'))) {
      button.toggleAttribute('aria-current', button.dataset.taskId === taskId);
    }
  }

  hide() {
    clearTimeout(this.#timer);
    this.#reading?.abort();
    parts.top.hidden = true;
    parts.side.removeAttribute('data-read');
  }

  /** @param {Account} account */
  #showAccount(account) {
    parts.top.hidden = false;
    parts.side.dataset.read = 'yes';
    parts.topBalance.textContent = grouped(account.tokens_remaining);
    parts.title.textContent = account.name || words.account;
    parts.balance.textContent = grouped(account.tokens_remaining);
    parts.warning.textContent = problemOf(account);
    const until = account.subscription_until ? new Date(account.subscription_until).toLocaleDateString(LOCALE) : '';
    const facts = [
      [words.subscription, account.subscription_active ? filled(words.until, { date: until }) : words.notActive],
      [words.setAside, grouped(account.tokens_held)],
      [words.usedSoFar, grouped(account.tokens_charged)],
      [words.business, words.businesses[account.business_type] ?? account.business_type],
      [words.account, account.account_id],
    ];
    parts.facts.replaceChildren(
      ...facts.flatMap(([name, value]) => [
        make('dt', {}, name),
        make('dd', { translate: value !== account.account_id }, value),
      ]),
    );
  }

  /** @param {StatusDocument[]} documents */
  #showRecent(documents) {
    const focused = focusedIn(parts.recent);
    parts.recentHint.textContent = documents.length ? words.keptMinutes : words.nothingRecent;
    parts.recent.replaceChildren(...documents.map((document) => this.#recentItem(document)));
    this.mark(this.#open);
    this.#running = documents.some(isRunning);
    this.#refreshWhileRunning();
    if (focused) {
      const buttons = [...parts.recent.querySelectorAll('button')];
      const ofTask = buttons.filter(({ dataset }) => dataset.taskId === focused.dataset.taskId);
      const same = ofTask.find(({ className }) => className === focused.className);
      (same ?? ofTask[0] ?? parts.recentTitle).focus({ preventScroll: true });
    }
  }

  /** The list lives while anything in it does. */
  #refreshWhileRunning() {
    clearTimeout(this.#timer);
    if (this.#running) {
      const again = () =>
        document.visibilityState === 'hidden' ? this.#refreshWhileRunning() : void this.#onRefresh();
      this.#timer = setTimeout(again, REFRESH_MS);
    } else {
      parts.recentError.textContent = ''; // nothing is left to cancel
    }
  }

  /** @param {string} taskId */
  async #cancel(taskId) {
    parts.recentError.textContent = '';
    parts.recentError.textContent = await this.#onCancel(taskId);
    await this.#onRefresh();
  }

  /** @param {StatusDocument} document */
  #recentItem(document) {
    const taskId = document.task_id;
    const said = promptOf(taskId) || document.prompt || words.elsewhere;
    const time = new Date(document.created_at);
    const button = make(
      'button',
      { type: 'button', className: 'open', onclick: () => this.#onOpen(taskId, document.created_at) },
      make('span', { className: `badge ${document.status}` }, stateOf(document)),
      make(
        'time',
        { dateTime: document.created_at },
        time.toLocaleTimeString(LOCALE, { hour: '2-digit', minute: '2-digit' }),
      ),
      make('span', { className: 'excerpt', dir: 'auto' }, excerptOf(said)),
    );
    button.dataset.taskId = taskId;
    if (!promptOf(taskId) && document.prompt) {
      button.append(make('span', { className: 'hint' }, words.elsewhere));
    }
    if (!isRunning(document)) {
      return make('li', {}, button);
    }
    const cancel = make(
      'button',
      { type: 'button', className: 'cancel-one', onclick: () => void this.#cancel(taskId) },
      words.cancel,
    );
    cancel.dataset.taskId = taskId;
    cancel.setAttribute('aria-label', filled(words.cancelOne, { prompt: excerptOf(said).slice(0, 40) }));
    return make('li', {}, button, cancel);
  }

  async #readLedger() {
    try {
      const { entries } = await this.#client.ledger({ limit: LEDGER_ENTRIES });
      parts.entries.replaceChildren(...this.#ledgerItems(entries));
    } catch (error) {
      parts.entries.replaceChildren(make('li', { className: 'field-error' }, sentenceOf(asGenerationError(error))));
    }
  }

  /** @param {import('../client/src/index.js').LedgerEntry[]} entries */
  #ledgerItems(entries) {
    return entries.map(({ kind, tokens, at, balance }) =>
      make(
        'li',
        {},
        make('span', {}, KINDS[kind]),
        make('span', { className: 'number' }, grouped(tokens)),
        make(
          'span',
          { className: 'hint' },
          new Date(at).toLocaleString(LOCALE, { dateStyle: 'short', timeStyle: 'short' }),
        ),
        make('span', { className: 'hint number' }, filled(words.left, { number: balance })),
      ),
    );
  }
}

/** @param {StatusDocument} document */
const isRunning = ({ status }) => status === 'queued' || status === 'processing';

/** @param {HTMLElement} list @returns {HTMLElement | null} */
function focusedIn(list) {
  const { activeElement } = document;
  return activeElement instanceof HTMLElement && list.contains(activeElement) ? activeElement : null;
}

/** @param {StatusDocument} document */
function stateOf({ status, error_code: code, generated_by_ai: byAI }) {
  if (code === 'cancelled') {
    return words.stateCancelled;
  }
  return status === 'completed' && byAI === false ? words.stateWithoutAI : STATES[status];
}

/** The first words, without the signs of a Markdown heading or list. @param {string} text */
function excerptOf(text) {
  return text.replace(/^[#>*\-\s]+/gm, '').slice(0, 160);
}

/** @param {Account} account */
function problemOf(account) {
  if (!account.subscription_active) {
    return words.subscriptionInactive;
  }
  const short = account.tokens_remaining < account.minimum_tokens;
  return short ? filled(words.needsTokens, { number: account.minimum_tokens }) : '';
}
