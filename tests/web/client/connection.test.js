/** What networks and proxies do, produced by a proxy that does it. */

import assert from 'node:assert/strict';
import test, { after, before, beforeEach } from 'node:test';
import {
  BadRequest,
  NetworkError,
  PromptGeneratorAPI,
  ServerUnavailable,
  TaskNotFound,
  Unauthorized,
  UnexpectedAnswer,
  UnknownAccount,
} from '../../../web/client/src/index.js';
import { Proxy } from './proxy.js';
import { account, BAKERY, eventually, SERVER, taking } from './server.js';

const { api_key: key } = account('connection');
const proxy = new Proxy(SERVER);
const client = (options) => new PromptGeneratorAPI(proxy.api, key, { retryDelayMs: 100, ...options });

before(() => proxy.up());
after(() => proxy.down());
beforeEach(() => {
  proxy.requests.length = 0;
  proxy.fault = () => undefined;
});

test('a stream that is cut goes on where it was, without loss or repetition', async () => {
  let cuts = 0;
  proxy.fault = ({ path }) => (path.includes('/events/') && (cuts += 1) <= 2 ? { cutAfter: 500 * cuts } : undefined);
  const texts = [];
  const progress = [];
  const result = await client().generate(taking(1), {
    onText: (text) => texts.push(text),
    onProgress: (now) => progress.push(now.progress),
  });
  assert.equal(result.generatedByAI, true);
  assert.equal(texts.at(-1).trim(), result.prompt);
  assert.deepEqual(progress, [...new Set(progress)], 'no status twice');
  const streams = proxy.asked('/events/');
  assert.equal(streams.length, 3);
  assert.equal(streams[0].headers['last-event-id'], undefined);
  streams.slice(1).forEach(({ headers }) => assert.match(headers['last-event-id'], /^\d+-\d+$/));
  assert.equal(proxy.asked('/status/').length, 0, 'polls were not needed');
});

test('a stream says at once that it is open, also when nothing new has happened', async () => {
  let taskId;
  const running = client().generate(`${BAKERY} [[standin:fault=hang]]`, { onStarted: (id) => (taskId = id) });
  running.catch(() => {});
  await eventually(() => taskId);
  const headers = { Authorization: `Bearer ${key}` };
  const url = `${SERVER}/api/v1/web-knowledge/generate-prompt-async/events/${taskId}/`;
  const read = async (lastEventId, isEnough) => {
    const controller = new AbortController();
    const response = await fetch(url, { headers: { ...headers, ...lastEventId }, signal: controller.signal });
    let text = '';
    for await (const bytes of response.body) {
      text += Buffer.from(bytes).toString();
      if (isEnough(text)) {
        break;
      }
    }
    controller.abort();
    return text;
  };
  const begun = await read({}, (text) => text.includes('"progress":70'));
  const lastId = begun
    .match(/^id: (.*)$/gm)
    .at(-1)
    .slice(4);
  assert.match(await read({ 'Last-Event-ID': lastId }, () => true), /^retry: \d+\n\n$/, 'and no keep-alive yet');
  await client().cancel(taskId);
});

test('a proxy that keeps the stream to itself is left for polls', async () => {
  proxy.fault = ({ path }) => (path.includes('/events/') ? 'hold' : undefined);
  const connections = [];
  const result = await client().generate(taking(6), { onConnection: (connection) => connections.push(connection) });
  assert.equal(result.generatedByAI, true);
  assert.ok(connections.includes('polling'));
  assert.equal(proxy.asked('/events/')[0].closedEarly, true, 'the useless stream was closed');
});

test('a runtime that cannot read streams polls', async () => {
  // React Native's fetch has no response.body.
  const streamless = async (...request) => {
    const response = await fetch(...request);
    return new Proxied(response);
  };
  class Proxied {
    constructor(response) {
      Object.assign(this, { ok: response.ok, status: response.status, headers: response.headers });
      this.text = () => response.text();
    }
  }
  const result = await client({ fetch: streamless }).generate(taking(1));
  assert.equal(result.generatedByAI, true);
  assert.ok(proxy.asked('/status/').length >= 1);
});

test('polls are a second apart, and never closer than half a second', async () => {
  for (const [pollIntervalMs, shortest] of [
    [1_000, 1_000],
    [1, 1_000], // the server asks for a second by Retry-After
  ]) {
    const { asked, fetch } = timed();
    const polling = client({ events: false, pollIntervalMs, fetch });
    const stop = new AbortController();
    const running = polling.generate(taking(100), { signal: stop.signal }).catch(() => {});
    await eventually(() => asked.length >= 3);
    stop.abort();
    await running;
    asked.slice(1).forEach(({ waited }) => assert.ok(waited >= shortest - CLOCKS_DIFFER_MS, `${waited} ms`));
    await cancelNewest();
  }
});

