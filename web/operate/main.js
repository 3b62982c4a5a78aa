// The operator's page: what the service and the process that answers are doing; account.js has one account.

import { causes, figures, parseMetrics } from './figures.js';
import { cells, definition, replace } from './drawing.js';
import { followFailed, showFailed } from './failed.js';
import { followDeliveries, leaveAccount } from './account.js';
import { $, ask, attempt, connected, metrics, say, takeKey } from './session.js';
import { hourPlots } from './hour.js';
import { number, when } from './values.js';

const EVERY_MS = 5000;

async function showService() {
  const whole = await ask('GET', 'overview/');
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
}

async function showProcess() {
  const text = await metrics();
  if (text === null) {
    replace($('figures'), definition('Metrics', 'not reachable from here', true));
    return;
  }
  const samples = parseMetrics(text);
  replace($('figures'), ...figures(samples).map((figure) => definition(...figure)));
  const rows = causes(samples).map((row) => cells(row));
  replace($('failures'), ...(rows.length ? rows : [cells(['none', '', '0'])]));
}

function disconnect() {
  takeKey('');
  $('key-section').hidden = false;
  $('work').hidden = $('forget-key').hidden = true;
  leaveAccount();
  $('admin-key').focus();
}

$('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    takeKey($('admin-key').value.trim());
    await showService();
    $('admin-key').value = '';
    say('');
    await showFailed();
    await showProcess();
    $('key-section').hidden = true;
    $('work').hidden = $('forget-key').hidden = false;
    $('account-id').focus();
  });
});

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
  if (!connected() || document.hidden || $('work').hidden) return;
  attempt(null, async () => {
    await showService();
    await followFailed();
    await showProcess();
    await followDeliveries();
  });
}, EVERY_MS);
