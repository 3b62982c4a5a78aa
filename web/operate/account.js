// One account on the operator's page: its tokens, tasks, deliveries and keys, and what can be done about them.

import { $, ask, attempt, say } from './session.js';
import { action, fill, irrevocable } from './acting.js';
import { cells, definition, replace } from './drawing.js';
import { number, when } from './values.js';

let account = '';
let grantId = ''; // of the grant that is being made: sent again, it counts once
let deliveries = []; // of the pages that were asked for, the newest first
let older = null; // `before` of the next page

const pathOf = (rest = '') => `accounts/${encodeURIComponent(account)}/${rest}`;
const wanted = () => $('task-id').value.trim().toLowerCase();

export async function showAccount() {
  const [shown, tasks, keys, page] = await Promise.all([
    ask('GET', pathOf()),
    ask('GET', pathOf('tasks/')),
    ask('GET', pathOf('keys/')),
    ask('GET', pathOf('deliveries/')),
  ]);
  const facts = Object.entries(shown.account).filter(([name]) => name !== 'success');
  replace($('balance'), ...facts.map(([name, value]) => definition(name.replaceAll('_', ' '), fact(name, value))));
  fill($('tasks'), tasks.tasks.filter((task) => !wanted() || task.task_id === wanted()).map(taskRow));
  fill($('keys'), keys.keys.map(keyRow));
  deliveries = page.deliveries;
  older = page.next;
  showDeliveries();
  $('account').hidden = false;
}

// Show this account from now on.
async function find(accountId) {
  leaveAccount();
  account = accountId;
  await showAccount();
}

// Ask for the newest deliveries again while one of those shown is still to be tried.
export async function followDeliveries() {
  if ($('account').hidden || !deliveries.some(({ state }) => state === 'pending')) return;
  const asked = account;
  const page = await ask('GET', pathOf('deliveries/'));
  if (account !== asked) return;
  const fresh = new Set(page.deliveries.map(({ id }) => id));
  deliveries = [...page.deliveries, ...deliveries.filter(({ id }) => !fresh.has(id))];
  showDeliveries();
}

export function leaveAccount() {
  $('account').hidden = true;
}

function showDeliveries() {
  fill($('deliveries'), deliveries.filter((one) => !wanted() || one.task_id === wanted()).map(deliveryRow));
  $('older-deliveries').hidden = older === null;
}

function fact(name, value) {
  if (value === null) return '—';
  if (typeof value === 'number') return number(value);
  return /_(at|until)$/.test(name) ? when(value) : String(value);
}

function taskRow(task) {
  const over = task.status === 'completed' || task.status === 'failed';
  const why = task.error_code ?? task.fallback_reason ?? task.warning_code ?? '';
  const cancel = over
    ? ''
    : irrevocable('Cancel', `Cancel task ${task.task_id}`, async () => {
        await ask('POST', pathOf(`tasks/${task.task_id}/cancel/`));
        await showAccount();
        say(`Task ${task.task_id} is cancelled.`);
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
    await find($('account-id').value.trim());
  });
});

$('older-deliveries').addEventListener('click', ({ currentTarget }) => {
  attempt(currentTarget, async () => {
    const page = await ask('GET', pathOf(`deliveries/?before=${encodeURIComponent(older)}`));
    deliveries.push(...page.deliveries);
    older = page.next;
    showDeliveries();
  });
});

$('grant-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    const tokens = Number($('grant-tokens').value);
    grantId ||= `operate-${Date.now()}-${Math.random().toString(36).slice(2)}`;
    await ask('POST', pathOf('grants/'), { grant_id: grantId, tokens, reason: $('grant-reason').value });
    grantId = '';
    $('grant-form').reset();
    await showAccount();
    say(`${number(tokens)} tokens are granted to ${account}.`);
  });
});

$('grant-form').addEventListener('input', () => {
  grantId = '';
});
