/** Nothing is paid twice, and nothing is said that is not so: each request's fate is told here, answer by answer. */

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  Cancelled,
  GenerationSession,
  NetworkError,
  PromptGeneratorAPI,
  Unauthorized,
} from '../../../web/client/src/index.js';
import { appStatePresence } from '../../../web/client/src/react-native.js';

const TASK = 'task-1';
const json = (status, body, headers) => new Response(JSON.stringify(body), { status, headers });
const accepted = () => json(202, { task_id: TASK });
const done = () => json(200, { task_id: TASK, status: 'completed', progress: 100, prompt: 'Better.', message: 'Done' });
const running = () => json(200, { task_id: TASK, status: 'processing', progress: 70, message: 'Waiting' });
const cancelled = () =>
  json(200, { task_id: TASK, status: 'failed', progress: 100, message: 'Cancelled', error_code: 'cancelled' });
const refused = (status, error_code) => json(status, { success: false, message: 'No', error: 'No.', error_code });
const lost = () => {
  throw new TypeError('fetch failed');
};

class Storage extends Map {
  getItem = (name) => this.get(name) ?? null;
  setItem = (name, value) => this.set(name, value);
  removeItem = (name) => this.delete(name);
}

class Presence {
  state = 'active';
  listeners = new Set();
  subscribe = (listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  become(state) {
    this.state = state;
    for (const listener of this.listeners) {
      listener();
    }
  }
}

/** A server that answers submits and polls in this order, the last answer again and again, and a session with it. */
function world({
  submits = [accepted],
  polls = [done],
  cancels = [cancelled],
  token = 'key',
  storage,
  ...options
} = {}) {
  const sent = { submits: [], polls: [], cancels: [] };
  const answers = { submits, polls, cancels };
  const fetch = async (url, { method, headers, signal }) => {
    const kind = url.includes('/cancel/') ? 'cancels' : method === 'POST' ? 'submits' : 'polls';
    const answer =
      answers[kind][Math.min(sent[kind].push(headers['Idempotency-Key'] ?? url) - 1, answers[kind].length - 1)];
    return answer(signal);
  };
  const client = new PromptGeneratorAPI('http://server', token, { fetch, events: false, retryDelayMs: 1, ...options });
  const kept = storage ?? new Storage();
  const session = new GenerationSession(client, { storage: kept });
  const reaches = (condition) =>
    new Promise((resolve) => {
      const look = () => condition(session.getState()) && resolve(session.getState());
      session.subscribe(look);
      look();
    });
  const ends = () => reaches(({ phase }) => phase === 'completed' || phase === 'failed');
  return { session, client, storage: kept, sent, answers, reaches, ends };
}

const never = async (signal) => {
  signal.throwIfAborted(); // as fetch does
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
};

for (const [name, refusal] of [
  ['too many requests', () => refused(429, 'too_many_tasks')],
  ['an expired key', () => refused(401, 'unauthorized')],
]) {
  test(`a submit whose first try may have arrived keeps its key over ${name}, also over a reload`, async () => {
    const { session, storage, sent, ends } = world({ submits: [lost, refusal, accepted] });
    session.generate('Bakery');
    assert.ok((await ends()).error.idempotencyKey);
    const after = world({ storage, submits: [refusal, accepted] });
    after.session.connect();
    await after.ends();
    assert.equal(after.sent.submits[0], sent.submits[0], 'after the reload');
    assert.ok(after.session.getState().error.idempotencyKey, 'also when it is refused once more');
    after.session.retry();
    await after.reaches(({ phase }) => phase === 'completed');
    assert.equal(after.sent.submits[1], sent.submits[0]);
    assert.equal(storage.size, 0);
  });
}

test('a token function that fails after a try that may have arrived costs no key', async () => {
  let asked = 0;
  const token = () => {
    if ((asked += 1) > 1) {
      throw new Error('refresh failed');
    }
    return 'key';
  };
  const { session, ends } = world({ submits: [lost], token });
  session.generate('Bakery');
  const { error } = await ends();
  assert.ok(error instanceof Unauthorized && error.idempotencyKey);
});

test('a submit that was refused at once, and a key of another prompt, leave no key', async () => {
  for (const submits of [[() => refused(401, 'unauthorized')], [lost, () => refused(422, 'idempotency_key_reused')]]) {
    const { session, storage, ends } = world({ submits });
    session.generate('Bakery');
    assert.equal((await ends()).error.idempotencyKey, undefined);
    assert.equal(storage.size, 0);
  }
});

test('an abort by a caller, whatever its reason, stays what it is', async () => {
  const { client } = world({ submits: [lost, never] });
  const controller = new AbortController();
  const generating = client.generate('Bakery', {
    signal: controller.signal,
    onConnection: () => controller.abort('enough'),
  });
  await assert.rejects(generating, (reason) => reason === 'enough');
});

test('the same prompt generated anew after a failure of unknown fate is the same generation', async () => {
  const { session, sent, ends, reaches } = world({ submits: [lost, accepted], retries: 0 });
  session.generate('Bakery', { businessType: 'hotel' });
  await ends();
  session.generate('Bakery', { businessType: 'hotel', feedback: undefined });
  await reaches(({ phase }) => phase === 'completed');
  assert.equal(new Set(sent.submits).size, 1);
  session.generate('Bakery', { businessType: 'hotel' });
  await reaches(({ phase }) => phase === 'completed');
  assert.equal(new Set(sent.submits).size, 2, 'and after a result it is another one');
});

test('another wish after a failure of unknown fate is another generation', async () => {
  const { session, sent, ends } = world({ submits: [lost, accepted], retries: 0 });
  session.generate('Bakery');
  await ends();
  session.generate('Bakery', { feedback: 'Shorter.' });
  await ends();
  assert.equal(new Set(sent.submits).size, 2);
});

test('what may still run after a failure of the watch is watched on by the same prompt, and by a reload', async () => {
  const { session, storage, sent, ends, reaches } = world({ polls: [lost, done], retries: 0 });
  session.generate('Bakery');
  assert.ok((await ends()).error instanceof NetworkError);
  session.connect();
  assert.equal(session.getState().phase, 'failed', 'a component that comes back begins nothing by itself');
  const after = world({ storage: new Storage(storage) });
  after.session.connect();
  assert.equal((await after.ends()).taskId, TASK);
  session.generate('Bakery');
  await reaches(({ phase }) => phase === 'completed');
  assert.deepEqual([sent.submits.length, after.sent.submits.length], [1, 0]);
});

test('what was waited for no longer is found by a reload', async () => {
  const { session, storage, sent, reaches } = world({ submits: [lost], retryDelayMs: 60_000 });
  session.generate('Bakery');
  await reaches(({ trouble }) => trouble);
  session.stop();
  const after = world({ storage });
  after.session.connect();
  await after.ends();
  assert.deepEqual(after.sent.submits, sent.submits);
});

test('a key of long ago begins nothing by itself', async (t) => {
  const { session, storage, ends } = world({ submits: [lost], retries: 0 });
  session.generate('Bakery');
  await ends();
  const real = Date.now;
  t.mock.method(Date, 'now', () => real() + 3_700_000);
  const after = world({ storage });
  after.session.connect();
  assert.equal(after.session.getState().phase, 'idle');
});

test('a token function without a network is no reason to sign in, and an error of ours stays its own', async () => {
  for (const cause of [new TypeError('fetch failed'), new NetworkError('No network.')]) {
    const token = async () => Promise.reject(cause);
    const { session, ends } = world({ token, retries: 0 });
    session.generate('Bakery');
    assert.ok((await ends()).error instanceof NetworkError);
  }
});

test('what broke off after its head is not said to be unsent', async () => {
  const presence = new Presence();
  presence.become('offline');
  const broken = () =>
    new Response(new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) }));
  const { session, reaches } = world({ submits: [broken], presence });
  session.generate('Bakery');
  const { connection } = await reaches((state) => state.connection);
  assert.equal(connection, 'offline');
  session.reset();
});

