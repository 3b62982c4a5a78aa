/** The page: constructs its parts and wires them to the client that other pages use too. */

import { GenerationSession, PromptGeneratorAPI, TaskNotFound, Unauthorized, UnknownAccount } from '../client/src/index.js';
import { AccountPanel } from './account-panel.js';
import { forgetPrompts, promptOf, rememberPrompt } from './prompt-history.js';
import { Composer } from './composer.js';
import { keepKey, readKey } from './credentials.js';
import { KeyPanel } from './key-panel.js';
import { Outcome } from './outcome.js';
import { recall, remember } from './tab-memory.js';

const API = new URL('api/v1/web-knowledge', document.baseURI).href;

let key = readKey();
const client = new PromptGeneratorAPI(API, () => key);
const session = new GenerationSession(client, { storage: tabStorage() });

const composer = new Composer((manualPrompt) => (key ? session.generate(manualPrompt) : keyPanel.open('Connect first: nothing has been sent.')));
const account = new AccountPanel(client, {
  onOpen: (taskId) => session.open(taskId, promptOf(taskId)),
  onCancel: (taskId) => void client.cancel(taskId).catch(() => {}).then(refresh),
});
const keyPanel = new KeyPanel(connect, () => key !== '');
const outcome = new Outcome({
  onCancel: () => void session.cancel(),
  onAction: (action) => ACTIONS[action](),
});

const ACTIONS = {
  retry: () => session.retry(composer.edited),
  again: () => void session.generate(composer.edited ?? session.getState().manualPrompt),
  key: () => changeKey(),
  refresh: () => void refresh(),
  edit: () => composer.focus(),
};

let shown = session.getState();

session.subscribe(() => {
  const before = shown;
  shown = session.getState();
  outcome.show(shown);
  composer.lock(shown.phase === 'running');
  if (shown.taskId && shown.manualPrompt && shown.taskId !== before.taskId) {
    rememberPrompt(shown.taskId, shown.manualPrompt);
  }
  account.mark(shown.taskId);
  if (shown.phase !== before.phase) {
    noteWhatIsShown(before);
  }
  const begun = shown.taskId && shown.taskId !== before.taskId; // from then on the list has it
  const over = shown.phase !== before.phase && shown.phase !== 'running';
  if (begun || over) {
    void refresh();
  }
});

document.getElementById('change-key')?.addEventListener('click', changeKey);

/** @param {string} given @returns {Promise<string>} what is wrong with it */
async function connect(given) {
  const before = key;
  key = given;
  try {
    await account.refresh();
  } catch (error) {
    key = before;
    return error instanceof Error ? error.message : String(error);
  }
  keepKey(given);
  if (before !== given) {
    forgetPrompts(); // another person's, perhaps
    session.reset();
  } else if (session.getState().error instanceof Unauthorized) {
    session.reset();
  }
  composer.focus();
  return '';
}

/** Show the newest balance and list; a key that is no good any more is asked for again. */
async function refresh() {
  try {
    await account.refresh();
  } catch (error) {
    if (error instanceof Unauthorized || error instanceof UnknownAccount) {
      key = '';
      account.hide();
      keyPanel.open(error.message);
    } // anything else is shown where it matters: by the next generation
  }
}

/** What there is stays until another key has been accepted. */
function changeKey() {
  keyPanel.open();
}

/** A reload brings back the result that was shown. @param {import('../client/src/index.js').SessionState} before */
function noteWhatIsShown(before) {
  if (shown.phase === 'completed' && shown.taskId) {
    remember('shown', shown.taskId);
  } else if (shown.phase === 'failed' && shown.error instanceof TaskNotFound && before.taskId === recall('shown')) {
    remember('shown', '');
    session.reset();
  } else if (shown.phase !== 'running') {
    remember('shown', '');
  }
}

function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

outcome.show(shown);
if (key) {
  session.connect();
  if (session.getState().phase === 'idle' && recall('shown')) {
    session.open(recall('shown'), promptOf(recall('shown')));
  }
  composer.write(session.getState().manualPrompt);
  await refresh();
} else {
  keyPanel.open();
}
