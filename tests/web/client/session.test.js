/** One person's generation as a user interface sees it. */

import assert from 'node:assert/strict';
import test, { after, before, beforeEach } from 'node:test';
import {
  Cancelled,
  GenerationSession,
  InsufficientTokens,
  NetworkError,
  PromptGeneratorAPI,
  ServerUnavailable,
  Timeout,
  Unauthorized,
  UnexpectedAnswer,
} from '../../../web/client/src/index.js';
import { Proxy } from './proxy.js';
import { account, BAKERY, clientFor, eventually, SERVER, taking } from './server.js';

const { api_key: key } = account('session');
const proxy = new Proxy(SERVER);

before(() => proxy.up());
after(() => proxy.down());
beforeEach(() => {
  proxy.requests.length = 0;
  proxy.fault = () => undefined;
});

/** What sessionStorage is to a page. */
class Storage extends Map {
  getItem(name) {
    return this.get(name) ?? null;
  }
  setItem(name, value) {
    this.set(name, value);
  }
  removeItem(name) {
    this.delete(name);
  }
}

function sessionOn(client, storage = new Storage()) {
  const session = new GenerationSession(client, { storage });
  const states = [];
  session.subscribe(() => states.push(session.getState()));
  const reaches = (condition) => eventually(() => condition(session.getState()), 20_000);
  return { session, states, storage, reaches };
}

const behindProxy = (options) => new PromptGeneratorAPI(proxy.api, key, { retryDelayMs: 50, ...options });

test('feedback and a kind of business go with the prompt, also when it is tried again or taken up', async () => {
  const { session, storage, reaches } = sessionOn(behindProxy({ retries: 0 }));
  proxy.fault = ({ method }) => (method === 'POST' ? 'reset' : undefined);
  session.generate(BAKERY, { feedback: 'Say that we deliver.', businessType: 'hotel' });
  await reaches(({ phase }) => phase === 'failed');
  const { feedback, businessType } = session.getState();
  assert.deepEqual([feedback, businessType], ['Say that we deliver.', 'hotel']);
  session.retry();
  const kept = new Storage(storage);
  await reaches(({ phase }) => phase === 'failed');
  proxy.fault = () => undefined;
  const later = sessionOn(behindProxy(), kept);
  later.session.connect();
  await later.reaches(({ phase }) => phase === 'completed');
  const sent = proxy.requests.filter(({ method }) => method === 'POST');
  assert.ok(sent.length >= 3);
  const { body } = sent.at(-1); // the others were cut
  assert.deepEqual(JSON.parse(body), {
    manual_prompt: BAKERY,
    feedback: 'Say that we deliver.',
    business_type: 'hotel',
  });
  assert.equal(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size, 1);
});

test('idle, running, completed', async () => {
  const { session, states, storage, reaches } = sessionOn(clientFor(key));
  assert.equal(session.getState().phase, 'idle');
  session.generate(taking(0.3));
  assert.equal(session.getState().phase, 'running');
  await reaches(({ phase }) => phase === 'completed');
  const { text, result, manualPrompt, connection } = session.getState();
  assert.equal(text, result.prompt);
  assert.equal(manualPrompt, taking(0.3));
  assert.equal(connection, null);
  assert.ok(
    states.some((state) => state.phase === 'running' && state.text),
    'the text grew',
  );
  assert.equal(new Set(states).size, states.length, 'each state is a new object');
  assert.equal(storage.size, 0, 'nothing is left to resume');
});

test('a reload takes the running generation up', async () => {
  const first = sessionOn(clientFor(key));
  first.session.generate(taking(1));
  await first.reaches(({ taskId }) => taskId);
  first.session.disconnect(); // what a reload does: the page is gone, the storage stays
  const second = sessionOn(clientFor(key), first.storage);
  second.session.connect();
  second.session.connect(); // as under React's StrictMode
  await second.reaches(({ phase }) => phase === 'completed');
  assert.equal(second.session.getState().taskId, first.session.getState().taskId);
  assert.equal(second.session.getState().manualPrompt, taking(1));
});

test('who has to sign in again finds what runs, also after a reload', async () => {
  const first = sessionOn(clientFor(key));
  first.session.generate(taking(3));
  await first.reaches(({ taskId }) => taskId);
  const { taskId } = first.session.getState();
  first.session.disconnect();
  const second = sessionOn(clientFor('pg_expired'), first.storage);
  second.session.connect();
  await second.reaches(({ error }) => error instanceof Unauthorized);
  const third = sessionOn(clientFor(key), first.storage);
  third.session.connect();
  await third.reaches(({ phase }) => phase === 'completed');
  assert.equal(third.session.getState().taskId, taskId);
  assert.equal(first.storage.size, 0);
});

