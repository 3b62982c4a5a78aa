/** The server, pretended: it answers as the real one does, from one of the states. */

export const TASK = '11111111-2222-4333-8444-555555555555';
const ACCOUNT = {
  account_id: 'acc_gallery',
  name: 'Bakery',
  business_type: 'restaurant',
  subscription_active: true,
  subscription_until: '2030-01-10T12:00:00Z',
  tokens_remaining: 48_210,
  tokens_held: 0,
  tokens_charged: 1_790,
  tokens_granted: 50_000,
  minimum_tokens: 700,
  business_types: ['hotel', 'online_shop', 'restaurant'],
};
const ENTRIES = [
  { id: '2', at: '2030-01-10T11:59:00Z', kind: 'settle', tokens: 912, balance: 48_210, held: 0, charged: 1_790 },
  { id: '1', at: '2030-01-10T11:00:00Z', kind: 'grant', tokens: 50_000, balance: 50_000, held: 0, charged: 0 },
];
export const PUSH = { key: 'BA', endpoint: 'https://push.example.com/gallery' };
const NOT_SOON = { 'Retry-After': '3600' }; // nobody waits for that
const BUSY = { success: false, message: 'Server is busy', error_code: 'server_busy' };
const NEVER = new Promise(() => {});

const whole = (document, index) => ({
  task_id: TASK,
  created_at: new Date().toISOString(),
  attempt: 1,
  version: index + 1,
  ...document,
});
const json = (body, status = 200, headers = status === 429 || status === 503 ? NOT_SOON : {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });

/** @returns {typeof fetch} */
export function pretendedFetch(state) {
  const documents = (state.documents ?? []).map(whole);
  return async (url, { method = 'GET', signal } = {}) => {
    const path = new URL(url, location.href).pathname;
    const answer = await Promise.race([answerTo(state, documents, path, method, signal), aborted(signal)]);
    signal?.throwIfAborted();
    return answer;
  };
}

async function answerTo(state, documents, path, method, signal) {
  if (path.endsWith('/account/ledger/')) {
    return json({ entries: ENTRIES, next: null });
  }
  if (path.endsWith('/account/')) {
    const web_push_key = state.notify ? PUSH.key : null;
    return state.nobody
      ? json(state.submits.body, state.submits.http)
      : json({ ...ACCOUNT, web_push_key, ...state.account });
  }
  if (path.endsWith('/push-subscriptions/')) {
    state.notify = { POST: 'on', DELETE: 'off' }[method] ?? state.notify;
    const subscriptions = state.notify === 'on' ? [{ endpoint: PUSH.endpoint }] : [];
    return json({ success: true, web_push_key: PUSH.key, subscriptions });
  }
  if (path.includes('/cancel/')) {
    return state.cancel === 'never'
      ? NEVER
      : json(whole({ status: 'failed', progress: 100, message: 'Generation cancelled', error_code: 'cancelled' }, 99));
  }
  if (/\/(events|status)\//.test(path)) {
    if (state.breaks && state.broken) {
      return state.breaks === 'busy' ? json(BUSY, 503, { 'Retry-After': '20' }) : NEVER;
    }
    return state.http
      ? json(state.body, state.http)
      : path.includes('/events/')
        ? events(state, documents, signal)
        : json(documents.at(-1) ?? whole({ status: 'queued', progress: 0 }, 0));
  }
  return method === 'POST' ? submitted(state.submits ?? {}) : json({ tasks: documents });
}

function submitted({ http = 202, body = { success: true, task_id: TASK, status: 'queued' }, never }) {
  if (http === 0) {
    throw new TypeError('Failed to fetch');
  }
  return never ? NEVER : json(body, http);
}

/** All at once, and then nothing but signs of life: the state stays. */
function events(state, documents, signal) {
  const lines = documents.map((document) => event('status', document));
  if (state.text) {
    lines.push(event('chunk', { attempt: 1, text: state.text }));
  }
  const ends = /completed|failed/.test(documents.at(-1)?.status ?? '') || state.breaks;
  state.broken = true;
  let alive;
  const stream = new ReadableStream({
    start(controller) {
      const send = (text) => controller.enqueue(new TextEncoder().encode(text));
      send(lines.join(''));
      signal?.addEventListener('abort', () => {
        clearInterval(alive);
        ends || controller.error(signal.reason);
      });
      if (ends) {
        controller.close();
      } else {
        alive = setInterval(() => send(':\n\n'), 500);
      }
    },
    cancel: () => clearInterval(alive),
  });
  return new Response(stream, { headers: { 'Content-Type': 'text/event-stream' } });
}

const event = (type, data) => `event: ${type}\nid: ${data.version ?? 'text'}\ndata: ${JSON.stringify(data)}\n\n`;

function aborted(signal) {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}
