/**
 * The backend: holds the API key, submits for its users, and passes on what their pages ask with watch tokens.
 *
 *   npm install && API_KEY=pg_… node server.js     with the server of `make run` on port 8000, or SERVER=http://…
 */

import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const { SERVER = 'http://127.0.0.1:8000', API_KEY, PORT = '3000' } = process.env;
const HERE = new URL('.', import.meta.url);
const MODULES = new URL('.', import.meta.resolve('prompt-generation-client'));
const FILE = /^\/(?:(main\.js)|modules\/([a-z-]+\.js))?$/;

const server = createServer(async (asked, answer) => {
  const { method, url } = asked;
  try {
    if (method === 'POST' && url === '/generations') {
      await submit(asked, answer);
    } else if (url.startsWith('/api/')) {
      passOn(asked, answer);
    } else {
      await sendFile(url, answer);
    }
  } catch (error) {
    console.error(error);
    answer.writeHead(502, { 'Content-Type': 'application/json' }).end('{"error": "Please try again."}');
  }
});

/**
 * Here your application checks who asks, and puts the person's id before the idempotency key: nobody gets another one's task
 * by guessing. The answer has the task's id and its watch token, and never the API key.
 */
async function submit(asked, answer) {
  const { 'idempotency-key': key } = asked.headers;
  const { status, body } = await fetch(`${SERVER}/api/v1/web-knowledge/generate-prompt-async/`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${API_KEY}`,
      'Content-Type': 'application/json',
      ...(key && { 'Idempotency-Key': key }), // the page's own: what it sends again is paid once
    },
    body: JSON.stringify({ manual_prompt: await text(asked), watch_token: true }),
  });
  answer.writeHead(status, { 'Content-Type': 'application/json' }).end(await text(body));
}

/** Documents, events and cancellations, as they come. With nginx in front of both servers this is its work. */
function passOn(asked, answer) {
  const { method, headers } = asked;
  const onwards = request(new URL(asked.url, SERVER), { method, headers }, (told) => {
    answer.writeHead(told.statusCode, told.headers);
    told.pipe(answer);
  });
  onwards.on('error', () => answer.destroy());
  answer.on('close', () => onwards.destroy());
  asked.pipe(onwards);
}

async function sendFile(url, answer) {
  const match = FILE.exec(url);
  if (!match) {
    answer.writeHead(404).end();
    return;
  }
  const file = match[2] ? new URL(match[2], MODULES) : new URL(match[1] ?? 'index.html', HERE);
  const type = file.pathname.endsWith('.js') ? 'text/javascript' : 'text/html';
  answer.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(await readFile(fileURLToPath(file)));
}

server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
