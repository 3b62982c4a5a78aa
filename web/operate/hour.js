// The last hour as small plots: what ended in each minute, the slowest result of each, and how long all of them took.

import { bars, words } from './drawing.js';
import { clock, number } from './values.js';

const OUTCOMES = ['completed', 'fallback', 'failed', 'cancelled'];

// Return the four plots of the overview's `last_hour`.
export function hourPlots({ minutes, seconds_to_result, seconds_to_first_text }) {
  const slowest = minutes.reduce((one, other) => (other.slowest_s > one.slowest_s ? other : one));
  const told = slowest.slowest_s ? [`${number(slowest.slowest_s)} s at `, clock(slowest.at)] : ['no result'];
  const ended = minutes.map((minute) => OUTCOMES.map((outcome) => [outcome, minute[outcome]]));
  const most = Math.max(...ended.map((parts) => parts.reduce((total, [, tasks]) => total + tasks, 0)));
  return [
    bars(
      `Tasks that ended, ${number(most)} a minute at most`,
      ended,
      span(minutes),
      ...OUTCOMES.map((outcome) => sum(minutes, outcome)),
    ),
    bars(
      'Slowest result of each minute',
      minutes.map(({ slowest_s }) => [['completed', slowest_s]]),
      span(minutes),
      words(['Slowest: ', ...told]),
    ),
    histogram('Seconds to a result', seconds_to_result),
    histogram("Seconds to Gemini's first text", seconds_to_first_text),
  ];
}

function span(minutes) {
  const line = words([clock(minutes[0].at), clock(minutes.at(-1).at)]);
  line.className = 'span';
  return line;
}

function sum(minutes, outcome) {
  const tasks = minutes.reduce((total, minute) => total + minute[outcome], 0);
  return words([`${number(tasks)} ${outcome}`], `key ${outcome}`);
}

function histogram(caption, counts) {
  const bounds = Object.keys(counts).sort((one, other) => bound(one) - bound(other)); // JSON's order is not JavaScript's
  const told = bounds.flatMap((name) => (counts[name] ? [`${named(name)}: ${number(counts[name])}`] : []));
  const columns = bounds.map((name) => [['completed', counts[name]]]);
  return bars(caption, columns, words([told.join(' · ') || 'none in the last hour']));
}

function bound(name) {
  return name === 'more' ? Infinity : Number(name);
}

function named(name) {
  return name === 'more' ? 'more' : `to ${number(Number(name))} s`;
}