test('a submit that was refused is not sent by signing in', async () => {
  const { session, storage, reaches } = sessionOn(clientFor('pg_expired'));
  session.generate(BAKERY);
  await reaches(({ error }) => error instanceof Unauthorized);
  assert.equal(storage.size, 0);
});

test('a reload during the submit starts nothing twice', async () => {
  proxy.fault = ({ method }) => (method === 'POST' ? { cutAfter: 1 } : undefined);
  const first = sessionOn(behindProxy({ retryDelayMs: 60_000 }));
  first.session.generate(BAKERY);
  await eventually(() => proxy.requests.length === 1);
  first.session.disconnect();
  proxy.fault = () => undefined;
  const before = (await clientFor(key).recent()).length;
  const second = sessionOn(behindProxy(), first.storage);
  second.session.connect();
  await second.reaches(({ phase }) => phase === 'completed');
  const [one, two] = proxy.requests.filter(({ method }) => method === 'POST');
  assert.equal(one.headers['idempotency-key'], two.headers['idempotency-key']);
  assert.equal((await clientFor(key).recent()).length - before <= 1, true);
});

test('without a storage, disconnect and connect go on all the same', async () => {
  const { session, reaches } = sessionOn(clientFor(key), null);
  session.generate(taking(0.6));
  session.disconnect();
  session.connect();
  await reaches(({ phase }) => phase === 'completed');
});

test('cancel ends the generation, also before it has an id', async () => {
  const { session, reaches } = sessionOn(clientFor(key));
  session.generate(taking(30));
  void session.cancel();
  assert.equal(session.getState().cancelling, true);
  await reaches(({ phase }) => phase === 'failed');
  assert.ok(session.getState().error instanceof Cancelled);
  session.generate(taking(30));
  await reaches(({ taskId, progress }) => taskId && progress >= 50);
  await session.cancel();
  assert.ok(session.getState().error instanceof Cancelled);
  assert.equal(session.getState().cancelling, false);
});

test('a cancel that does not get through says so, and the generation goes on', async () => {
  const { session, reaches } = sessionOn(behindProxy({ retries: 0 }));
  session.generate(taking(1.5));
  await reaches(({ taskId }) => taskId);
  proxy.fault = ({ path }) => (path.includes('/cancel/') ? 'reset' : undefined);
  await session.cancel();
  const { phase, cancelling, error } = session.getState();
  assert.deepEqual([phase, cancelling, error?.name], ['running', false, 'NetworkError']);
  await reaches((state) => state.phase === 'completed');
  assert.equal(session.getState().error, null);
});

test('news of an earlier generation is dropped', async () => {
  const { session, states, reaches } = sessionOn(clientFor(key));
  session.generate(`${taking(0.5)} First.`);
  await reaches(({ taskId }) => taskId);
  const { taskId: first } = session.getState();
  assert.equal(session.generate(`${BAKERY} Second.`), false, 'two clicks are one generation');
  assert.equal(session.generate(`${BAKERY} Second.`, { replace: true }), true);
  const from = states.length;
  await reaches(({ phase }) => phase === 'completed');
  await clientFor(key).resume(first);
  assert.match(session.getState().result.prompt, /Second/);
  assert.ok(states.slice(from).every(({ taskId }) => taskId !== first));
});

test('a failure is shown, and trying again is a new generation', async () => {
  const { session, reaches } = sessionOn(clientFor(account('poor').api_key));
  session.generate(BAKERY);
  await reaches(({ phase }) => phase === 'failed');
  const { error, taskId } = session.getState();
  assert.ok(error instanceof InsufficientTokens);
  session.retry();
  assert.equal(session.getState().error, null);
  await reaches(({ phase }) => phase === 'failed');
  assert.notEqual(session.getState().taskId, taskId);
});

