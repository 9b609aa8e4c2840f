// How a socket begins, lives and ends.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorization, endingIn, FOLLOW, project, PROTOCOL, SILENCE, Socket } from './support.mjs';

describe('a connection', { concurrency: true }, () => {
  test('begins with an acknowledgement', async () => {
    const socket = await Socket.open();
    assert.equal(socket.raw.protocol, PROTOCOL);
    socket.say({ type: 'connection_init', payload: { authorization } });
    await socket.hears({ type: 'connection_ack' });
    assert.equal((await socket.close()).code, 1000);
  });

  test('finds its protocol among others', async () => {
    const socket = await Socket.open(['graphql-ws', PROTOCOL]);
    assert.equal(socket.raw.protocol, PROTOCOL);
    await socket.close();
  });

  for (const protocols of [[], ['graphql-ws'], ['graphql-transport-ws2', 'mqtt']]) {
    test(`is closed with 4406 when it speaks ${protocols.join(' or ') || 'nothing'}`, async () => {
      const socket = new Socket(protocols);
      // The library gives up before the close frame when it asked for protocols and got none.
      const ends = await socket.closed().catch((error) => error);
      if (protocols.length === 0) assert.deepEqual(ends, { code: 4406, reason: 'Subprotocol not acceptable' });
      else assert.match(ends.message, /no subprotocol/);
    });
  }

  test('is closed with 4408 when it does not begin within ten seconds', async () => {
    const began = Date.now();
    const socket = await Socket.open();
    socket.say({ type: 'ping' });
    const closed = await socket.closed();
    assert.equal(closed.code, 4408);
    assert.ok(Math.abs(Date.now() - began - 10_000) < 2_000, `after ${Date.now() - began} ms`);
  });

  test('that has begun is not closed then', async () => {
    const socket = await Socket.signedIn();
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    await socket.isQuiet();
    await socket.close();
  });

  test('is asked every twenty seconds whether it lives', async () => {
    const socket = await Socket.signedIn();
    const began = Date.now();
    await new Promise((resolve) => socket.raw.once('ping', resolve));
    assert.ok(Math.abs(Date.now() - began - 20_000) < 3_000, `after ${Date.now() - began} ms`);
    await socket.isQuiet();
    await socket.close();
  });

  for (const [name, ...payload] of [
    ['no payload'],
    ['null', null],
    ['no token', {}],
    ['a token that is none', { authorization: 'Bearer nonsense' }],
    ['no bearer token', { authorization: 'Basic b3duZXI6' }],
    ['a token that is no text', { authorization: 1 }],
    ['a token that has ended', { authorization: endingIn(-60) }],
    ['a project that is not there', { authorization, projectId: 'nowhere' }],
  ]) {
    test(`is closed with 4403 for ${name}`, async () => {
      const socket = await Socket.open();
      socket.say({ type: 'connection_init', ...(payload.length > 0 && { payload: payload[0] }) });
      const { code, reason } = await socket.closed();
      assert.equal(code, 4403, reason);
      assert.notEqual(reason, '');
    });
  }

  test('is closed with 4429 when it begins twice', async () => {
    const socket = await Socket.signedIn();
    socket.say({ type: 'connection_init', payload: { authorization } });
    assert.deepEqual(await socket.closed(), { code: 4429, reason: 'Too many initialisation requests' });
  });

  test('is closed with 4429 when it begins twice before it was acknowledged', async () => {
    const socket = await Socket.open();
    for (let time = 0; time < 2; time++) socket.say({ type: 'connection_init', payload: { authorization } });
    assert.equal((await socket.closed()).code, 4429);
  });

  test('is closed with 4401 when it subscribes before it began', async () => {
    const socket = await Socket.open();
    socket.subscribe('a', SILENCE);
    assert.deepEqual(await socket.closed(), { code: 4401, reason: 'Unauthorized' });
  });

  test('answers pings before and after it began, with what they said', async () => {
    const socket = await Socket.open();
    const payload = { at: 1, nested: { list: [null, 'ü'] } };
    for (let time = 0; time < 2; time++) {
      socket.say({ type: 'ping' });
      await socket.hears({ type: 'pong' });
      socket.say({ type: 'ping', payload });
      await socket.hears({ type: 'pong', payload });
      socket.say({ type: 'pong' });
      socket.say({ type: 'pong', payload });
      if (time === 0) {
        socket.say({ type: 'connection_init', payload: { authorization } });
        await socket.hears({ type: 'connection_ack' });
      }
    }
    await socket.isQuiet();
    await socket.close();
  });

  test('gives numbers back as they came', async () => {
    const socket = await Socket.open();
    const payload = { numbers: [0.1, 0.9579060357268809, 0.024239642051540722, 1e300, 123456789012345, -0.5] };
    socket.say({ type: 'ping', payload });
    await socket.hears({ type: 'pong', payload });
    await socket.close();
  });

  test('takes a message of 200,000 bytes and is closed with 1009 for one of 300,000', async () => {
    const socket = await Socket.signedIn();
    const payload = { text: 'x'.repeat(200_000) };
    socket.say({ type: 'ping', payload });
    await socket.hears({ type: 'pong', payload });
    socket.say({ type: 'ping', payload: { text: 'x'.repeat(300_000) } });
    assert.equal((await socket.closed()).code, 1009);
  });

  test('is warned before its token ends, and goes on with a newer one', async () => {
    const socket = await Socket.open();
    socket.say({ type: 'connection_init', payload: { authorization: endingIn(5) } });
    await socket.hears({ type: 'connection_ack' });
    const { type, payload } = await socket.next();
    assert.equal(type, 'ping');
    const left = Date.parse(payload.workgraph.tokenExpiresAt) - Date.now();
    assert.ok(left > 0 && left <= 5_000, JSON.stringify(payload));
    socket.subscribe('a', FOLLOW, { projectId: project.id });
    await socket.data('a');
    for (const [token, word] of [['Bearer nonsense', 'refused'], ['nonsense', 'refused'], [authorization, 'accepted']]) {
      socket.say({ type: 'ping', payload: { authorization: token } });
      await socket.hears({ type: 'pong', payload: { authorization: word } });
    }
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    await socket.isQuiet();
    await socket.close();
  });

  test('is closed with 4403 when its token ends', async () => {
    const socket = await Socket.open();
    socket.say({ type: 'connection_init', payload: { authorization: endingIn(4) } });
    await socket.hears({ type: 'connection_ack' });
    assert.deepEqual(await socket.closed(), { code: 4403, reason: 'The token has expired.' });
  });

  test('is warned once by a token that ends soon, however often that is sent', async () => {
    const socket = await Socket.open();
    const soon = endingIn(30);
    socket.say({ type: 'connection_init', payload: { authorization: soon } });
    await socket.hears({ type: 'connection_ack' });
    assert.equal((await socket.next()).type, 'ping');
    socket.say({ type: 'ping', payload: { authorization: soon } });
    await socket.hears({ type: 'pong', payload: { authorization: 'accepted' } });
    await socket.isQuiet();
    await socket.close();
  });
});
