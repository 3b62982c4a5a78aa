// The webhooks of all accounts whose last try failed: the newest, older ones when they are asked for, and once more.

import { $, Refused, ask, attempt, done, newest } from './session.js';
import { action, fill } from './acting.js';
import { cells, named } from './drawing.js';
import { fresh, marked } from './freshness.js';
import { number, when } from './values.js';

let shown = []; // of the pages that were asked for, the last failure first
let older = null; // `before` of the next page
const asking = newest();
let extended = false; // older ones are shown, or asked for: the list stays as it is until something is done

export const showFailed = marked('failed', async () => {
  const isNewest = asking();
  const page = await ask('GET', 'failed-deliveries/');
  if (!isNewest()) return;
  [shown, older, extended] = [page.deliveries, page.next, false];
  draw();
  fresh('failed');
});

// Ask again, unless the operator reads older ones.
export async function followFailed() {
  if (!extended) await showFailed();
}

function draw() {
  fill($('failed-deliveries'), shown.map(row));
  $('older-failed').hidden = older === null;
}

function row(one) {
  const again = action('Send again', `Send again: failed delivery ${one.id}`, async () => {
    await ask(
      'POST',
      `accounts/${encodeURIComponent(one.account_id)}/deliveries/${encodeURIComponent(one.id)}/resend/`,
    );
    await done(`Delivery ${one.id} is sent again.`, showFailed);
  });
  const due = one.due_at === null ? 'no more' : when(one.due_at);
  const made = cells(
    [when(one.failed_at), named(one.account_id), one.type, number(one.tries), one.last, due, again, one.id],
    7,
  );
  if (one.state === 'failed') made.dataset.state = 'bad';
  return made;
}

$('older-failed').addEventListener('click', ({ currentTarget }) => {
  attempt(currentTarget, async () => {
    const [isNewest, was] = [asking(), extended];
    extended = true; // no refresh comes between
    try {
      const page = await ask('GET', `failed-deliveries/?before=${encodeURIComponent(older)}`);
      if (!isNewest()) throw new Refused('The failures were read anew meanwhile. Ask for older ones again.');
      shown.push(...page.deliveries);
      older = page.next;
      draw();
    } catch (error) {
      extended &&= was; // unless the list was read anew
      throw error;
    }
  });
});
