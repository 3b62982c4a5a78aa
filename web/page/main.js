/** The page: constructs its parts and wires them to the client that other pages use too. */

import {
  GenerationSession,
  InsufficientTokens,
  InvalidPrompt,
  PromptGeneratorAPI,
  SubscriptionInactive,
  TooManyTasks,
  Unauthorized,
  UnknownAccount,
} from '../client/src/index.js';
import { asGenerationError } from '../client/src/errors.js';
import { AccountPanel } from './account-panel.js';
import { sentenceOf } from './advice.js';
import { forgetPrompts, promptOf, rememberPrompt } from './prompt-history.js';
import { Composer } from './composer.js';
import { keepKey, readKey } from './credentials.js';
import { KeyPanel } from './key-panel.js';
import { NotifyOffer } from './notify-offer.js';
import { Outcome } from './outcome.js';
import { RefinePanel } from './refine-panel.js';
import { recall, remember } from './tab-memory.js';
import { Versions } from './versions.js';
import { offerLanguages } from './language-choice.js';
import { translatePage, words } from './words.js';

translatePage();
offerLanguages();

const API = new URL('api/v1/web-knowledge', document.baseURI).href;

let key = readKey();
const client = new PromptGeneratorAPI(API, () => key);
const session = new GenerationSession(client, { storage: tabStorage() });

const versions = new Versions();

const composer = new Composer(
  (manualPrompt) => generate(manualPrompt),
  () => shown.error instanceof InvalidPrompt && session.reset(),
);
const account = new AccountPanel(client, {
  onOpen: open,
  onAccount: noteAccount,
  onCancel: cancelListed,
  onRefresh: refresh,
});
const keyPanel = new KeyPanel(connect, () => key !== '');
const outcome = new Outcome(versions, {
  onCancel: () => void session.cancel(),
  onStop: () => session.stop(),
  onAction: (action) => ACTIONS[action](),
  onCorrect: (feedback) => refine(feedback),
});
const notifyOffer = new NotifyOffer(client);
const refining = new RefinePanel(versions, { onRefine: (feedback) => refine(feedback), onChange: () => show() });

const ACTIONS = {
  retry: () => session.retry(shown.feedback ? undefined : composer.edited),
  watch: () => session.retry(),
  again: () => again(),
  key: () => changeKey(),
  refresh: () => void refresh(),
  edit: () => composer.focus(),
};

const IDLE = session.getState();
let shown = IDLE;
/** While there were too many generations at once. */
let mostRunning = 0;
/** Whose versions and prompts this tab has: the id of an account. */
let owner = recall('account');

session.subscribe(() => {
  const before = shown;
  shown = session.getState();
  composer.lock(shown.phase === 'running');
  if (shown.taskId && shown.manualPrompt && shown.taskId !== before.taskId) {
    rememberPrompt(shown.taskId, shown.feedback ? (versions.current?.draft ?? '') : shown.manualPrompt);
  }
  if (shown.phase === 'completed' && before.phase !== 'completed') {
    versions.add(shown);
    if (shown.feedback) {
      refining.clear();
    }
  }
  show();
  const begun = shown.taskId && shown.taskId !== before.taskId; // from then on the list has it
  const over = shown.phase !== before.phase && shown.phase !== 'running';
  if (begun || over) {
    void refresh();
  }
});

document.getElementById('change-key')?.addEventListener('click', changeKey);

/** @param {string} given @returns {Promise<string>} what is wrong with it */
async function connect(given) {
  let accountId;
  try {
    ({ account_id: accountId } = await new PromptGeneratorAPI(API, given).account()); // the page's own still has the other key
  } catch (error) {
    return sentenceOf(asGenerationError(error));
  }
  key = given;
  keepKey(given);
  if (accountId !== owner) {
    forgetPrompts();
    versions.clear();
    session.reset();
    account.hide();
  } else if (asksForKey(shown.error)) {
    shown.taskId ? session.retry() : session.reset(); // what ran is taken up
  }
  own(accountId);
  void refresh();
  composer.focus();
  return '';
}

/** @param {string} accountId */
function own(accountId) {
  owner = accountId;
  remember('account', accountId);
}

