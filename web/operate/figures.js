// What the operator's page makes of /metrics: a few figures, the causes of what went wrong.

import { number, when } from './values.js';

const CANCELLED = { outcome: 'failed', error_code: 'cancelled' }; // as /metrics has it
const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

// Return the samples of Prometheus' text: { name, labels, value }.
export function parseMetrics(text) {
  return text.split('\n').flatMap((line) => {
    const found = SAMPLE.exec(line);
    if (!found) return [];
    const labels = Object.fromEntries([...(found[2] ?? '').matchAll(LABEL)].map((label) => [label[1], label[2]]));
    return [{ name: found[1], labels, value: Number(found[3]) }];
  });
}

function sum(samples, name, wanted = {}) {
  const fits = (labels) => Object.entries(wanted).every(([label, value]) => labels[label] === value);
  return samples
    .filter((sample) => sample.name === name && fits(sample.labels))
    .reduce((total, { value }) => total + value, 0);
}

// Return how many errors of Redis came since the samples before; none where those are of another process.
function newRedisErrors(samples, before) {
  const [start, errors] = ['process_start_time_seconds', 'prompt_redis_errors_total'];
  return sum(before, start) === sum(samples, start) ? sum(samples, errors) - sum(before, errors) : 0;
}

// Return [name, text or element, whether it is bad] of each figure; `before` are the last samples.
export function figures(samples, before) {
  const of = (name, labels) => sum(samples, name, labels);
  const shown = (name, labels) => number(of(name, labels));
  const open = samples.filter(
    ({ name, labels, value }) => name === 'prompt_gemini_breaker_state' && labels.state !== 'closed' && value,
  );
  const away = of('prompt_redis_masters', { state: 'away' });
  const errors = shown('prompt_redis_errors_total');
  const newErrors = newRedisErrors(samples, before);
  const waiting = of('prompt_tasks_unfinished', { state: 'waiting' });
  const oldest = Math.max(
    0,
    ...samples.filter(({ name }) => name === 'prompt_periodic_work_age_seconds').map(({ value }) => value),
  );
  const ended = (outcome) => of('prompt_tasks_finished_total', { outcome });
  const cancelled = of('prompt_tasks_finished_total', CANCELLED);
  const started = of('process_start_time_seconds');
  return [
    [
      'Tasks running',
      `${shown('prompt_tasks_unfinished', { state: 'running' })} of ${shown('prompt_tasks_unfinished_limit', { state: 'running' })}`,
    ],
    [
      'Tasks waiting',
      `${number(waiting)} of ${shown('prompt_tasks_unfinished_limit', { state: 'waiting' })}`,
      waiting > 0,
    ],
    [
      'Completed, fallback, failed, cancelled',
      [ended('completed'), ended('fallback'), ended('failed') - cancelled, cancelled].map(number).join(', '),
    ],
    [
      'Gemini circuit breaker',
      open.map(({ labels }) => `${labels.model}: ${labels.state}`).join(', ') || 'closed',
      open.length > 0,
    ],
    ['Requests to Gemini', `${shown('prompt_gemini_requests_open')} of ${shown('prompt_gemini_requests_open_limit')}`],
    [
      'Redis masters',
      away ? `${away} away` : `${shown('prompt_redis_masters', { state: 'connected' })} connected`,
      away > 0,
    ],
    ['Redis errors', newErrors ? `${errors}, ${number(newErrors)} new` : errors, newErrors > 0],
    ['Connections', `${shown('prompt_http_connections')} of ${shown('prompt_http_connections_limit')}`],
    [
      'Event streams, waiting polls',
      `${shown('prompt_http_waits_open', { kind: 'stream' })}, ${shown('prompt_http_waits_open', { kind: 'poll' })}`,
    ],
    ['Tokens charged', shown('prompt_tokens_charged_total')],
    ['Last turn of renewal or reaper', `${number(Math.round(oldest))} s ago`, oldest > 60],
    ['Up since', started ? when(new Date(1000 * started).toISOString()) : '—'],
  ];
}

function isCancelled({ outcome, error_code }) {
  return outcome === CANCELLED.outcome && error_code === CANCELLED.error_code;
}

// Return [outcome, cause, tasks] of what did not go as it should, the most frequent first; a cancellation did.
export function causes(samples) {
  return samples
    .filter(
      ({ name, labels, value }) =>
        name === 'prompt_tasks_finished_total' && labels.outcome !== 'completed' && !isCancelled(labels) && value,
    )
    .sort((one, other) => other.value - one.value)
    .map(({ labels, value }) => [labels.outcome, labels.error_code, number(value)]);
}
