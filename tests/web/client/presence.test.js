/** Watching stops while nobody is there, and goes on afterwards. */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import test, { after, before, beforeEach } from 'node:test';
import { PromptGeneratorAPI } from '../../../web/client/src/index.js';
import { appStatePresence } from '../../../web/client/src/react-native.js';
import { Proxy } from './proxy.js';
import { account, clientFor, eventually, SERVER, taking } from './server.js';

const { api_key: key } = account('presence');
const proxy = new Proxy(SERVER);

before(() => proxy.up());
after(() => proxy.down());
beforeEach(() => {
  proxy.requests.length = 0;
  proxy.fault = () => undefined;
});

/** AppState and NetInfo as React Native documents them. */
class Phone extends EventEmitter {
  currentState = 'active';
  isConnected = true;

  appState = {
    addEventListener: (_type, listener) => {
      this.on('change', listener);
      return { remove: () => this.off('change', listener) };
    },
  };

  netInfo = {
    addEventListener: (listener) => {
      const tell = () => listener({ isConnected: this.isConnected });
      this.on('network', tell);
      tell(); // NetInfo reports the present state at once
      return () => this.off('network', tell);
    },
  };

  constructor() {
    super();
    const phone = this;
    Object.defineProperty(this.appState, 'currentState', { get: () => phone.currentState });
  }

  become(state) {
    this.currentState = state;
    this.emit('change', state);
  }

  connect(isConnected) {
    this.isConnected = isConnected;
    this.emit('network');
  }

  /** Without the one of NetInfo's, which a presence has from the beginning to the end. */
  get listeners_() {
    return this.listenerCount('change');
  }
}

function start(phone, seconds, options = {}) {
  const presence = appStatePresence(phone.appState, phone.netInfo);
  const client = new PromptGeneratorAPI(proxy.api, key, { presence, retryDelayMs: 100, ...options });
  const connections = [];
  let begun;
  const running = client.generate(taking(seconds), {
    onConnection: (connection) => connections.push(connection),
    onStarted: (taskId) => (begun = taskId),
  });
  running.catch(() => {}); // looked at below
  /** That it is watched shows in its end being seen. */
  const cancelled = async () => {
    await clientFor(key).cancel(begun);
    await assert.rejects(running, { name: 'Cancelled' });
  };
  return { running, connections, cancelled };
}

for (const events of [true, false]) {
  const way = events ? 'the stream is closed' : 'no poll is sent';

  test(`in the background ${way}, and back in front it goes on`, async () => {
    const phone = new Phone();
    const path = events ? '/events/' : '/status/';
    const { connections, cancelled } = start(phone, 100, { events });
    await eventually(() => connections.length > 0);
    phone.become('inactive'); // iOS: a call on top; the app still runs
    assert.equal(connections.includes('background'), false);
    phone.become('background');
    await eventually(() => connections.at(-1) === 'background');
    if (events) {
      await eventually(() => proxy.asked(path)[0].closedEarly);
    }
    const asked = proxy.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // longer than a poll's interval
    assert.equal(proxy.requests.length, asked, 'quiet in the background');
    phone.become('active');
    await eventually(() => proxy.requests.length > asked);
    await cancelled();
    assert.equal(phone.listeners_, 0, 'no listener left');
  });
}

test('time in the background is not time watched', async (t) => {
  const pass = passingTime(t);
  const phone = new Phone();
  const { connections, cancelled } = start(phone, 100, { timeoutMs: 600_000 });
  await eventually(() => connections.length > 0);
  phone.become('background');
  await eventually(() => connections.at(-1) === 'background');
  pass(3_600_000);
  phone.become('active');
  await cancelled();
});

/** Let time pass as the monotonic clock tells it. */
function passingTime(t) {
  const real = performance.now.bind(performance);
  let passed = 0;
  t.mock.method(performance, 'now', () => real() + passed);
  return (ms) => (passed += ms);
}

test('without a network it waits for one, and counts no tries', async (t) => {
  const pass = passingTime(t);
  const phone = new Phone();
  const { connections, cancelled } = start(phone, 100, { retries: 0, timeoutMs: 600_000 });
  await eventually(() => connections.includes('live'));
  await proxy.down();
  phone.connect(false);
  await eventually(() => connections.at(-1) === 'offline');
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // many retry delays
  pass(3_600_000);
  await proxy.up();
  assert.equal(connections.at(-1), 'offline');
  phone.connect(true);
  await cancelled();
  assert.equal(phone.listeners_, 0);
});

test('a server on the same machine is watched although there is no network', async () => {
  const phone = new Phone();
  phone.isConnected = false;
  const { running } = start(phone, 0.5);
  assert.equal((await running).generatedByAI, true);
});

test('a watch that is aborted in the background ends at once', async () => {
  const phone = new Phone();
  const controller = new AbortController();
  phone.become('background');
  const client = new PromptGeneratorAPI(proxy.api, key, { presence: appStatePresence(phone.appState) });
  const running = client.generate(taking(0.5), { signal: controller.signal });
  await eventually(() => phone.listeners_ > 0);
  controller.abort();
  await assert.rejects(running, { name: 'AbortError' });
  assert.equal(phone.listeners_, 0);
});

test('a submit waits for the network too, and is sent once', async () => {
  const phone = new Phone();
  phone.isConnected = false;
  proxy.fault = () => 'reset';
  const { running, connections } = start(phone, 0.2);
  await eventually(() => connections.includes('unsent'));
  proxy.fault = () => undefined;
  proxy.requests.length = 0;
  phone.connect(true);
  assert.ok((await running).prompt);
  assert.equal(proxy.requests.filter(({ method }) => method === 'POST').length, 1);
});

test('a submit is said to be unsent only as long as no try can have left', async () => {
  const phone = new Phone();
  phone.isConnected = false;
  proxy.fault = () => 'reset';
  const { running, connections } = start(phone, 0.2);
  await eventually(() => connections.includes('unsent'));
  proxy.fault = ({ method }) => (method === 'POST' ? 'hold' : undefined);
  proxy.requests.length = 0;
  phone.connect(true);
  await eventually(() => proxy.requests.length > 0);
  assert.deepEqual(connections, ['unsent', 'connecting'], 'not unsent while a request is on its way');
  proxy.fault = () => 'reset';
  phone.connect(false);
  await eventually(() => connections.at(-1) === 'offline');
  proxy.fault = () => undefined;
  phone.connect(true);
  assert.ok((await running).prompt);
  assert.equal(connections.lastIndexOf('unsent'), 0);
});

test('a submit that is never answered ends with the patience', async () => {
  proxy.fault = () => 'hold';
  const { running } = start(new Phone(), 0.2, { timeoutMs: 400 });
  await assert.rejects(running, ({ name, idempotencyKey }) => name === 'Timeout' && idempotencyKey.length > 0);
});
