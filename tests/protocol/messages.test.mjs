// Which messages the server takes: those that graphql-ws takes, and of these the ones that are a client's to send.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateMessage } from 'graphql-ws';
import { authorization, Socket } from './support.mjs';

const NONE = Symbol('left out');
const values = [NONE, null, true, 1, '', 'text', [], {}];
const types = ['ping', 'pong', 'complete', 'subscribe', 'next', 'error', 'connection_ack', 'unknown', 'PING'];
const query = 'query Q { feedCursor }';

const texts = ['', ' ', 'ping', '{', '{}', '[]', 'null', '1', '"ping"', '{"type":"ping"', '[{"type":"ping"}]', '{"type":"ping"}{}'];
const messages = [
  ...values.map((type) => ({ type })),
  ...types.flatMap((type) => values.map((payload) => ({ type, id: 'a', payload }))),
  ...['complete', 'subscribe'].flatMap((type) => values.map((id) => ({ type, id, payload: { query } }))),
  ...['query', 'variables', 'operationName', 'extensions'].flatMap((name) => {
    return values.map((value) => ({ type: 'subscribe', id: 'a', payload: { query, [name]: value } }));
  }),
  { type: 'ping', unknown: 1 },
  { type: 'complete', id: 'a', payload: 1 },
];
const cases = [...texts, ...messages.map((message) => JSON.stringify(without(NONE, message)))];

/** What is left out is not sent. */
function without(nothing, value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== nothing);
  return Object.fromEntries(kept.map(([name, field]) => [name, without(nothing, field)]));
}

/** Whether a client may say this. */
function isClients(text) {
  try {
    return !['next', 'error', 'connection_ack'].includes(validateMessage(JSON.parse(text)).type);
  } catch {
    return false;
  }
}

for (const text of new Set(cases)) {
  const right = isClients(text);
  test(`${text || 'nothing'} is ${right ? 'taken' : 'refused with 4400'}`, async () => {
    const socket = await Socket.signedIn();
    socket.say(text);
    if (!right) {
      const { code, reason } = await socket.closed();
      assert.equal(code, 4400);
      assert.notEqual(reason, '');
      return;
    }
    const payload = { after: text };
    socket.say({ type: 'ping', payload });
    for (;;) {
      const message = await socket.next();
      if (message.type === 'pong' && message.payload?.after === text) break;
    }
    await socket.close();
  });
}

test('a binary message is refused with 4400', async () => {
  const socket = await Socket.open();
  socket.raw.send(Buffer.from(JSON.stringify({ type: 'connection_init', payload: { authorization } })));
  assert.equal((await socket.closed()).code, 4400);
});

test('the first message may be wrong too', async () => {
  for (const payload of [1, 'text', [], true]) {
    const socket = await Socket.open();
    socket.say({ type: 'connection_init', payload });
    assert.equal((await socket.closed()).code, 4400);
  }
});