test('a network error is tried again three times, then it is an error', async () => {
  proxy.fault = ({ path }) => (path.includes('/status/') ? 'reset' : undefined);
  const { asked, fetch } = timed();
  const error = await client({ events: false, fetch })
    .generate(taking(100))
    .catch((reason) => reason);
  assert.ok(error instanceof NetworkError);
  assert.equal(asked.length, 4);
  asked.slice(1).forEach(({ waited }) => assert.ok(waited >= 100 - CLOCKS_DIFFER_MS, `${waited} ms`));
  await cancelNewest();
});

test('a network error in between is forgotten after the next success', async () => {
  let polls = 0;
  proxy.fault = ({ path }) => (path.includes('/status/') && (polls += 1) % 2 ? 'reset' : undefined);
  const stop = new AbortController();
  const running = client({ events: false, retries: 1 }).generate(taking(100), { signal: stop.signal });
  await Promise.race([running, eventually(() => polls >= 5)]); // every other one is cut
  stop.abort();
  await assert.rejects(running, { name: 'AbortError' });
  await cancelNewest();
});

test('a server that is away for a while costs nothing but time', async () => {
  let taskId;
  const running = client({ retryDelayMs: 500 }).generate(taking(2), { onStarted: (id) => (taskId = id) });
  await eventually(() => taskId && proxy.asked('/events/').length === 1);
  await proxy.down();
  setTimeout(() => proxy.up(), 1_000);
  assert.equal((await running).generatedByAI, true);
});

test('a submit whose answer was lost is repeated with the same key and starts nothing twice', async () => {
  let submits = 0;
  proxy.fault = ({ method }) => (method === 'POST' && (submits += 1) <= 2 ? { cutAfter: 1 } : undefined);
  const result = await client().generate(BAKERY);
  const keys = proxy.requests
    .filter(({ method }) => method === 'POST')
    .map(({ headers }) => headers['idempotency-key']);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  const tasks = await client().recent();
  assert.equal(tasks.filter(({ created_at: at }) => at >= result.createdAt).length, 1);
});

test('a server that names the time to come back is believed', async () => {
  let polls = 0;
  const busy = {
    status: 503,
    type: 'application/json',
    headers: { 'Retry-After': '1' },
    body: '{"error_code":"storage_unavailable"}',
  };
  proxy.fault = ({ path }) => (path.includes('/status/') && (polls += 1) <= 2 ? busy : undefined);
  const told = [];
  const onConnection = (connection, trouble) => told.push([connection, trouble?.error.code, trouble?.retryInMs]);
  const result = await client({ events: false, retries: 0 }).generate(BAKERY, { onConnection });
  assert.equal(result.generatedByAI, true);
  const word = ['busy', 'storage_unavailable', 1_000];
  assert.deepEqual(told.slice(0, 3), [word, word, ['polling', undefined, undefined]]);
  const [first, second] = proxy.asked('/status/');
  assert.ok(second.at - first.at >= 980);
});

test('a submit is refused after three more tries while the server cannot take it', async () => {
  const busy = {
    status: 503,
    type: 'application/json',
    headers: { 'Retry-After': '0' },
    body: '{"message":"Server is busy","error_code":"server_busy"}',
  };
  proxy.fault = () => busy;
  const error = await client()
    .generate(BAKERY)
    .catch((reason) => reason);
  assert.ok(error instanceof ServerUnavailable);
  assert.equal(error.title, 'Server is busy');
  assert.equal(proxy.requests.length, 4);
});

test('a server that does not answer is not called busy', async () => {
  let polls = 0;
  proxy.fault = ({ path }) => (path.includes('/status/') && (polls += 1) === 1 ? 'reset' : undefined);
  const told = [];
  const onConnection = (connection, trouble) => told.push([connection, trouble?.error.name, trouble?.retryInMs]);
  await client({ events: false }).generate(BAKERY, { onConnection });
  assert.deepEqual(told[0], ['retrying', 'NetworkError', 100]);
});

