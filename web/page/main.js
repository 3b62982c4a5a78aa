/** The page: constructs its parts and wires them to the client that other pages use too. */

import { GenerationSession, PromptGeneratorAPI, Unauthorized, UnknownAccount } from '../client/src/index.js';
import { AccountPanel } from './account-panel.js';
import { promptOf, rememberPrompt } from './prompt-history.js';
import { Composer } from './composer.js';
import { forgetKey, keepKey, readKey } from './credentials.js';
import { KeyPanel } from './key-panel.js';
import { Outcome } from './outcome.js';

const API = new URL('api/v1/web-knowledge', document.baseURI).href;

let key = readKey();
const client = new PromptGeneratorAPI(API, () => key);
const session = new GenerationSession(client, { storage: tabStorage() });

const composer = new Composer((manualPrompt) => session.generate(manualPrompt));
const account = new AccountPanel(client, (taskId) => session.open(taskId, promptOf(taskId)));
const keyPanel = new KeyPanel(connect);
const outcome = new Outcome({
  onCancel: () => void session.cancel(),
  onAction: (action) => ACTIONS[action](),
});

const ACTIONS = {
  retry: () => session.retry(),
  again: () => session.generate(session.getState().manualPrompt),
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
  const begun = shown.taskId && shown.taskId !== before.taskId; // from then on the list has it
  const over = shown.phase !== before.phase && shown.phase !== 'running';
  if (begun || over) {
    void refresh();
  }
});

document.getElementById('change-key')?.addEventListener('click', changeKey);

/** @param {string} given @returns {Promise<string>} what is wrong with it */
async function connect(given) {
  key = given;
  try {
    await account.refresh();
  } catch (error) {
    key = '';
    return error instanceof Error ? error.message : String(error);
  }
  keepKey(given);
  composer.focus();
  return '';
}

/** Show the newest balance and list; a key that is no good any more is asked for again. */
async function refresh() {
  try {
    await account.refresh();
  } catch (error) {
    if (error instanceof Unauthorized || error instanceof UnknownAccount) {
      account.hide();
      keyPanel.open(error.message);
    } // anything else is shown where it matters: by the next generation
  }
}

function changeKey() {
  forgetKey();
  key = '';
  session.reset();
  account.hide();
  keyPanel.open();
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
  composer.write(session.getState().manualPrompt);
  await refresh();
} else {
  keyPanel.open();
}