test('trying again after a lost submit uses the same key', async () => {
  const { session, reaches } = sessionOn(behindProxy({ retries: 0 }));
  proxy.fault = ({ method }) => (method === 'POST' ? { cutAfter: 1 } : undefined);
  session.generate(BAKERY);
  await reaches(({ phase }) => phase === 'failed');
  assert.ok(session.getState().error instanceof NetworkError);
  proxy.fault = () => undefined;
  session.retry();
  await reaches(({ phase }) => phase === 'completed');
  assert.equal(
    new Set(proxy.requests.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key']))
      .size,
    1,
  );
});

test('trying again after a timeout goes on with the same generation', async () => {
  const { session, reaches } = sessionOn(clientFor(key, { timeoutMs: 500 }));
  session.generate(taking(1.2));
  await reaches(({ phase }) => phase === 'failed');
  assert.ok(session.getState().error instanceof Timeout);
  const taskIds = new Set();
  while (session.getState().phase !== 'completed') {
    session.retry();
    await reaches(({ phase }) => phase !== 'running');
    taskIds.add(session.getState().taskId ?? [...taskIds][0]); // a submit may have been what took too long
  }
  taskIds.delete(undefined);
  assert.equal(taskIds.size, 1);
});

test('reset forgets', async () => {
  const { session, storage, reaches } = sessionOn(clientFor(key));
  session.generate(taking(0.4));
  await reaches(({ taskId }) => taskId);
  session.reset();
  assert.deepEqual([session.getState().phase, storage.size], ['idle', 0]);
});

test('a storage that refuses costs only the resume', async () => {
  const refuse = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  const { session, reaches } = sessionOn(clientFor(key), { getItem: refuse, setItem: refuse, removeItem: refuse });
  session.connect();
  session.generate(BAKERY);
  await reaches(({ phase }) => phase === 'completed');
});

for (const [name, error, fault] of [
  ['a gateway that gave up on the submit', ServerUnavailable, { status: 504 }],
  ['a page that came instead of the answer', UnexpectedAnswer, { status: 200, body: '<p>Please wait</p>' }],
]) {
  test(`trying again after ${name} uses the same key`, async () => {
    proxy.fault = ({ method }) => (method === 'POST' ? fault : undefined);
    const { session, reaches } = sessionOn(behindProxy({ retries: 0 }));
    session.generate(BAKERY);
    await reaches(({ phase }) => phase === 'failed');
    assert.ok(session.getState().error instanceof error);
    proxy.fault = () => undefined;
    session.retry();
    await reaches(({ phase }) => phase === 'completed');
    const submits = proxy.requests.filter(({ method }) => method === 'POST');
    assert.equal(new Set(submits.map(({ headers }) => headers['idempotency-key'])).size, 1);
  });
}

test('trying again after the server was away for long goes on with the same generation', async () => {
  const { session, reaches } = sessionOn(behindProxy({ retries: 0 }));
  session.generate(taking(1.5));
  await reaches(({ taskId }) => taskId);
  const { taskId } = session.getState();
  proxy.fault = () => ({ status: 502 });
  session.disconnect();
  session.connect();
  await reaches(({ phase }) => phase === 'failed');
  assert.ok(session.getState().error instanceof ServerUnavailable);
  proxy.fault = () => undefined;
  session.retry();
  await reaches(({ phase }) => phase === 'completed');
  assert.equal(session.getState().taskId, taskId);
});

test('a busy server need not be waited for, and nothing is lost or paid twice', async () => {
  const busy = (part) => (request) =>
    request.path.includes(part)
      ? { status: 503, type: 'application/json', headers: { 'Retry-After': '9' }, body: '{"error_code":"server_busy"}' }
      : undefined;
  const { session, reaches } = sessionOn(behindProxy());
  session.stop();
  assert.equal(session.getState().phase, 'idle', 'there is nothing to be stopped');
  proxy.fault = busy('generate-prompt-async');
  session.generate(taking(1));
  await reaches(({ connection }) => connection === 'busy');
  assert.equal(session.getState().trouble.retryInMs, 9_000);
  session.stop();
  assert.equal(session.getState().error.code, 'server_busy');
  proxy.fault = ({ path }) => busy('/events/')({ path }) ?? busy('/status/')({ path });
  session.retry();
  await reaches(({ taskId, connection }) => taskId && connection === 'busy');
  const { taskId } = session.getState();
  session.stop();
  const { phase, error, trouble, canRetry } = session.getState();
  assert.deepEqual([phase, error.code, trouble, canRetry], ['failed', 'server_busy', null, true]);
  proxy.fault = () => undefined;
  session.retry();
  await reaches((state) => state.phase === 'completed');
  assert.equal(session.getState().taskId, taskId);
  const keys = proxy.requests.map(({ headers }) => headers['idempotency-key']).filter(Boolean);
  assert.equal(keys.length, 2);
  assert.equal(new Set(keys).size, 1);
});

test('access that cannot be renewed is an error, and everything can go on after it', async () => {
  let renewed = false;
  const token = async () => {
    if (!renewed) {
      throw new Error('refresh failed');
    }
    return key;
  };
  const { session, reaches } = sessionOn(clientFor(token));
  session.generate(taking(0.5));
  await reaches(({ phase }) => phase === 'failed');
  assert.ok(session.getState().error instanceof Unauthorized);
  assert.equal(session.getState().error.cause.message, 'refresh failed');
  renewed = true;
  session.retry();
  await reaches(({ taskId }) => taskId);
  renewed = false;
  await session.cancel();
  assert.equal(session.getState().cancelling, false);
  renewed = true;
  await session.cancel();
  await reaches(({ error }) => error instanceof Cancelled);
});

test('a cancel that came before the id outlives a reload', async () => {
  proxy.fault = ({ method }) => (method === 'POST' ? 'hold' : undefined);
  const { session, storage } = sessionOn(behindProxy());
  session.generate(taking(3));
  await session.cancel();
  session.disconnect();
  proxy.fault = () => undefined;
  const after = sessionOn(behindProxy(), storage);
  after.session.connect();
  await after.reaches(({ phase }) => phase === 'failed');
  assert.ok(after.session.getState().error instanceof Cancelled);
});

class Network {
  state = 'offline';
  #listeners = new Set();
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  become(state) {
    this.state = state;
    this.#listeners.forEach((listener) => listener());
  }
}

/** A submit that finds no network; the server is there again, for whatever is sent after it. */
async function withoutNetwork(storage) {
  const presence = new Network();
  proxy.fault = () => 'reset';
  const found = sessionOn(behindProxy({ presence }), storage);
  return { ...found, presence, waits: (connection) => found.reaches((state) => state.connection === connection) };
}

for (const when of ['while it waits for the network', 'before the first try has failed']) {
  test(`a cancel of what has not been sent ends it at once: ${when}`, async () => {
    const { session, storage, presence, reaches, waits } = await withoutNetwork();
    session.generate(taking(3));
    if (when.startsWith('while')) {
      await waits('unsent');
    }
    await session.cancel();
    await reaches(({ phase }) => phase === 'failed');
    assert.ok(session.getState().error instanceof Cancelled);
    assert.equal(storage.size, 0, 'and is not taken up again');
    proxy.requests.length = 0;
    presence.become('active');
    await new Promise((resolve) => setTimeout(resolve, 100)); // nothing is sent
    assert.deepEqual(proxy.requests, []);
  });
}

test('what an earlier page may have sent is not said to be unsent, and its cancel reaches the server', async () => {
  proxy.fault = ({ method }) => (method === 'POST' ? 'hold' : undefined);
  const before = sessionOn(behindProxy());
  before.session.generate(taking(30));
  await eventually(() => proxy.requests.length > 0);
  before.session.disconnect();
  const { session, states, presence, reaches, waits } = await withoutNetwork(before.storage);
  session.connect();
  await waits('offline');
  await session.cancel();
  proxy.fault = () => undefined;
  presence.become('active');
  await reaches(({ phase }) => phase === 'failed');
  assert.ok(session.getState().taskId, 'it ran, and was cancelled there');
  assert.ok(states.every(({ connection }) => connection !== 'unsent'));
});

test('a cancel that a reload interrupts is sent again', async () => {
  const { session, storage, reaches } = sessionOn(behindProxy());
  session.generate(taking(30));
  await reaches(({ taskId }) => taskId);
  proxy.fault = ({ path }) => (path.includes('/cancel/') ? 'hold' : undefined);
  void session.cancel();
  session.disconnect();
  proxy.fault = () => undefined;
  const after = sessionOn(behindProxy(), storage);
  after.session.connect();
  await after.reaches(({ error }) => error instanceof Cancelled);
});

test('the bar moves on between two stages, never back, and to 100 only with the end', async () => {
  for (let rounds = 0; rounds < 4; rounds += 1) {
    await Promise.all([1, 2, 3].map(() => clientFor(key).generate(taking(2)))); // enough to be measured
  }
  const { session, states, reaches } = sessionOn(clientFor(key));
  session.generate(taking(2));
  await reaches(({ phase }) => phase === 'completed');
  const estimates = states.filter(({ phase }) => phase === 'running').map(({ estimate }) => estimate);
  assert.deepEqual(
    estimates,
    [...estimates].sort((one, other) => one - other),
  );
  assert.ok(
    estimates.some((estimate) => estimate > 71 && estimate < 90),
    String(estimates),
  );
  assert.ok(states.every(({ estimate, status }) => estimate < 100 || status === 'completed'));
  assert.equal(states.at(-1).estimate, 100);
  assert.ok(states.some(({ stage }) => stage === 'waiting'));
});

test('trying again with an edited prompt generates that one', async () => {
  const { session, reaches } = sessionOn(clientFor(account('poor').api_key));
  session.generate(BAKERY);
  await reaches(({ phase }) => phase === 'failed');
  session.retry(`${BAKERY} Edited.`);
  assert.equal(session.getState().manualPrompt, `${BAKERY} Edited.`);
  await reaches(({ phase }) => phase === 'failed');
});
