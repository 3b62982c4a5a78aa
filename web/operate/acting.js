// Rows with buttons on the operator's page: what is done about them, and where the focus goes afterwards.

import { attempt } from './session.js';
import { cells, replace } from './drawing.js';

// The one button that waits for a confirmation, and the rows that came for its table meanwhile; else null.
let armed = null;

// Show the rows, or that there are none; the focus stays with the button that has the same name. A table with a button
// that waits for a confirmation gets them afterwards: nothing else may come under the operator's finger.
export function fill(body, rows) {
  if (armed && body.contains(armed.button)) {
    armed.rows = rows;
    return;
  }
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
  name(button, word, label);
  button.addEventListener('click', () => {
    const body = button.closest('tbody');
    disarm();
    attempt(button, async () => {
      await work();
      focusAgain(body, label);
    });
  });
  return button;
}

function name(button, word, label) {
  button.textContent = word;
  button.setAttribute('aria-label', label);
}

// The same, with a confirmation before an action that cannot be reverted. The second click of a double click confirms
// nothing, and a key that is held down is one press.
export function irrevocable(word, label, work) {
  const button = action(word, label, work);
  const isArmed = () => armed?.button === button;
  button.tabIndex = 0; // else Safari takes the focus from a button that is clicked, which would disarm it
  button.addEventListener(
    'click',
    (event) => {
      if (isArmed() && event.detail <= 1) return;
      event.stopImmediatePropagation();
      if (event.detail <= 1) arm(button, word, label);
    },
    true,
  );
  button.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && isArmed()) disarm();
    if (event.key === 'Enter' && event.repeat) event.preventDefault();
  });
  button.addEventListener('blur', () => setTimeout(() => isArmed() && disarm())); // once the focus is where it goes
  return button;
}

function arm(button, word, label) {
  disarm();
  button.focus();
  armed = { button, word, label, rows: null };
  name(button, `Really ${word.toLowerCase()}?`, `Really: ${label}?`);
}

// Ask for no confirmation any more, and show what came meanwhile.
export function disarm() {
  if (!armed) return;
  const { button, word, label, rows } = armed;
  armed = null;
  const body = button.closest('tbody');
  name(button, word, label);
  if (rows) fill(body, rows);
}
