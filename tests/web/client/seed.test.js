/** The interface of the class that existing pages use: callbacks, as its document describes them. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { InsufficientTokens, PromptGeneratorAPI } from '../../../web/client/src/index.js';
import { account, API, BAKERY, clientFor, eventually, taking } from './server.js';

const { api_key: key } = account('seed');

/** Start through callbacks and collect what they are told. */
function started(client, prompt) {
  const told = { progress: [], complete: [], errors: [], taskId: undefined };
  told.starting = client.startGeneration(
    prompt,
    (progress) => told.progress.push(progress),
    (...args) => told.complete.push(args),
    (...args) => told.errors.push(args),
  );
  return told;
}

test('progress, then the prompt', async () => {
  const told = started(clientFor(key), BAKERY);
  const taskId = await told.starting;
  assert.match(taskId, /^[0-9a-f-]{36}$/);
  await eventually(() => told.complete.length);
  const [[prompt, generatedByAI, result]] = told.complete;
  assert.match(prompt, /\+49 30 1234567/);
  assert.equal(generatedByAI, true);
  assert.equal(result.taskId, taskId);
  const { status, progress, message } = told.progress.at(-1);
  assert.deepEqual(
    { status, progress, message },
    { status: 'completed', progress: 100, message: 'Prompt generated successfully' },
  );
  assert.deepEqual(told.errors, []);
});

test('a failure is told as the sentence that pages look for words in', async () => {
  const told = started(clientFor(account('poor').api_key), BAKERY);
  assert.ok(await told.starting);
  await eventually(() => told.errors.length);
  const [[message, error]] = told.errors;
  assert.equal(message, 'You need at least 700 tokens for prompt enhancement. Available: 250');
  assert.ok(error instanceof InsufficientTokens);
  const lapsed = started(clientFor(account('lapsed').api_key), BAKERY);
  await eventually(() => lapsed.errors.length);
  assert.match(lapsed.errors[0][0], /subscription/i);
});

test('what cannot be started is told by its short message, and no id is returned', async () => {
  const told = started(clientFor(key), '   ');
  assert.equal(await told.starting, null);
  assert.equal(told.errors[0][0], 'manual_prompt is required');
  const nowhere = new PromptGeneratorAPI('http://127.0.0.1:9/api/v1/web-knowledge', key, { retryDelayMs: 1 });
  const unheard = started(nowhere, BAKERY);
  assert.equal(await unheard.starting, null);
  assert.equal(unheard.errors[0][0], 'Failed to start generation');
});

test('an unknown task is told', async () => {
  const errors = [];
  clientFor(key).pollStatus(
    crypto.randomUUID(),
    () => {},
    () => {},
    (message) => errors.push(message),
  );
  await eventually(() => errors.length);
  assert.match(errors[0], /unknown or has expired/);
});

test('after stopPolling no callback is called', async () => {
  const client = clientFor(key);
  const told = started(client, taking(1));
  const taskId = await told.starting;
  await eventually(() => told.progress.length);
  client.stopPolling();
  const before = told.progress.length;
  let ended;
  client.pollStatus(
    taskId,
    () => {},
    () => (ended = true),
    () => {},
  );
  await eventually(() => ended);
  assert.deepEqual([told.progress.length, told.complete.length, told.errors.length], [before, 0, 0]);
});

test('two generations on one object both arrive, and both stop', async () => {
  const client = clientFor(key);
  const [one, other] = [started(client, taking(0.5)), started(client, taking(0.8))];
  await eventually(() => one.complete.length && other.complete.length);
  const [third, fourth] = [started(client, taking(5)), started(client, taking(5))];
  await eventually(() => third.progress.length && fourth.progress.length);
  client.stopPolling();
  for (const told of [third, fourth]) {
    await clientFor(key).cancel(await told.starting);
    assert.deepEqual([told.complete, told.errors], [[], []]);
  }
});

test('after stopPolling during the submit no callback is called, and the generation goes on', async () => {
  const client = clientFor(key);
  const told = started(client, taking(0.3));
  assert.equal(typeof client.pollingInterval, 'number');
  client.stopPolling();
  assert.equal(client.pollingInterval, null);
  const { prompt } = await client.resume(await told.starting);
  assert.ok(prompt);
  assert.deepEqual([told.progress, told.complete, told.errors], [[], [], []]);
});

test('a callback that fails is told as an error, as it always was', async (t) => {
  const printed = t.mock.method(console, 'error', () => {});
  const errors = [];
  const progress = () => {
    throw new ReferenceError('updateBar is not defined');
  };
  await clientFor(key).startGeneration(BAKERY, progress, assert.fail, (...args) => errors.push(args));
  await eventually(() => errors.length);
  const [[message, error]] = errors;
  assert.equal(message, 'Failed to check status');
  assert.ok(error.cause instanceof ReferenceError);
  assert.equal(printed.mock.callCount(), 1);
});

test('address and token are fields that may be changed', async () => {
  const client = new PromptGeneratorAPI('http://127.0.0.1:9/api/v1/web-knowledge', 'old');
  client.apiBaseUrl = API;
  client.authToken = key;
  assert.ok((await client.account()).success);
});

test('no prompt at all is told', async () => {
  const errors = [];
  assert.equal(
    await clientFor(key).startGeneration(undefined, assert.fail, assert.fail, (text) => errors.push(text)),
    null,
  );
  assert.deepEqual(errors, ['manual_prompt is required']);
});
