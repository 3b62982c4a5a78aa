/** The running server that these tests ask; the pytest suite starts it and names it in the environment. */

import { createHmac } from 'node:crypto';
import { PromptGeneratorAPI } from '../../../web/client/src/index.js';

const facts = JSON.parse(process.env.TEST_SERVER ?? 'null');
if (!facts) {
  throw new Error('TEST_SERVER is not set: run these tests with pytest tests/web/test_client.py');
}

export const SERVER = facts.url;
export const API = `${SERVER}/api/v1/web-knowledge`;
export const BAKERY = 'Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567, see https://sonne.example.';

/** @param {number} seconds how long the stand-in for Gemini takes over this prompt */
export const taking = (seconds) => `${BAKERY} [[standin:delay=${seconds}]]`;
/** @param {string} fault how the stand-in fails over this prompt */
export const failing = (fault) => `${BAKERY} [[standin:fault=${fault}]]`;

/**
 * An account of one's own by name, so that test files do not meet each other's limits; conftest.py made them.
 *
 * @returns {{account_id: string, api_key: string}}
 */
export function account(name) {
  const found = facts.accounts[name];
  if (!found) {
    throw new Error(`there is no account ${name}`);
  }
  return found;
}

/** @param {string} key @param {object} [options] */
export const clientFor = (key, options = {}) => new PromptGeneratorAPI(API, key, options);

/** A valid token for an account that does not exist. */
export function strangersToken() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'nobody-here', exp })}`;
  return `${signed}.${createHmac('sha256', facts.jwt_secret).update(signed).digest('base64url')}`;
}

/** Wait for what another process does. */
export async function eventually(condition, withinMs = 60_000) {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`never happened: ${condition}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
