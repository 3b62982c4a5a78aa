// The operator's page: what the process that answers is doing, and one account with its tasks, tokens and keys.

import { BUCKETS, causes, figures, parseMetrics, perBucket } from './figures.js';
import { bars, cells, definition, replace } from './drawing.js';

const root = document.body.dataset.root;
const EVERY_MS = 5000;
const $ = (id) => document.getElementById(id);
let adminKey = '';
let account = '';
let grantId = ''; // of the grant that is being made: sent again, it counts once

class Refused extends Error {}

async function ask(method, path, body) {
  const answer = await fetch(`${root}api/v1/admin/${path}`, {
    method,
    headers: { Authorization: `Bearer ${adminKey}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
    body: body && JSON.stringify(body),
    cache: 'no-store',
  });
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Refused(`${document.error ?? answer.status} (request ${answer.headers.get('X-Request-ID')})`);
  return document;
}

function say(text, kind = 'done') {
  $('said').textContent = text;
  $('said').dataset.kind = kind;
}

// Run what the operator asked for; a button is not taken twice meanwhile.
async function attempt(button, work) {
  if (button) button.disabled = true;
  try {
    await work();
  } catch (error) {
    say(error instanceof Refused ? error.message : 'The server does not answer.', 'error');
  } finally {
    if (button) button.disabled = false;
  }
}

async function showService() {
  const whole = await ask('GET', 'overview/');
  const breakers = Object.entries(whole.breakers);
  const open = breakers.some(([, state]) => state !== 'closed');
  replace(
    $('service'),
    definition('Tasks running', String(whole.running)),
    definition('Tasks waiting', String(whole.waiting), whole.waiting > 0),
    definition(
      'Oldest unfinished task',
      whole.oldest_unfinished_s === null ? 'none' : `${whole.oldest_unfinished_s.toFixed(0)} s old`,
    ),
    definition('Takeovers', String(whole.takeovers)),
    definition('Gemini circuit breakers', breakers.map(([model, state]) => `${model}: ${state}`).join(', '), open),
    definition('Processes alive', String(whole.processes.length)),
  );
  const rows = whole.processes.map((one) =>
    cells(
      [
        one.id,
        one.version,
        one.started_at,
        String(one.running),
        String(one.waiting),
        String(one.takeovers),
        `${Math.round(1000 * one.lag_s)} ms`,
      ],
      0,
    ),
  );
  replace($('processes'), ...rows);
  const failures = whole.failures.map((one) => cells([one.at, one.outcome, one.error_code]));
  replace($('last-failures'), ...(failures.length ? failures : [cells(['none', '', ''])]));
}

async function showProcess() {
  const answer = await fetch(`${root}metrics`, { cache: 'no-store' }).catch(() => null);
  if (!answer?.ok) {
    replace($('figures'), definition('Metrics', 'not reachable from here', true));
    return;
  }
  const samples = parseMetrics(await answer.text());
  replace($('figures'), ...figures(samples).map((figure) => definition(...figure)));
  const outcomes = perBucket(samples, 'prompt_task_duration_seconds', (labels) => labels.outcome !== 'failed');
  const firstText = perBucket(samples, 'prompt_first_text_seconds', () => true);
  replace(
    $('plots'),
    bars('Seconds from submit to a result, tasks since the start', outcomes, BUCKETS),
    bars('Seconds from submit to the first text, tasks since the start', firstText, BUCKETS),
  );
  const rows = causes(samples).map((row) => cells(row));
  replace($('failures'), ...(rows.length ? rows : [cells(['none', '', '0'])]));
}

async function showAccount() {
  const path = `accounts/${encodeURIComponent(account)}/`;
  const [shown, tasks, keys] = await Promise.all([
    ask('GET', path),
    ask('GET', `${path}tasks/`),
    ask('GET', `${path}keys/`),
  ]);
  const facts = Object.entries(shown.account).filter(([name]) => name !== 'success');
  replace($('balance'), ...facts.map(([name, value]) => definition(name.replaceAll('_', ' '), String(value ?? '—'))));
  const wanted = $('task-id').value.trim().toLowerCase();
  const found = tasks.tasks.filter((task) => !wanted || task.task_id === wanted);
  replace($('tasks'), ...(found.length ? found.map(taskRow) : [cells(['none', '', '', '', '', ''])]));
  replace($('keys'), ...(keys.keys.length ? keys.keys.map(keyRow) : [cells(['none', '', '', ''])]));
  $('account').hidden = false;
}

function taskRow(task) {
  const over = task.status === 'completed' || task.status === 'failed';
  const why = task.error_code ?? task.fallback_reason ?? task.warning_code ?? '';
  const path = `accounts/${encodeURIComponent(account)}/tasks/${task.task_id}/cancel/`;
  const cancel = over
    ? ''
    : action('Cancel', `Cancel task ${task.task_id}`, async () => {
        await ask('POST', path);
        say(`Task ${task.task_id} is cancelled.`);
      });
  return cells([task.created_at, task.task_id, `${task.status} ${task.progress} %`, task.stage, why, cancel], 1);
}

function keyRow(key) {
  const path = `accounts/${encodeURIComponent(account)}/keys/${encodeURIComponent(key.key_id)}/`;
  const revoke = key.revoked_at
    ? `revoked ${key.revoked_at}`
    : action('Revoke', `Revoke key ${key.key_id}`, async () => {
        await ask('DELETE', path);
        say(`Key ${key.key_id} is revoked.`);
      });
  return cells([key.key_id, key.label, key.created_at, revoke], 0);
}

// A button that asks once more before it does something that cannot be undone.
function action(word, label, work) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.textContent = word;
  button.setAttribute('aria-label', label);
  button.addEventListener('click', () => {
    if (!button.dataset.sure) {
      button.dataset.sure = 'asked';
      button.textContent = `Really ${word.toLowerCase()}?`;
      button.setAttribute('aria-label', `Really: ${label}?`);
      return;
    }
    attempt(button, async () => {
      await work();
      await showAccount();
    });
  });
  return button;
}

function disconnect() {
  adminKey = '';
  $('key-section').hidden = false;
  $('work').hidden = $('forget-key').hidden = true;
  $('account').hidden = true;
  $('admin-key').focus();
}

$('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    adminKey = $('admin-key').value.trim();
    await showService();
    $('admin-key').value = '';
    say('');
    await showProcess();
    $('key-section').hidden = true;
    $('work').hidden = $('forget-key').hidden = false;
    $('account-id').focus();
  });
});

$('forget-key').addEventListener('click', disconnect);

$('search-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    $('account').hidden = true;
    account = $('account-id').value.trim();
    say('');
    await showAccount();
  });
});

$('grant-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    const tokens = Number($('grant-tokens').value);
    grantId ||= `operate-${Date.now()}-${Math.random().toString(36).slice(2)}`;
    const grant = { grant_id: grantId, tokens, reason: $('grant-reason').value };
    await ask('POST', `accounts/${encodeURIComponent(account)}/grants/`, grant);
    grantId = '';
    $('grant-form').reset();
    await showAccount();
    say(`${tokens} tokens are granted to ${account}.`);
  });
});

$('grant-form').addEventListener('input', () => {
  grantId = '';
});

setInterval(() => {
  if (!adminKey || document.hidden || $('work').hidden) return;
  attempt(null, async () => {
    await showService();
    await showProcess();
  });
}, EVERY_MS);