test('what the server says without a class of its own is its own all the same', async () => {
  for (const [status, code, kind] of [
    [403, 'account_closed', UnknownAccount],
    [422, 'something_new', BadRequest],
  ]) {
    const body = JSON.stringify({ success: false, message: 'No', error: 'The sentence.', error_code: code });
    proxy.fault = () => ({ status, type: 'application/json', body });
    const error = await client()
      .generate(BAKERY)
      .catch((reason) => reason);
    assert.ok(error instanceof kind, error.name);
    assert.equal(error.code, code);
  }
});

test('what a proxy or portal answers is no word of the server, and is tried again', async () => {
  const page = (status) => ({ status, body: `<html>${status}</html>` });
  const passing = [
    page(404),
    page(408),
    page(425),
    page(403),
    page(200),
    page(502),
    { status: 404, type: 'application/json', body: '{"message":"no Route matched"}' },
  ];
  passing.push(
    { status: 200, type: 'application/json', body: '{"ok":true}' },
    { status: 200, type: 'application/json', body: 'null' },
  );
  for (const answer of passing) {
    for (const route of ['/status/', '/generate-prompt-async/']) {
      let asked = 0;
      proxy.fault = ({ path }) =>
        path.endsWith(route) || path.includes('/status/') === (route === '/status/')
          ? (asked += 1) === 1 && answer
          : undefined;
      const result = await client({ events: route !== '/status/', retryDelayMs: 10 }).generate(BAKERY);
      assert.equal(result.generatedByAI, true, `${answer.status} ${answer.body} to ${route}`);
      assert.ok(asked >= 2);
    }
  }
});

test('a page that stays is an error in the end', async () => {
  proxy.fault = () => ({ status: 200, body: '<html>Please sign in to the Wi-Fi</html>' });
  const error = await client({ retryDelayMs: 10 })
    .generate(BAKERY)
    .catch((reason) => reason);
  assert.ok(error instanceof UnexpectedAnswer, String(error));
  assert.equal(error.code, 'unexpected_answer');
  assert.equal(proxy.requests.length, 4);
});

test('a 404 of the server itself is believed at once', async () => {
  const error = await client()
    .resume(crypto.randomUUID())
    .catch((reason) => reason);
  assert.ok(error instanceof TaskNotFound);
  assert.equal(proxy.requests.length, 1, 'and holds for polls too');
});

test('events that are refused while polls work are left for polls', async () => {
  const refusals = [502, 429, 403, 404, 405, 200].map((status) => ({ status, body: '<h1>No</h1>' }));
  const broken = { status: 200, type: 'text/event-stream', body: 'event: status\ndata: {\n\n' };
  for (const refusal of [...refusals, broken, 'reset']) {
    proxy.requests.length = 0;
    proxy.fault = ({ path }) => (path.includes('/events/') ? refusal : undefined);
    const result = await client({ retryDelayMs: 10 }).generate(taking(1.2));
    assert.equal(result.generatedByAI, true, JSON.stringify(refusal));
    assert.ok(proxy.asked('/events/').length <= 2, JSON.stringify(refusal));
  }
});

test('a stream that is not the server’s is left for polls', async () => {
  const strange = ['data: null', 'data: {"hello":1}'].map((line) => `event: status\n${line}\n\n`);
  const bodies = [...strange, 'event: chunk\ndata: {"attempt":1}\n\n', ': a proxy\n\n'];
  const streams = bodies.map((body) => ({ status: 200, type: 'text/event-stream', body }));
  streams.push({ ...streams[0], body: ': a proxy is working on it\n\n', againMs: 100 });
  const answered = new Map(); // by path
  proxy.fault = ({ path }) => {
    if (path.includes('/events/') && !answered.has(path)) {
      answered.set(path, streams[answered.size]);
    }
    return answered.get(path);
  };
  const results = await Promise.all(streams.map(() => client({ retryDelayMs: 10 }).generate(taking(1.2))));
  assert.equal(results.filter(({ generatedByAI }) => generatedByAI).length, streams.length);
  assert.equal(proxy.asked('/events/').length, streams.length, 'and is not asked for again');
});

test('after one refusal the stream is taken up again', async () => {
  let refused = false;
  proxy.fault = ({ path }) => (path.includes('/events/') && !refused ? ((refused = true), { status: 502 }) : undefined);
  const connections = [];
  await client().generate(taking(2.5), { onConnection: (connection) => connections.push(connection) });
  assert.equal(connections.at(-1), 'live');
});

