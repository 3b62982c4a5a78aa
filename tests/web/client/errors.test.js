import assert from 'node:assert/strict';
import test from 'node:test';
import * as client from '../../../web/client/src/index.js';
import { account, BAKERY, clientFor, eventually, SERVER, strangersToken, taking } from './server.js';

const { api_key: key } = account('errors');

/** What a call fails with; the call must fail. */
async function failure(promise) {
  const outcome = await promise.then(
    () => assert.fail('it should have failed'),
    (error) => error,
  );
  assert.ok(outcome instanceof client.GenerationError, `${outcome.stack}`);
  assert.equal(outcome.constructor.name, outcome.name);
  assert.match(outcome.code, /^[a-z]+(_[a-z0-9]+)*$/, 'something to translate by');
  return outcome;
}

test('too few tokens', async () => {
  const { api_key: poor } = account('poor');
  const error = await failure(clientFor(poor).generate(BAKERY));
  assert.ok(error instanceof client.InsufficientTokens);
  assert.equal(error.title, 'Insufficient tokens');
  assert.equal(error.message, 'You need at least 700 tokens for prompt enhancement. Available: 250');
  assert.deepEqual([error.needed, error.available], [700, 250]);
  assert.equal(error.document.status, 'failed');
});

test('no active subscription', async () => {
  const { api_key: lapsed } = account('lapsed');
  const error = await failure(clientFor(lapsed).generate(BAKERY));
  assert.ok(error instanceof client.SubscriptionInactive);
  assert.equal(error.title, 'Subscription is not active');
});

test('an unknown key', async () => {
  const error = await failure(clientFor('pg_wrong').generate(BAKERY));
  assert.ok(error instanceof client.Unauthorized);
  assert.equal(error.httpStatus, 401);
  assert.ok(error.requestId);
});

test('a token without an account', async () => {
  const error = await failure(clientFor(strangersToken()).generate(BAKERY));
  assert.ok(error instanceof client.UnknownAccount);
});

test('an empty prompt is refused before anything is sent', async () => {
  const nowhere = new client.PromptGeneratorAPI('http://127.0.0.1:9', key);
  const error = await failure(nowhere.generate(' \n'));
  assert.ok(error instanceof client.InvalidPrompt);
  assert.equal(error.title, 'manual_prompt is required');
});

test('a prompt that is too long', async () => {
  const error = await failure(clientFor(key).generate('x'.repeat(20_001)));
  assert.ok(error instanceof client.InvalidPrompt);
  assert.equal(error.code, 'manual_prompt_too_long');
  const larger = await failure(clientFor(key).generate('x'.repeat(100_000)));
  assert.ok(larger instanceof client.InvalidPrompt);
});

test('a malformed idempotency key', async () => {
  const error = await failure(clientFor(key).generate(BAKERY, { idempotencyKey: 'no spaces please' }));
  assert.ok(error instanceof client.BadRequest);
});

test('an idempotency key that came with another prompt', async () => {
  const idempotencyKey = crypto.randomUUID();
  await clientFor(key).generate(BAKERY, { idempotencyKey });
  const error = await failure(clientFor(key).generate(`${BAKERY} Again.`, { idempotencyKey }));
  assert.ok(error instanceof client.IdempotencyKeyReused);
});

test('an unknown task, and somebody else’s', async () => {
  const { api_key: other } = account('other');
  const { taskId } = await clientFor(other).generate(BAKERY);
  for (const id of [crypto.randomUUID(), taskId, '../../account']) {
    for (const events of [true, false]) {
      const error = await failure(clientFor(key, { events }).resume(id));
      assert.ok(error instanceof client.TaskNotFound, `${id}: ${error.name}`);
      assert.equal(error.taskId, id);
    }
    assert.ok((await failure(clientFor(key).cancel(id))) instanceof client.TaskNotFound);
  }
});

test('too many generations at once', async () => {
  const busy = clientFor(account('busy').api_key);
  const running = Array.from({ length: 5 }, () => {
    const { promise, resolve } = Promise.withResolvers?.() ?? withResolvers();
    busy.generate(taking(30), { onStarted: resolve }).catch(() => {});
    return promise;
  });
  const taskIds = await Promise.all(running);
  const error = await failure(busy.generate(BAKERY));
  assert.ok(error instanceof client.TooManyTasks);
  assert.ok(error.retryAfterMs > 0);
  await Promise.all(taskIds.map((taskId) => busy.cancel(taskId)));
});

