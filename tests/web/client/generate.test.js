import assert from 'node:assert/strict';
import test from 'node:test';
import { PromptGeneratorAPI } from '../../../web/client/src/index.js';
import { account, API, BAKERY, clientFor, failing, taking } from './server.js';

const { api_key: key } = account('generate');

test('a generation goes through its stages and ends with the prompt', async () => {
  const seen = [];
  const connections = new Set();
  const result = await clientFor(key).generate(BAKERY, {
    onProgress: (progress) => seen.push(progress),
    onConnection: (connection) => connections.add(connection),
  });
  assert.deepEqual(
    seen.map(({ progress }) => progress),
    [0, 10, 30, 50, 70, 90, 100],
  );
  assert.equal(seen.at(-1).message, 'Prompt generated successfully');
  assert.equal(seen.at(-1).taskId, result.taskId);
  assert.match(result.prompt, /\+49 30 1234567/);
  assert.equal(result.generatedByAI, true);
  assert.ok(result.tokensUsed > 0);
  assert.deepEqual([...connections], ['live']);
});

test('the text grows piece by piece into the prompt', async () => {
  const texts = [];
  const result = await clientFor(key).generate(taking(1.5), { onText: (text) => texts.push(text) });
  assert.ok(texts.length > 3, `only ${texts.length} pieces`);
  texts.reduce((before, now) => {
    assert.ok(now.startsWith(before) && now.length > before.length);
    return now;
  }, '');
  assert.equal(texts.at(-1).trim(), result.prompt);
});

test('without events, polls bring the same result', async () => {
  const seen = [];
  const client = clientFor(key, { events: false, pollIntervalMs: 500 });
  const result = await client.generate(taking(1.2), { onProgress: ({ progress }) => seen.push(progress) });
  assert.equal(result.generatedByAI, true);
  assert.equal(seen.at(-1), 100);
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    seen,
  );
});

test('when the AI cannot answer, the result says so and why', async () => {
  const result = await clientFor(key).generate(failing('blocked_prompt'));
  assert.equal(result.generatedByAI, false);
  assert.match(result.prompt, /Bakery Sonne/);
  assert.ok(result.warning);
  assert.ok(result.fallbackReason);
  assert.equal(result.tokensUsed >= 0, true);
});

test('the same key and prompt are one generation', async () => {
  const client = clientFor(key);
  const idempotencyKey = crypto.randomUUID();
  const [one, other] = await Promise.all([
    client.generate(BAKERY, { idempotencyKey }),
    client.generate(BAKERY, { idempotencyKey }),
  ]);
  assert.equal(one.taskId, other.taskId);
});

test('a generation that ended can be read again', async () => {
  const client = clientFor(key);
  const { taskId, prompt } = await client.generate(BAKERY);
  assert.equal((await client.resume(taskId)).prompt, prompt);
  assert.equal((await client.status(taskId)).status, 'completed');
  assert.ok((await client.recent()).some((document) => document.task_id === taskId));
});

test('account and ledger are those of the key', async () => {
  const made = account('ledger');
  const client = clientFor(made.api_key);
  const { tokensUsed, taskId } = await client.generate(BAKERY);
  const now = await client.account();
  assert.equal(now.account_id, made.account_id);
  assert.equal(now.tokens_remaining, 5_000 - tokensUsed);
  assert.equal(now.subscription_active, true);
  const { entries } = await client.ledger({ limit: 2 });
  assert.deepEqual(
    entries.map(({ kind }) => kind),
    ['settle', 'hold'],
  );
  assert.equal(entries[0].task_id, taskId);
  const rest = await client.ledger({ limit: 2, before: entries[1].id });
  assert.deepEqual(
    rest.entries.map(({ kind }) => kind),
    ['grant'],
  );
});

test('the token may be a function that is asked each time', async () => {
  let asked = 0;
  const client = new PromptGeneratorAPI(`${API}/`, async () => {
    asked += 1;
    return key;
  });
  await client.generate(BAKERY);
  assert.ok(asked >= 2);
});

test('a prompt in any script comes back whole', async () => {
  const result = await clientFor(key).generate('أجب عن أسئلة العيادة. للحجز: 030 1234567. 你好 👩‍⚕️');
  assert.match(result.prompt, /أجب عن أسئلة العيادة/);
  assert.match(result.prompt, /你好 👩‍⚕️/);
});
