// One account on the operator's page: its tokens, tasks, deliveries and keys, and what can be done about them.

import { $, Refused, ask, attempt, newest, say } from './session.js';
import { action, fill, irrevocable, isAsking } from './acting.js';
import { cells, definition, replace } from './drawing.js';
import { number, when } from './values.js';

const asking = newest();
let account = '';
let grantId = ''; // of the grant that is being made: sent again, it counts once
let tasks = [];
let deliveries = []; // of the pages that were asked for, the newest first
let older = null; // `before` of the next page

const pathOf = (rest = '') => `accounts/${encodeURIComponent(account)}/${rest}`;

// Read a list of the account's to its end, page by page.
async function whole(name, cursor) {
  const found = [];
  for (let next = ''; next !== null; ) {
    const more = next && `&${cursor}=${encodeURIComponent(next)}`;
    const page = await ask('GET', pathOf(`${name}/?limit=200${more}`));
    found.push(...page[name]);
    next = page.next;
  }
  return found;
}

const wanted = () => $('task-id').value.trim().toLowerCase();

export async function showAccount() {
  const isNewest = asking();
  const [changing, keys] = await Promise.all([askWhatChanges(), whole('keys', 'after')]);
  if (!isNewest()) return;
  fill($('keys'), keys.map(keyRow));
  deliveries = [];
  older = changing.page.next;
  showWhatChanges(changing);
  $('account').hidden = false;
}

async function askWhatChanges() {
  const [{ account: facts }, found, page] = await Promise.all([
    ask('GET', pathOf()),
    whole('tasks', 'before'),
    ask('GET', pathOf('deliveries/')),
  ]);
  return { facts, found, page };
}

function showWhatChanges({ facts, found, page }) {
  const named = Object.entries(facts).map(([name, value]) => definition(name.replaceAll('_', ' '), fact(name, value)));
  replace($('balance'), ...named);
  tasks = found.filter((task) => !wanted() || task.task_id === wanted());
  fill($('tasks'), tasks.map(taskRow));
  const fresh = new Set(page.deliveries.map(({ id }) => id));
  deliveries = [...page.deliveries, ...deliveries.filter(({ id }) => !fresh.has(id))];
  showDeliveries();
}

// Show this account from now on.
export async function find(accountId) {
  leaveAccount();
  account = accountId;
  await showAccount();
  if (wanted() && !tasks.length)
    say('The account has no such task, or no longer: it is kept for minutes after its end.');
}

// Return the account of the task that is wanted, and show it in its field.
async function accountOfTask() {
  if (!wanted()) throw new Refused('Write the id of an account or of a task.');
  try {
    const { account_id } = await ask('GET', `tasks/${encodeURIComponent(wanted())}/`);
    $('account-id').value = account_id;
    return account_id;
  } catch (error) {
    if (error.status !== 404) throw error;
    throw new Refused(
      'There is no such task, or no longer: it is kept for minutes after its end. The log names its account.',
    );
  }
}

// Ask again while one of the tasks shown is unfinished, or one of the deliveries still to be tried.
export async function followAccount() {
  if ($('account').hidden) return;
  if (tasks.every(isOver) && !deliveries.some(({ state }) => state === 'pending')) return;
  const isNewest = asking();
  const changing = await askWhatChanges();
  if (isNewest() && !$('account').hidden && !isAsking($('tasks'))) showWhatChanges(changing);
}

export function leaveAccount() {
  asking(); // what is still on its way shows nothing any more
  $('account').hidden = true;
}

function showDeliveries() {
  fill($('deliveries'), deliveries.filter((one) => !wanted() || one.task_id === wanted()).map(deliveryRow));
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
  const cancel = isOver(task)
    ? ''
    : irrevocable('Cancel', `Cancel task ${task.task_id}`, async () => {
        const { status, error_code } = await ask('POST', pathOf(`tasks/${task.task_id}/cancel/`));
        await showAccount();
        const cancelled = error_code === 'cancelled';
        say(cancelled ? `Task ${task.task_id} is cancelled.` : `Task ${task.task_id} had ended before: ${status}.`);
      });
  return cells([when(task.created_at), task.task_id, `${task.status} ${task.progress} %`, task.stage, why, cancel], 1);
}

function deliveryRow(one) {
  const again = action('Send again', `Send again: delivery ${one.id}`, async () => {
    await ask('POST', pathOf(`deliveries/${encodeURIComponent(one.id)}/resend/`));
    await showAccount();
    say(`Delivery ${one.id} is sent again.`);
  });
  const due = one.due_at === null ? '' : when(one.due_at);
  const row = cells([when(one.created_at), one.type, one.state, number(one.tries), one.last, due, again, one.id], 7);
  if (one.state === 'failed') row.dataset.state = 'bad';
  return row;
}

function keyRow(key) {
  const revoke = key.revoked_at
    ? when(key.revoked_at, 'revoked ')
    : irrevocable('Revoke', `Revoke key ${key.key_id}`, async () => {
        await ask('DELETE', pathOf(`keys/${encodeURIComponent(key.key_id)}/`));
        await showAccount();
        say(`Key ${key.key_id} is revoked.`);
      });
  return cells([key.key_id, key.label, when(key.created_at), revoke], 0);
}

$('search-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    say('');
    const wantedId = $('account-id').value.trim() || (await accountOfTask());
    if (/^\.\.?$/.test(wantedId)) throw new Refused('No browser can ask for this id: main.py accounts show can.');
    await find(wantedId);
  });
});

$('older-deliveries').addEventListener('click', ({ currentTarget }) => {
  attempt(currentTarget, async () => {
    const asked = account;
    const page = await ask('GET', pathOf(`deliveries/?before=${encodeURIComponent(older)}`));
    if (account !== asked) return;
    deliveries.push(...page.deliveries);
    older = page.next;
    showDeliveries();
  });
});

$('grant-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    const tokens = Number($('grant-tokens').value);
    if (!tokens) throw new Refused('Write how many tokens, other than 0.');
    grantId ||= `operate-${Date.now()}-${Math.random().toString(36).slice(2)}`;
    await ask('POST', pathOf('grants/'), { grant_id: grantId, tokens, reason: $('grant-reason').value });
    grantId = '';
    $('grant-form').reset();
    await showAccount();
    const done = tokens < 0 ? 'taken back from' : 'granted to';
    say(`${number(Math.abs(tokens))} tokens are ${done} ${account}.`);
  });
});

$('grant-form').addEventListener('input', () => {
  grantId = '';
});
