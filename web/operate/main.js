// The operator's page: what the service and the process that answers are doing; account.js has one account.

import { causes, figures, parseMetrics } from './figures.js';
import { cells, definition, named, replace } from './drawing.js';
import { followFailed, showFailed } from './failed.js';
import { action, fill } from './acting.js';
import { all, fresh, marked, stale } from './freshness.js';
import { followAccount, leaveAccount, search } from './account.js';
import {
  $,
  Refused,
  ask,
  attempt,
  connected,
  isOfTheKey,
  metrics,
  newest,
  refresh,
  say,
  takeKey,
  wordsOf,
} from './session.js';
import { hourPlots } from './hour.js';
import { number, when } from './values.js';

const EVERY_MS = 5000;
const [entering, askingService, askingMetrics] = [newest(), newest(), newest()];
let lastSamples = []; // of /metrics

const showService = marked('service', async () => {
  const isNewest = askingService();
  const whole = await ask('GET', 'overview/');
  if (!isNewest()) return;
  const breakers = Object.entries(whole.breakers);
  const open = breakers.some(([, state]) => state !== 'closed');
  replace(
    $('service'),
    definition('Tasks running', number(whole.running)),
    definition('Tasks waiting', number(whole.waiting), whole.waiting > 0),
    definition(
      'Oldest unfinished task',
      whole.oldest_unfinished_s === null ? 'none' : `${number(Math.round(whole.oldest_unfinished_s))} s old`,
    ),
    definition('Takeovers', number(whole.takeovers)),
    definition('Gemini circuit breakers', breakers.map(([model, state]) => `${model}: ${state}`).join(', '), open),
    definition('Processes alive', number(whole.processes.length)),
  );
  fill($('oldest'), whole.oldest_unfinished.map(oldestRow));
  replace($('plots'), ...hourPlots(whole.last_hour));
  const rows = whole.processes.map((one) =>
    cells(
      [
        one.id,
        one.version,
        when(one.started_at),
        number(one.running),
        number(one.waiting),
        number(one.takeovers),
        `${number(Math.round(1000 * one.lag_s))} ms`,
      ],
      0,
    ),
  );
  replace($('processes'), ...rows);
  const failures = whole.failures.map((one) => cells([when(one.at), one.outcome, one.error_code]));
  replace($('last-failures'), ...(failures.length ? failures : [cells(['none', '', ''])]));
  fresh('service');
});

function oldestRow(task) {
  const show = action('Show', `Show task ${task.task_id}`, async () => {
    say('');
    $('account-id').value = '';
    $('task-id').value = task.task_id;
    await search(task.account_id, task.task_id);
    $('search-heading').focus();
  });
  const age = `${number(Math.round(task.age_s))} s`;
  return cells([when(task.created_at), age, task.state, named(task.account_id), show, task.task_id], 5);
}

const showProcess = marked('process', async () => {
  const isNewest = askingMetrics();
  const text = await metrics();
  if (!isNewest()) return;
  if (text === null) {
    replace($('figures'), definition('Metrics', 'not reachable from here', true));
    stale('process');
    return;
  }
  const samples = parseMetrics(text);
  replace($('figures'), ...figures(samples, lastSamples).map((figure) => definition(...figure)));
  lastSamples = samples;
  const rows = causes(samples).map((row) => cells(row));
  replace($('failures'), ...(rows.length ? rows : [cells(['none', '', '0'])]));
  fresh('process');
});

// Return the key; what cannot stand in a header is none.
function adminKeyIn(text) {
  if (!/^[!-~]+$/.test(text)) throw new Refused('This is no admin key: those begin with pa_ and have no spaces.');
  return text;
}

// Ask with no key any more, nor show the work for one that is on its way.
function forgetKey() {
  entering();
  takeKey('');
}

function disconnect() {
  forgetKey();
  $('key-section').hidden = false;
  $('work').hidden = $('forget-key').hidden = true;
  leaveAccount();
  $('admin-key').focus();
}

$('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    takeKey(adminKeyIn($('admin-key').value.trim()));
    await enter().catch((error) => {
      if (isOfTheKey(error)) disconnect();
      throw error;
    });
  });
});

// Another key is being written: that before it is not tried any more.
$('admin-key').addEventListener('input', forgetKey);

// Show the work, if the key is good. Where that cannot be known now it is said, and tried again with the next refresh.
async function enter() {
  const isNewest = entering();
  try {
    await showService();
  } catch (error) {
    if (!isNewest()) return;
    if (isOfTheKey(error)) throw error;
    throw new Refused(`The key cannot be checked now, and is tried again: ${wordsOf(error)}`, error.status);
  }
  if (!isNewest()) return;
  $('admin-key').value = '';
  say('');
  $('key-section').hidden = true;
  $('work').hidden = $('forget-key').hidden = false;
  $('service-heading').focus();
  await all(showFailed, showProcess);
}

$('forget-key').addEventListener('click', disconnect);

// A table that is wider than its place says so below.
const widths = new ResizeObserver((seen) => {
  for (const place of new Set(seen.map(({ target }) => target.closest('.scrolls'))))
    place.toggleAttribute('data-wide', place.scrollWidth > place.clientWidth);
});
for (const place of document.querySelectorAll('.scrolls')) {
  widths.observe(place);
  widths.observe(place.firstElementChild);
}

setInterval(() => {
  if (!connected() || document.hidden) return;
  refresh($('work').hidden ? enter : () => all(showService, followFailed, showProcess, followAccount), disconnect);
}, EVERY_MS);