test('a generation that is cancelled', async () => {
  const api = clientFor(key);
  let taskId;
  const running = failure(api.generate(taking(30), { onStarted: (id) => (taskId = id) }));
  await eventually(() => taskId);
  const document = await api.cancel(taskId);
  assert.deepEqual([document.status, document.error_code], ['failed', 'cancelled']);
  const error = await running;
  assert.ok(error instanceof client.Cancelled);
  assert.equal(error.title, 'Generation cancelled');
  assert.equal((await api.cancel(taskId)).error_code, 'cancelled', 'asking twice is no error');
});

test('an address that the server does not have', async () => {
  const astray = new client.PromptGeneratorAPI(`${SERVER}/static/page/main.js?`, key);
  const error = await failure(astray.account());
  assert.ok(error instanceof client.BadRequest, error.name);
  assert.equal(error.code, 'not_found');
});

test('nobody answers', async () => {
  const nowhere = new client.PromptGeneratorAPI('http://127.0.0.1:9/api/v1/web-knowledge', key, { retryDelayMs: 20 });
  const error = await failure(nowhere.generate(BAKERY, { idempotencyKey: 'mine' }));
  assert.ok(error instanceof client.NetworkError);
  assert.equal(error.code, 'network_error');
  assert.equal(error.idempotencyKey, 'mine', 'to submit again without paying twice');
  assert.ok(error.cause);
});

test('a generation that takes too long goes on and can be resumed', async () => {
  const patient = clientFor(key);
  const begun = await patient.startGeneration(
    taking(100),
    () => {},
    () => {},
    () => {},
  );
  patient.stopPolling();
  const error = await failure(clientFor(key, { timeoutMs: 600 }).resume(begun));
  assert.ok(error instanceof client.Timeout);
  assert.equal(error.timeoutMs, 600);
  assert.equal(error.code, 'timeout');
  const resumed = patient.resume(error.taskId);
  assert.equal((await patient.status(error.taskId)).status, 'processing');
  await patient.cancel(error.taskId);
  assert.ok((await failure(resumed)) instanceof client.Cancelled);
});

test('a callback’s own mistake is thrown, not taken for a network error', async () => {
  const mistake = new RangeError('mine');
  const thrower = () => {
    throw mistake;
  };
  for (const events of [true, false]) {
    await assert.rejects(clientFor(key, { events }).generate(BAKERY, { onProgress: thrower }), mistake);
  }
});

test('every error class is exported, and tells its name', () => {
  const classes = Object.values(client).filter((value) => value.prototype instanceof client.GenerationError);
  assert.ok(classes.length >= 17);
  for (const kind of classes) {
    const error = new kind('The sentence.', { title: 'Short' });
    assert.deepEqual([error.name, error.message, error.title], [kind.name, 'The sentence.', 'Short']);
    assert.match(String(error), new RegExp(kind.name));
    assert.equal(error.code.replaceAll('_', ''), kind.name.toLowerCase(), 'where the server gave no code');
  }
  assert.equal(new client.NetworkError('The sentence.', { offline: true }).code, 'offline');
});

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}

test('characters that no header carries are named, and nothing is sent', async () => {
  await assert.rejects(clientFor('pg_abc…').account(), client.Unauthorized);
  await assert.rejects(clientFor(key).generate(BAKERY, { idempotencyKey: 'schlüssel' }), client.BadRequest);
});

test('a token that never comes is waited for no longer than anything else', async () => {
  const waiting = clientFor(() => new Promise(() => {}), { timeoutMs: 300 });
  await assert.rejects(waiting.generate(BAKERY), client.Timeout);
  const controller = new AbortController();
  const asked = waiting.account({ signal: controller.signal });
  controller.abort();
  await assert.rejects(asked, { name: 'AbortError' });
});

test('options that are undefined are the defaults, and what is no number is refused', async () => {
  const unset = { events: undefined, pollIntervalMs: undefined, retries: undefined, timeoutMs: undefined };
  assert.ok((await clientFor(key, { ...unset, retryDelayMs: undefined }).generate(BAKERY)).prompt);
  assert.ok((await clientFor(key, { timeoutMs: Infinity }).generate(BAKERY)).prompt);
  assert.throws(() => clientFor(key, { pollIntervalMs: NaN }), TypeError);
});