test('after a 401 a token function is asked once more', async () => {
  for (const options of [{}, { events: false }]) {
    for (const route of ['/generate-prompt-async/', '/events/', '/status/']) {
      let refused = false;
      proxy.fault = ({ path }) =>
        !refused && path.includes(route)
          ? ((refused = true),
            { status: 401, type: 'application/json', body: '{"success":false,"error_code":"unauthorized"}' })
          : undefined;
      const result = await new PromptGeneratorAPI(proxy.api, () => key, options).generate(BAKERY);
      assert.equal(result.generatedByAI, true);
    }
  }
  proxy.fault = () => undefined;
  let asked = 0;
  const renewing = () => ((asked += 1), asked === 1 ? 'pg_expired' : key);
  assert.ok((await new PromptGeneratorAPI(proxy.api, renewing).account()).success);
  assert.equal(asked, 2);
  const stale = await new PromptGeneratorAPI(proxy.api, () => ((asked += 1), 'pg_expired'))
    .account()
    .catch((reason) => reason);
  assert.ok(stale instanceof Unauthorized);
  assert.equal(asked, 4);
});

test('a wall clock that is set meanwhile changes nothing', async (t) => {
  const real = Date.now;
  for (const hours of [1, -1]) {
    let step = 0;
    const mocked = t.mock.method(Date, 'now', () => real() + step);
    const running = client({ timeoutMs: 600_000 }).generate(taking(1), { onStarted: () => (step = hours * 3_600_000) });
    assert.equal((await running).generatedByAI, true);
    mocked.mock.restore();
  }
});

test('streams are used where the runtime has them, or the given fetch', async () => {
  const { Response: real } = globalThis;
  globalThis.Response = class Streamless {};
  const polling = new PromptGeneratorAPI(proxy.api, key);
  const streaming = new PromptGeneratorAPI(proxy.api, key, { fetch });
  globalThis.Response = real;
  await polling.generate(BAKERY);
  assert.equal(proxy.asked('/events/').length, 0);
  await streaming.generate(BAKERY);
  assert.equal(proxy.asked('/events/').length, 1);
});

test('aborting stops watching, closes the connection and leaves nothing behind', async () => {
  for (const events of [true, false]) {
    proxy.requests.length = 0;
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...args) => (
      (listeners += 1), addEventListener.apply(controller.signal, args)
    );
    controller.signal.removeEventListener = (...args) => (
      (listeners -= 1), removeEventListener.apply(controller.signal, args)
    );
    let seen = 0;
    const running = client({ events }).generate(taking(20), {
      signal: controller.signal,
      onProgress: () => (seen += 1),
    });
    await eventually(() => seen > 0);
    controller.abort(new Error('enough'));
    await assert.rejects(running, /enough/);
    const before = [seen, proxy.requests.length];
    if (events) {
      await eventually(() => proxy.asked('/events/')[0].closedEarly);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_200)); // longer than a poll's interval
    assert.deepEqual([seen, proxy.requests.length], before);
    assert.ok(listeners <= 0 || events, `${listeners} listeners left`);
    const [newest] = await client().recent();
    await client().cancel(newest.task_id);
  }
});

test('no timer and no listener outlives a generation', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const controller = new AbortController();
  await client().generate(BAKERY); // opens the connections that fetch keeps, with their own timers
  const before = timers();
  await Promise.all([
    client().generate(taking(0.5), { signal: controller.signal }),
    client({ events: false }).generate(taking(0.5), { signal: controller.signal }),
  ]);
  await eventually(() => timers() <= before + 1); // fetch has some of its own
});

test('a server that is away until the time is used up is said to be away', async () => {
  const fetch = async () =>
    new Response('{"success":false,"error_code":"server_busy"}', { status: 503, headers: { 'Retry-After': '1' } });
  const hopeless = new PromptGeneratorAPI(proxy.api, key, { timeoutMs: 1_500, retryDelayMs: 50, events: false, fetch });
  await assert.rejects(hopeless.resume('00000000-0000-4000-8000-000000000000'), { name: 'ServerUnavailable' });
});

/** Node's timers and its clock may differ by a millisecond. */
const CLOCKS_DIFFER_MS = 2;

/** A fetch that notes how long after the end of the last poll each poll was sent: however slow the machine is. */
function timed() {
  const asked = [];
  let ended = -Infinity;
  return {
    asked,
    fetch: async (url, init) => {
      if (!url.includes('/status/')) {
        return fetch(url, init);
      }
      asked.push({ waited: performance.now() - ended });
      try {
        const response = await fetch(url, init);
        const body = await response.text();
        return new Response(body, response);
      } finally {
        ended = performance.now();
      }
    },
  };
}

async function cancelNewest() {
  proxy.fault = () => undefined;
  const [{ task_id: taskId }] = await client().recent();
  await client().cancel(taskId);
}