test('a cancel during a submit that fails is not forgotten by who takes it up', async () => {
  for (const take of ['retry', 'reload']) {
    const { session, storage, reaches, ends } = world({
      submits: [lost, lost, accepted],
      polls: [running],
      retries: 1,
      retryDelayMs: 5,
    });
    session.generate('Bakery');
    await reaches(({ trouble }) => trouble);
    void session.cancel();
    await ends();
    const { session: after, ends: over } = take === 'retry' ? { session, ends } : world({ storage, polls: [running] });
    take === 'retry' ? after.retry() : after.connect();
    assert.ok((await over()).error instanceof Cancelled);
  }
});

test('a cancel does not die with the watch', async () => {
  let let_go;
  const late = (signal) =>
    Promise.race([never(signal), new Promise((resolve) => (let_go = () => resolve(cancelled())))]);
  const { session, client, reaches } = world({ polls: [never], cancels: [late] });
  let document;
  const { cancel } = client;
  client.cancel = (...asked) => (document = cancel.apply(client, asked));
  session.generate('Bakery');
  await reaches(({ taskId }) => taskId);
  const cancelling = session.cancel();
  await new Promise((resolve) => setImmediate(resolve));
  session.disconnect();
  await new Promise((resolve) => setImmediate(resolve));
  let_go();
  assert.equal((await document).status, 'failed');
  await cancelling;
});

