// The reference client of GraphQL over Server-Sent Events, in distinct connections mode: a stream for each operation.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createClient } from 'graphql-sse';
import {
  afterwards,
  authorization,
  endingIn,
  FOLLOW,
  project,
  putBack,
  RENAME,
  rename,
  SILENCE,
  url,
} from './support.mjs';

after(putBack);

function connected(headers = { authorization }) {
  const answers = [];
  const client = createClient({
    url,
    headers,
    singleConnection: false,
    retryAttempts: 0,
    async fetchFn(address, init) {
      const response = await fetch(address, init);
      answers.push(response);
      return response;
    },
  });
  afterwards(() => client.dispose());
  return { client, answers };
}

/** Everything that comes of an operation until it is complete. */
async function results(client, operation) {
  const came = [];
  for await (const one of client.iterate(operation)) came.push(one);
  return came;
}

test('a subscription begins, tells, and stops', async () => {
  const { client, answers } = connected();
  const stream = client.iterate({ query: FOLLOW, variables: { projectId: project.id } });
  assert.equal((await stream.next()).value.data.activity.event, null);
  assert.equal(answers[0].headers.get('content-type'), 'text/event-stream');
  for (const name of ['once', 'twice']) {
    await rename(project, name);
    assert.equal((await stream.next()).value.data.activity.event.targetTitle, name);
  }
  await stream.return();
});

test('what never has an event can be stopped', async () => {
  const { client } = connected();
  const stream = client.iterate({ query: SILENCE });
  await stream.next();
  await stream.return();
});

test('queries and mutations are one result, and complete', async () => {
  const { client, answers } = connected();
  const variables = { id: project.id, name: 'by events' };
  assert.deepEqual(await results(client, { query: RENAME, variables }), [
    { data: { updateProject: { project: { name: 'by events' } } } },
  ]);
  const query = 'query($id: ID!) { project(id: $id) { name } }';
  assert.deepEqual(await results(client, { query, variables: { id: project.id } }), [
    { data: { project: { name: 'by events' } } },
  ]);
  for (const { headers } of answers) assert.equal(headers.get('content-type'), 'text/event-stream');
});

test('streams of one client keep apart', async () => {
  const { client } = connected();
  const [follows, silent] = [
    client.iterate({ query: FOLLOW, variables: { projectId: project.id } }),
    client.iterate({ query: SILENCE }),
  ];
  await Promise.all([follows.next(), silent.next()]);
  await rename(project, 'to one of them');
  assert.equal((await follows.next()).value.data.activity.event.targetTitle, 'to one of them');
  await Promise.all([follows.return(), silent.return()]);
});

for (const [what, operation, code] of [
  ['that is no GraphQL', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
  ['of a field that is not there', { query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['of two fields', { query: 'subscription { a: activity { position } b: activity { position } }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['without a variable that it needs', { query: FOLLOW }, 'GRAPHQL_VALIDATION_FAILED'],
  ['that begins nowhere', { query: 'subscription { activity(after: "nowhere") { position } }' }, 'CURSOR_MISMATCH'],
]) {
  test(`an operation ${what} is told why in a result, and complete`, async () => {
    const { client } = connected();
    const came = await results(client, operation);
    assert.deepEqual(came.map(({ errors }) => [...new Set(errors.map(({ extensions }) => extensions.code))]), [[code]]);
  });
}

test('a token that does not hold is an answer of 401', async () => {
  const { client } = connected({ authorization: 'Bearer x' });
  await assert.rejects(results(client, { query: SILENCE }), ({ response }) => response.status === 401);
});

test('a stream ends with its token, and says so', async () => {
  const { client } = connected({ authorization: endingIn(4) });
  const came = await results(client, { query: SILENCE });
  assert.equal(came.at(-1).errors[0].extensions.code, 'UNAUTHENTICATED');
});

test('a stream goes on after the event that was seen last', async () => {
  const { client } = connected();
  const stream = client.iterate({ query: 'subscription { activity { cursor position event { targetTitle } } }' });
  const { cursor, position } = (await stream.next()).value.data.activity;
  await stream.return();
  for (const name of ['unseen', 'unseen too']) await rename(project, name);
  const again = connected({ authorization, 'last-event-id': cursor }).client;
  const resumed = again.iterate({ query: 'subscription { activity { position event { targetTitle } } }' });
  const frames = [];
  for (let count = 0; count < 3; count++) frames.push((await resumed.next()).value.data.activity);
  await resumed.return();
  assert.deepEqual(frames.map(({ event }) => event?.targetTitle), [undefined, 'unseen', 'unseen too']);
  assert.deepEqual(frames.map(({ position: at }) => at - position), [0, 1, 2]);
});
