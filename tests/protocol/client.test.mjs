// The reference client of graphql-transport-ws, as applications use it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import {
  afterwards,
  authorization,
  endingIn,
  FOLLOW,
  other,
  project,
  putBack,
  RENAME,
  rename,
  SILENCE,
  socketUrl,
} from './support.mjs';

after(putBack);

/** A client, and what happens to its socket. */
function connected(options = {}) {
  const happened = [];
  const client = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    retryAttempts: 0,
    ...options,
  });
  afterwards(() => client.terminate());
  client.on('connected', () => happened.push('connected'));
  const closed = new Promise((resolve) => client.on('closed', ({ code, wasClean }) => resolve({ code, wasClean })));
  return { client, happened, closed };
}

/** The only result of an operation. */
async function result(client, query, variables) {
  const results = [];
  for await (const one of client.iterate({ query, variables })) results.push(one);
  assert.equal(results.length, 1);
  return results[0];
}

test('a subscription begins, tells, and stops; then the socket is closed', async () => {
  const { client, closed } = connected();
  const stream = client.iterate({ query: FOLLOW, variables: { projectId: project.id } });
  const first = (await stream.next()).value.data.activity;
  assert.equal(first.event, null);
  for (const name of ['once', 'twice']) await rename(project, name);
  let last = first;
  for (const name of ['once', 'twice']) {
    const { activity } = (await stream.next()).value.data;
    assert.deepEqual([activity.event.targetTitle, activity.previous], [name, last.position]);
    last = activity;
  }
  await stream.return();
  assert.deepEqual(await closed, { code: 1000, wasClean: true });
});

test('what never has an event can be stopped, before and after it began', async () => {
  const { client, closed, happened } = connected({ lazyCloseTimeout: 500 });
  for (let time = 0; time < 5; time++) {
    const stream = client.iterate({ query: SILENCE });
    if (time % 2 === 0) await stream.next();
    await stream.return();
  }
  assert.equal(typeof (await result(client, '{ feedCursor }')).data.feedCursor, 'string');
  assert.deepEqual(await closed, { code: 1000, wasClean: true });
  assert.deepEqual(happened, ['connected']);
});

test('queries and mutations run over the socket', async () => {
  const { client } = connected();
  const mutation = await result(client, RENAME, { id: project.id, name: 'by the client' });
  assert.equal(mutation.data.updateProject.project.name, 'by the client');
  const query = await result(client, 'query($id: ID!) { project(id: $id) { name } }', { id: project.id });
  assert.equal(query.data.project.name, 'by the client');
});

test('an operation that is refused tells why, and the socket goes on', async () => {
  const { client, happened } = connected({ lazyCloseTimeout: 500 });
  for (const [query, code] of [
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription { activity(after: "nowhere") { position } }', 'CURSOR_MISMATCH'],
  ]) {
    const refused = await result(client, query).catch((errors) => errors);
    assert.equal(refused[0].extensions.code, code);
  }
  assert.ok((await result(client, '{ feedCursor }')).data.feedCursor);
  assert.deepEqual(happened, ['connected']);
  await client.dispose();
});

test('forty operations at once are answered each its own', async () => {
  const { client, happened } = connected({ lazyCloseTimeout: 500 });
  const stream = client.iterate({ query: FOLLOW, variables: { projectId: project.id } });
  await stream.next();
  const query = 'query($name: String!) { projects(filter: { name: { eq: $name } }) { totalCount } }';
  const names = Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? other.name : `no project ${index}`));
  const [event, , ...counts] = await Promise.all([
    stream.next(),
    rename(project, 'while many ask'),
    ...names.map(async (name) => (await result(client, query, { name })).data.projects.totalCount),
  ]);
  assert.equal(event.value.data.activity.event.targetTitle, 'while many ask');
  assert.deepEqual(counts, names.map((name) => Number(name === other.name)));
  assert.deepEqual(happened, ['connected']);
  await stream.return();
});

test('its pings are answered', async () => {
  const { client } = connected({ keepAlive: 50 });
  const stream = client.iterate({ query: SILENCE });
  await stream.next();
  for (let time = 0; time < 3; time++) {
    await new Promise((resolve) => {
      const off = client.on('pong', (received) => {
        assert.ok(received);
        off();
        resolve();
      });
    });
  }
  await stream.return();
});

test('it answers the warning that its token ends, and is closed with 4403 then', async () => {
  const { client, closed } = connected({ connectionParams: { authorization: endingIn(4) } });
  const warned = new Promise((resolve) => client.on('ping', (received, payload) => received && resolve(payload)));
  const ended = result(client, SILENCE).catch((event) => event.code);
  assert.ok((await warned).workgraph.tokenExpiresAt);
  assert.equal((await closed).code, 4403);
  assert.equal(await ended, 4403);
});

for (const [name, connectionParams] of [['no token', undefined], ['a wrong one', { authorization: 'Bearer x' }]]) {
  test(`it is closed with 4403 for ${name}`, async () => {
    const { client } = connected({ connectionParams });
    await assert.rejects(result(client, '{ feedCursor }'), ({ code }) => code === 4403);
  });
}

test('a token may come from the address’s headers', async () => {
  class Signed extends WebSocket {
    constructor(address, protocols) {
      super(address, protocols, { headers: { authorization } });
    }
  }
  const { client } = connected({ connectionParams: undefined, webSocketImpl: Signed });
  assert.ok((await result(client, '{ feedCursor }')).data.feedCursor);
});
