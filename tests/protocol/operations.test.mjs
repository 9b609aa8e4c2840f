// Operations over a socket, message by message.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FOLLOW, other, project, putBack, RENAME, rename, SILENCE, Socket } from './support.mjs';

after(putBack);

test('a query is answered by one result and complete', async () => {
  const socket = await Socket.signedIn();
  socket.subscribe('q', '{ projects(first: 1) { nodes { id } } }');
  assert.equal(typeof (await socket.data('q')).projects.nodes[0].id, 'string');
  await socket.hears({ type: 'complete', id: 'q' });
  await socket.isQuiet();
  await socket.close();
});

test('a mutation is run once', async () => {
  const socket = await Socket.signedIn();
  socket.subscribe('f', FOLLOW, { projectId: project.id });
  await socket.data('f');
  socket.subscribe('m', RENAME, { id: project.id, name: 'by socket' });
  const heard = [await socket.next(), await socket.next(), await socket.next()];
  const of = (id) => heard.filter((message) => message.id === id);
  assert.deepEqual(of('m').map(({ type }) => type), ['next', 'complete']);
  assert.equal(of('m')[0].payload.data.updateProject.project.name, 'by socket');
  assert.deepEqual(of('f').map(({ payload }) => payload.data.activity.event.targetTitle), ['by socket']);
  await socket.isQuiet();
  await socket.close();
});

