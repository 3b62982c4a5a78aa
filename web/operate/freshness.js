// How old the parts of the operator's page are: each says when the server last answered for it.

import { $ } from './session.js';
import { second } from './values.js';

// The part shows an answer of this moment.
export function fresh(part) {
  const mark = $(`${part}-as-of`);
  delete mark.dataset.state;
  mark.replaceChildren('As of ', second(new Date().toISOString()));
}

// The part goes on showing what it did: it could not be read again.
export function stale(part) {
  const mark = $(`${part}-as-of`);
  if (mark.dataset.state === 'bad' || !mark.textContent) return;
  mark.dataset.state = 'bad';
  mark.append(', not refreshed since');
}

// Return a reading of the part that marks it where it fails.
export function marked(part, read) {
  return async () => {
    try {
      await read();
    } catch (error) {
      stale(part);
      throw error;
    }
  };
}

// Do all of it, whatever fails; the first failure is the one that is told.
export async function all(...works) {
  const ends = await Promise.allSettled(works.map((work) => work()));
  const failed = ends.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}
