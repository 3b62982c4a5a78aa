// One account on the operator's page: its tokens, tasks, deliveries and keys, and what can be done about them.

import { $, Refused, ask, attempt, done, newest, say } from './session.js';
import { action, disarm, fill, irrevocable } from './acting.js';
import { cells, definition, replace } from './drawing.js';
import { fresh, marked } from './freshness.js';
import { number, when } from './values.js';

const [searching, asking, askingKeys, askingOlder] = [newest(), newest(), newest(), newest()];
let account = '';
let searched = ''; // the one task that is shown; empty: all
let grantId = ''; // of the grant that is being made: sent again, it counts once
let tasks = []; // all of the account
let deliveries = []; // of the pages that were asked for, the newest first
let older = null; // `before` of the next page
let anew = true; // the deliveries begin with their first page again

const pathOf = (rest = '') => `accounts/${encodeURIComponent(account)}/${rest}`;
const isSearched = ({ task_id }) => !searched || task_id === searched;

// Read a list of the account's to its end, page by page.
async function whole(name, cursor) {
  const [path, found] = [pathOf(`${name}/?limit=200`), []];
  for (let next = ''; next !== null; ) {
    const page = await ask('GET', path + (next && `&${cursor}=${encodeURIComponent(next)}`));
    found.push(...page[name]);
    next = page.next;
  }
  return found;
}

async function showAccount() {
  anew = true;
  await Promise.all([showKeys(), showChanging()]);
}

async function showKeys() {
  const isNewest = askingKeys();
  const keys = await whole('keys', 'after');
  if (isNewest()) fill($('keys'), keys.map(keyRow));
}

const showChanging = marked('account', async () => {
  const isNewest = asking();
  const [{ account: facts }, found, page] = await Promise.all([
    ask('GET', pathOf()),
    whole('tasks', 'before'),
    ask('GET', pathOf('deliveries/')),
  ]);
  if (!isNewest()) return;
  const named = Object.entries(facts).map(([name, value]) => definition(name.replaceAll('_', ' '), fact(name, value)));
  replace($('balance'), ...named);
  tasks = found;
  fill($('tasks'), tasks.filter(isSearched).map(taskRow));
  takeFirstDeliveries(page);
  fresh('account');
});

function takeFirstDeliveries(page) {
  if (anew) {
    askingOlder();
    deliveries = [];
    older = page.next;
    anew = false;
  }
  const first = new Set(page.deliveries.map(({ id }) => id));
  deliveries = [...page.deliveries, ...deliveries.filter(({ id }) => !first.has(id))];
  showDeliveries();
}

// Show an account from now on, with all of its tasks or one. Without the account's id the task's finds it; so it does
// where the task is another account's.
export async function search(accountId, taskId) {
  const isNewest = leaveAccount();
  const of = accountId || (await accountOf(taskId));
  if (/^\.\.?$/.test(of)) throw new Refused('No browser can ask for this id: main.py accounts show can.');
  await show(of, taskId, isNewest);
  if (!isNewest() || !taskId || tasks.some(isSearched)) return;
  const other = await accountOf(taskId);
  await show(other, taskId, isNewest);
  if (isNewest() && other !== of) say(`The task is of another account: ${other}.`);
}

async function show(accountId, taskId, isNewest) {
  if (!isNewest()) return; // the operator searches something else by now
  if (account !== accountId) forgetGrant();
  [account, searched] = [accountId, taskId];
  await showAccount();
  if (isNewest()) $('account').hidden = false;
}

async function accountOf(taskId) {
  if (!taskId) throw new Refused('Write the id of an account or of a task.');
  try {
    return (await ask('GET', `tasks/${encodeURIComponent(taskId)}/`)).account_id;
  } catch (error) {
    if (error.status !== 404) throw error;
    throw new Refused(
      'There is no such task, or no longer: it is kept for minutes after its end. The log names its account.',
    );
  }
}

// Ask again while one of the tasks is unfinished, or one of the deliveries shown still to be tried.
export async function followAccount() {
  if ($('account').hidden) return;
  if (tasks.every(isOver) && !deliveries.some(({ state }) => state === 'pending')) return;
  await showChanging();
}

