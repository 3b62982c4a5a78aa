// One tab's connection with the admin API: the key, the requests, and the messages for the operator.

const ANSWERED_WITHIN_MS = 30_000;
const root = document.body.dataset.root;
export const $ = (id) => document.getElementById(id);
let adminKey = '';

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

// Ask with this key from now on; an empty one ends the connection.
export function takeKey(key) {
  adminKey = key;
}

export function connected() {
  return adminKey !== '';
}

export async function ask(method, path, body) {
  const answer = await fetch(`${root}api/v1/admin/${path}`, {
    method,
    headers: { Authorization: `Bearer ${adminKey}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
    body: body && JSON.stringify(body),
    cache: 'no-store',
    signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
  });
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Refused(
      `${document.error ?? answer.status} (request ${answer.headers.get('X-Request-ID')})`,
      answer.status,
    );
  return document;
}

// Return the text of /metrics, or null where it cannot be reached from here.
export async function metrics() {
  const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS);
  const answer = await fetch(`${root}metrics`, { cache: 'no-store', signal }).catch(() => null);
  return answer?.ok ? answer.text() : null;
}

export function say(text, kind = 'done') {
  $('said').textContent = text;
  $('said').dataset.kind = kind;
}

// Show what came of something that was done, and say that it was: also where it cannot be shown.
export async function done(text, show) {
  try {
    await show();
  } catch (error) {
    throw new Refused(`${text} It cannot be shown now: ${wordsOf(error)}`, error.status);
  }
  say(text);
}

// Run what the operator asked for; a button is not taken twice meanwhile.
export async function attempt(button, work) {
  if (button) button.disabled = true;
  try {
    await work();
  } catch (error) {
    say(wordsOf(error), 'error');
  } finally {
    if (button) button.disabled = false;
  }
}

// Return a function to call before a question: what that returns says, once the answer is there, whether no newer
// question was asked meanwhile. A part of the page shows the newest answer only.
export function newest() {
  let asked = 0;
  return () => {
    const mine = (asked += 1);
    return () => mine === asked;
  };
}

// Whether the error is that the key is not taken.
export function isOfTheKey({ status }) {
  return status === 401 || status === 403;
}

let refreshing = false;
let trouble = ''; // what was said when the page could not be refreshed

// Refresh the page, unless the last refresh still waits. What is wrong is said once, and no longer than it lasts; `refused` is called when the key is.
export async function refresh(work, refused) {
  if (refreshing) return;
  refreshing = true;
  const key = adminKey;
  try {
    await work();
    if (trouble && $('said').textContent === trouble) say('');
    trouble = '';
  } catch (error) {
    if (adminKey !== key) return; // the operator has gone
    const noMore = isOfTheKey(error);
    if (noMore) refused();
    if (!trouble || noMore) say(wordsOf(error), 'error');
    trouble = noMore ? '' : $('said').textContent;
  } finally {
    refreshing = false;
  }
}

// Return what is said of an error.
export function wordsOf(error) {
  return error instanceof Refused ? error.message : 'The server does not answer.';
}
