// Rows with buttons on the operator's page: what is done about them, and where the focus goes afterwards.

import { attempt } from './session.js';
import { cells, replace } from './drawing.js';

// Show the rows, or that there are none; the focus stays with the button that has the same name.
export function fill(body, rows) {
  const focused = body.contains(document.activeElement) && document.activeElement.getAttribute('aria-label');
  const columns = body.parentElement.tHead.rows[0].cells.length;
  replace(body, ...(rows.length ? rows : [cells(['none', ...Array(columns - 1).fill('')])]));
  if (focused) focusAgain(body, focused);
}

function focusAgain(body, label) {
  if (document.activeElement !== document.body) return; // the operator has gone on
  const same = [...body.querySelectorAll('button')].find((button) => button.getAttribute('aria-label') === label);
  (same ?? body.closest('[role="region"]')).focus();
}

// A button that does its work, which also shows what has become of it.
export function action(word, label, work) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.textContent = word;
  button.setAttribute('aria-label', label);
  button.addEventListener('click', () => {
    const body = button.closest('tbody');
    attempt(button, async () => {
      await work();
      focusAgain(body, label);
    });
  });
  return button;
}

const REALLY = 'Really: ';

// Whether one of the rows waits for a confirmation: it must not be replaced now.
export function isAsking(body) {
  return body.querySelector(`[aria-label^="${REALLY}"]`) !== null;
}

// The same, with a confirmation before an action that cannot be reverted.
export function irrevocable(word, label, work) {
  const button = action(word, label, work);
  const ask = (event) => {
    event.stopImmediatePropagation();
    button.removeEventListener('click', ask, true);
    button.textContent = `Really ${word.toLowerCase()}?`;
    button.setAttribute('aria-label', `${REALLY}${label}?`);
  };
  button.addEventListener('click', ask, true);
  return button;
}