// Hide the account: what is still on its way shows nothing any more. Return a function that says whether no search began since.
export function leaveAccount() {
  for (const question of [asking, askingKeys, askingOlder]) question();
  disarm();
  $('account').hidden = true;
  return searching();
}

// Show what an action has changed, unless the operator has gone on to another account.
async function showAgain(of) {
  if (account === of && !$('account').hidden) await showAccount();
}

function showDeliveries() {
  fill($('deliveries'), deliveries.filter(isSearched).map(deliveryRow));
  $('older-deliveries').hidden = older === null;
}

function fact(name, value) {
  if (value === null || value === '') return '—';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return number(value);
  return /_(at|until)$/.test(name) ? when(value) : String(value);
}

function isOver({ status }) {
  return status === 'completed' || status === 'failed';
}

function taskRow(task) {
  const why = task.error_code ?? task.fallback_reason ?? task.warning_code ?? '';
  const [of, path] = [account, pathOf(`tasks/${task.task_id}/cancel/`)];
  const cancel = isOver(task)
    ? ''
    : irrevocable('Cancel', `Cancel task ${task.task_id}`, async () => {
        const { status, error_code } = await ask('POST', path);
        const became = error_code === 'cancelled' ? 'is cancelled.' : `had ended before: ${status}.`;
        await done(`Task ${task.task_id} ${became}`, () => showAgain(of));
      });
  return cells([when(task.created_at), task.task_id, `${task.status} ${task.progress} %`, task.stage, why, cancel], 1);
}

function deliveryRow(one) {
  const [of, path] = [account, pathOf(`deliveries/${encodeURIComponent(one.id)}/resend/`)];
  const again = action('Send again', `Send again: delivery ${one.id}`, async () => {
    await ask('POST', path);
    await done(`Delivery ${one.id} is sent again.`, () => showAgain(of));
  });
  const due = one.due_at === null ? '' : when(one.due_at);
  const row = cells([when(one.created_at), one.type, one.state, number(one.tries), one.last, due, again, one.id], 7);
  if (one.state === 'failed') row.dataset.state = 'bad';
  return row;
}

function keyRow(key) {
  const [of, path] = [account, pathOf(`keys/${encodeURIComponent(key.key_id)}/`)];
  const revoke = key.revoked_at
    ? when(key.revoked_at, 'revoked ')
    : irrevocable('Revoke', `Revoke key ${key.key_id}`, async () => {
        await ask('DELETE', path);
        await done(`Key ${key.key_id} is revoked.`, () => showAgain(of));
      });
  return cells([key.key_id, key.label, when(key.created_at), revoke], 0);
}

$('search-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    say('');
    await search($('account-id').value.trim(), $('task-id').value.trim().toLowerCase());
  });
});

$('older-deliveries').addEventListener('click', ({ currentTarget }) => {
  attempt(currentTarget, async () => {
    const [isNewest, of] = [askingOlder(), account];
    const page = await ask('GET', pathOf(`deliveries/?before=${encodeURIComponent(older)}`));
    if (account !== of) return;
    if (!isNewest()) throw new Refused('The deliveries were read anew meanwhile. Ask for older ones again.');
    deliveries.push(...page.deliveries);
    older = page.next;
    showDeliveries();
  });
});

function forgetGrant() {
  grantId = '';
  $('grant-form').reset();
}

$('grant-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    const [to, path] = [account, pathOf('grants/')];
    const tokens = Number($('grant-tokens').value);
    if (!tokens) throw new Refused('Write how many tokens, other than 0.');
    grantId ||= `operate-${Date.now()}-${Math.random().toString(36).slice(2)}`;
    await ask('POST', path, { grant_id: grantId, tokens, reason: $('grant-reason').value });
    if (account === to) forgetGrant();
    const moved = tokens < 0 ? 'taken back from' : 'granted to';
    await done(`${number(Math.abs(tokens))} tokens are ${moved} ${to}.`, () => showAgain(to));
  });
});

$('grant-form').addEventListener('input', () => {
  grantId = '';
});