test('who signs in again after a cancel finds it cancelled', async () => {
  const { session, ends, answers } = world({
    polls: [() => refused(401, 'unauthorized')],
    cancels: [() => refused(401, 'unauthorized')],
  });
  session.generate('Bakery');
  await session.cancel();
  assert.ok((await ends()).error instanceof Unauthorized);
  answers.polls = [running];
  answers.cancels = [cancelled];
  session.retry();
  assert.ok((await ends()).error instanceof Cancelled);
});

test('another tab in front does not break a submit off', async () => {
  const presence = new Presence();
  let answer;
  const slow = (signal) =>
    new Promise((resolve, reject) => {
      answer = () => resolve(accepted());
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const { session, sent, ends, reaches } = world({ submits: [slow], presence });
  session.generate('Bakery');
  await new Promise((resolve) => setImmediate(resolve));
  presence.become('background');
  answer();
  await reaches(({ taskId }) => taskId);
  presence.become('active');
  await ends();
  assert.equal(sent.submits.length, 1);
});

test('trying again what was opened without its prompt watches on, whatever is written', async () => {
  const { session, sent, ends } = world({ polls: [lost, done], retries: 0 });
  session.open(TASK);
  await ends();
  session.retry('Something else');
  assert.equal((await ends()).phase, 'completed');
  assert.equal(sent.submits.length, 0);
});

test('a stranger’s status, or that of another task, does not stand in the way of the end', async () => {
  const strange = [{ status: 'maintenance' }, { status: 'completed', task_id: 'another' }];
  const { session, ends } = world({ polls: [...strange.map((body) => () => json(200, body)), done] });
  session.generate('Bakery');
  assert.equal((await ends()).result.prompt, 'Better.');
});

test('the error of a failed cancel goes with the next one', async () => {
  const { session, reaches } = world({ polls: [never], cancels: [() => refused(403, 'account_closed'), cancelled] });
  session.generate('Bakery');
  await reaches(({ taskId }) => taskId);
  await session.cancel();
  assert.ok(session.getState().error);
  void session.cancel();
  assert.equal(session.getState().error, null);
  await reaches(({ error }) => error instanceof Cancelled);
});

test('a slow opening is tried again, and only the second cut in a row is trouble', async (t) => {
  await new Promise((resolve) => setImmediate(resolve)); // the test before clears its timers, which a mocked clearTimeout would not
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const connections = [];
  let streams = 0;
  const fetch = async (url, { method, signal }) => {
    if (method === 'POST') {
      return accepted();
    }
    if (!url.includes('/events/')) {
      return running();
    }
    streams += 1;
    if (streams === 1) {
      return never(signal);
    }
    const event = (document) => `retry: 1\n\nevent: status\ndata: ${JSON.stringify(document)}\n\n`;
    const status = streams === 2 ? 'processing' : 'completed';
    return new Response(event({ task_id: TASK, status, message: '', version: streams }), {
      headers: { 'Content-Type': 'text/event-stream' },
    });
  };
  const client = new PromptGeneratorAPI('http://server', 'key', { fetch, events: true, retryDelayMs: 1 });
  const generating = client.generate('Bakery', { onConnection: (connection) => connections.push(connection) });
  let over = false;
  generating.finally(() => (over = true));
  for (let rounds = 0; !over && rounds < 200; rounds += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(200);
  }
  await generating;
  assert.equal(streams, 3);
  assert.deepEqual(new Set(connections), new Set(['polling', 'live']));
});

test('an account that a portal answers for is none', async () => {
  const client = new PromptGeneratorAPI('http://server', 'key', { fetch: async () => json(200, {}), retries: 0 });
  await assert.rejects(client.account(), { name: 'UnexpectedAnswer' });
});

test('an app that begins without a network knows so before its first request', () => {
  const appState = { currentState: 'active', addEventListener: () => ({ remove() {} }) };
  const netInfo = { addEventListener: (listener) => (listener({ isConnected: false }), () => {}) };
  assert.equal(appStatePresence(appState, netInfo).state, 'offline');
});