/** Whether it is said beside the key. @param {unknown} error */
function asksForKey(error) {
  return error instanceof Unauthorized || error instanceof UnknownAccount;
}

/** Show the newest balance and list; a key that is no good any more is asked for again. */
async function refresh() {
  if (!key) {
    return; // nothing is sent without one
  }
  try {
    await account.refresh();
  } catch (error) {
    if (asksForKey(error)) {
      key = '';
      account.hide();
      keyPanel.open(sentenceOf(asGenerationError(error)));
    } // anything else is shown where it matters: by the next generation
  }
}

/** @param {string} taskId of a generation in the list @returns {Promise<string>} why it could not be cancelled */
async function cancelListed(taskId) {
  try {
    await client.cancel(taskId);
    return '';
  } catch (error) {
    return asksForKey(error) ? '' : sentenceOf(asGenerationError(error));
  }
}

/** What there is stays until another key has been accepted. */
function changeKey() {
  keyPanel.open();
}

/**
 * A message goes with its cause.
 *
 * @param {import('../client/src/index.js').Account} account
 * @param {number} running how many generations of it
 */
function noteAccount(
  {
    business_types: names = [],
    subscription_active: active,
    tokens_remaining: left,
    minimum_tokens: needed,
    web_push_key: webPushKey,
    account_id: accountId,
  },
  running,
) {
  own(accountId);
  notifyOffer.accountId = webPushKey ? accountId : '';
  notifyOffer.show(shown);
  composer.offerBusinesses(names);
  const { error } = shown;
  mostRunning = error instanceof TooManyTasks ? Math.max(mostRunning, running) : 0;
  if (
    (error instanceof InsufficientTokens && left >= needed) ||
    (error instanceof SubscriptionInactive && active) ||
    running < mostRunning
  ) {
    const focusGoes = outcome.hasFocusOnNotice;
    session.reset();
    if (focusGoes) {
      composer.focus();
    }
  }
}

/** What runs or has failed; else the version that this tab shows, also after a reload. */
function show() {
  const version =
    shown.phase === 'running' || (shown.phase === 'failed' && !shown.feedback) ? undefined : versions.current;
  const state = version && shown.phase !== 'failed' ? stateOf(version) : asksForKey(shown.error) ? IDLE : shown;
  document.documentElement.dataset.failure = shown.error?.name ?? '';
  outcome.keepFocus(() => {
    outcome.show(state, version);
    notifyOffer.show(shown);
    refining.show(version !== undefined);
  });
  account.mark(state.taskId);
}

/** @param {import('./versions.js').Version} version @returns {import('../client/src/index.js').SessionState} */
function stateOf({ taskId, asked, feedback, text, result }) {
  return { ...IDLE, phase: 'completed', taskId, manualPrompt: asked, feedback, text, result, error: null };
}

/** @param {string} manualPrompt @param {string} [feedback] */
function generate(manualPrompt, feedback = '') {
  if (!key) {
    keyPanel.open(words.connectFirst);
  } else {
    session.generate(manualPrompt, { feedback, businessType: composer.businessType });
  }
}

/** Have the version that is shown changed. @param {string} feedback */
function refine(feedback) {
  if (versions.current) {
    generate(versions.current.text, feedback);
  }
}

/** The same once more, or what the box shows by now. */
function again() {
  const { manualPrompt, feedback } =
    versions.current && shown.phase !== 'failed' ? { manualPrompt: versions.current.draft, feedback: '' } : shown;
  if (feedback) {
    generate(manualPrompt, feedback);
  } else {
    generate(composer.edited ?? manualPrompt);
  }
}

/** @param {string} taskId of a generation in the list @param {string} createdAt */
function open(taskId, createdAt) {
  if (shown.phase !== 'running' && versions.choose(taskId)) {
    session.reset();
  } else {
    remember('started', String(Date.parse(createdAt))); // it is timed from its own beginning
    session.open(taskId, promptOf(taskId));
  }
}

function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

show();
if (key) {
  session.connect();
  composer.write(shown.feedback ? '' : shown.manualPrompt);
  await refresh();
} else {
  keyPanel.open();
}
