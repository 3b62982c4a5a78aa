import assert from 'node:assert/strict';
import test from 'node:test';
import { EventStreamParser } from '../../../web/client/src/event-stream.js';

const parse = (...pieces) => {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

test('an event has a type, data and the last id', () => {
  assert.deepEqual(parse('id: 1-0\nevent: status\ndata: {"a":1}\n\n'), [
    { type: 'status', data: '{"a":1}', id: '1-0' },
  ]);
});

test('an event is the same wherever the network cuts it', () => {
  const text =
    'retry: 2000\r\n\r\n: still here\r\n\r\nid: 7\r\nevent: chunk\r\ndata: one\r\ndata: two\r\n\r\ndata: three\r\n\r\n';
  const whole = parse(text);
  assert.deepEqual(whole, [
    { type: 'chunk', data: 'one\ntwo', id: '7' },
    { type: 'message', data: 'three', id: '7' },
  ]);
  for (let cut = 0; cut <= text.length; cut += 1) {
    assert.deepEqual(parse(text.slice(0, cut), text.slice(cut)), whole, `cut at ${cut}`);
  }
  assert.deepEqual(parse(...text), whole);
});

test('lines end at CR, LF and CR LF, and at nothing else', () => {
  assert.deepEqual(parse('data: a\rdata: b\u2028c\n\r\n'), [{ type: 'message', data: 'a\nb\u2028c', id: '' }]);
});

test('comments, unknown fields and events without data bring nothing', () => {
  assert.deepEqual(parse(': hello\n\nevent: status\n\nfoo: bar\n\n'), []);
});

test('only one space after the colon is left out', () => {
  assert.deepEqual(parse('data:  two\ndata\ndata:none\n\n')[0].data, ' two\n\nnone');
});

test('an unfinished event is not dispatched', () => {
  assert.deepEqual(parse('data: half\n'), []);
});

test('the wait before a reconnect is the server’s', () => {
  const parser = new EventStreamParser('5');
  parser.push('retry: 1500\nretry: soon\n\ndata: x\n\n');
  assert.equal(parser.retryMs, 1500);
});

test('an id stays from where the stream was taken up', () => {
  assert.equal(new EventStreamParser('5-1').push('data: x\n\n')[0].id, '5-1');
});