for (const [what, payload, code] of [
  ['that is no GraphQL', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
  ['that is empty', { query: '' }, 'GRAPHQL_PARSE_FAILED'],
  ['of a field that is not there', { query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['without a variable that it needs', { query: FOLLOW }, 'GRAPHQL_VALIDATION_FAILED'],
  ['of a name that is not there', { query: '{ feedCursor }', operationName: 'Nothing' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['of two fields', { query: 'subscription { a: activity { position } b: activity { position } }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['that begins nowhere', { query: 'subscription { activity(after: "nowhere") { position } }' }, 'CURSOR_MISMATCH'],
  ['with an argument out of range', { query: 'subscription { activity(heartbeatSeconds: 1) { position } }' }, 'BAD_USER_INPUT'],
]) {
  test(`an operation ${what} ends with error, and its id is free`, async () => {
    const socket = await Socket.signedIn();
    socket.say({ type: 'subscribe', id: 'e', payload });
    const { type, id, payload: errors } = await socket.next();
    assert.deepEqual([type, id], ['error', 'e']);
    assert.deepEqual([...new Set(errors.map(({ extensions }) => extensions.code))], [code], JSON.stringify(errors));
    for (const { message, locations = [] } of errors) {
      assert.equal(typeof message, 'string');
      for (const { line, column } of locations) assert.ok(line >= 1 && column >= 1, JSON.stringify(locations));
    }
    socket.subscribe('e', '{ feedCursor }');
    await socket.data('e');
    await socket.hears({ type: 'complete', id: 'e' });
    await socket.close();
  });
}

for (const kind of ['query Named { feedCursor }', 'subscription Named { activity { position } }']) {
  test(`the only operation needs no operationName: ${kind}`, async () => {
    const socket = await Socket.signedIn();
    socket.subscribe('n', kind);
    await socket.data('n');
    await socket.close();
  });
}

test('an operation is chosen by operationName', async () => {
  const socket = await Socket.signedIn();
  const query = 'query A { feedCursor } subscription B { activity { position } } query C { projects { totalCount } }';
  for (const [operationName, field] of [['A', 'feedCursor'], ['B', 'activity'], ['C', 'projects']]) {
    socket.say({ type: 'subscribe', id: operationName, payload: { query, operationName } });
    assert.deepEqual(Object.keys(await socket.data(operationName)), [field]);
    if (operationName !== 'B') await socket.hears({ type: 'complete', id: operationName });
  }
  await socket.close();
});

test('a fault within an answer is in the result, which completes', async () => {
  const socket = await Socket.signedIn();
  socket.subscribe('q', '{ feedCursor projects(first: 1, after: "nowhere") { totalCount } }');
  const { type, payload } = await socket.next();
  assert.equal(type, 'next');
  assert.deepEqual([typeof payload.data.feedCursor, payload.data.projects], ['string', null]);
  assert.equal(payload.errors[0].extensions.code, 'CURSOR_MISMATCH');
  await socket.hears({ type: 'complete', id: 'q' });
  await socket.close();
});

test('an id that is in use closes the socket with 4409', async () => {
  const socket = await Socket.signedIn();
  socket.subscribe('twice', SILENCE);
  await socket.data('twice');
  socket.subscribe('twice', '{ feedCursor }');
  assert.deepEqual(await socket.closed(), { code: 4409, reason: 'Subscriber for twice already exists' });
});

test('an id that is in use closes the socket with 4409 before the first result too', async () => {
  const socket = await Socket.signedIn();
  for (let time = 0; time < 2; time++) socket.subscribe('twice', SILENCE);
  assert.equal((await socket.closed()).code, 4409);
});

test('a client completes what never has an event, any number of times under one id', async () => {
  const socket = await Socket.signedIn();
  for (let time = 0; time < 60; time++) {
    socket.subscribe('s', SILENCE);
    if (time % 2 === 0) await socket.data('s');
    socket.say({ type: 'complete', id: 's' });
  }
  // Of those that were completed at once the first result may have been on its way.
  const payload = { at: 'the end' };
  socket.say({ type: 'ping', payload });
  for (let message; message?.type !== 'pong'; ) {
    message = await socket.next();
    assert.ok(message.type === 'pong' || (message.type === 'next' && message.id === 's'), JSON.stringify(message));
  }
  await socket.isQuiet();
  await socket.close();
});

test('nothing comes after the client completed', async () => {
  const socket = await Socket.signedIn();
  socket.subscribe('f', FOLLOW, { projectId: project.id });
  await socket.data('f');
  await rename(project, 'heard');
  assert.equal((await socket.data('f')).activity.event.targetTitle, 'heard');
  socket.say({ type: 'complete', id: 'f' });
  await socket.isQuiet();
  await rename(project, 'unheard');
  await rename(project, 'unheard as well');
  await socket.isQuiet();
  await socket.close();
});

test('completing what is not there, or is over, changes nothing', async () => {
  const socket = await Socket.signedIn();
  socket.say({ type: 'complete', id: 'nothing' });
  socket.subscribe('q', '{ feedCursor }');
  await socket.data('q');
  await socket.hears({ type: 'complete', id: 'q' });
  socket.say({ type: 'complete', id: 'q' });
  await socket.isQuiet();
  await socket.close();
});

test('operations of one socket keep apart', async () => {
  const socket = await Socket.signedIn();
  const ids = Array.from({ length: 20 }, (_, index) => `${index}`);
  const followed = (id) => (Number(id) % 2 === 0 ? project : other);
  for (const id of ids) socket.subscribe(id, FOLLOW, { projectId: followed(id).id });
  for (const _ of ids) assert.equal((await socket.next()).payload.data.activity.event, null);
  await Promise.all([rename(project, 'the one'), rename(other, 'the other')]);
  socket.subscribe('q', '{ feedCursor }');
  const heard = {};
  for (let count = 0; count < ids.length + 2; count++) {
    const { type, id, payload } = await socket.next();
    if (id === 'q') continue;
    assert.deepEqual([type, heard[id]], ['next', undefined]);
    heard[id] = payload.data.activity.event.targetTitle;
  }
  assert.deepEqual(heard, Object.fromEntries(ids.map((id) => [id, followed(id) === project ? 'the one' : 'the other'])));
  await socket.close();
});

test('sockets keep apart the same id', async () => {
  const [one, two] = [await Socket.signedIn(), await Socket.signedIn()];
  one.subscribe('f', FOLLOW, { projectId: project.id });
  two.subscribe('f', FOLLOW, { projectId: other.id });
  await Promise.all([one.data('f'), two.data('f')]);
  await rename(other, 'for two');
  assert.equal((await two.data('f')).activity.event.targetTitle, 'for two');
  await one.isQuiet();
  two.say({ type: 'complete', id: 'f' });
  await rename(project, 'for one');
  assert.equal((await one.data('f')).activity.event.targetTitle, 'for one');
  await two.isQuiet();
  await Promise.all([one.close(), two.close()]);
});
