// A browser's own client of Server-Sent Events, as the package `eventsource` has it. It comes back for ever unless it is
// told that a stream is complete, and an event without a line of data it hands over to nobody.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import EventSource from 'eventsource';
import { afterwards, authorization, endingIn, FOLLOW, project, putBack, rename, url } from './support.mjs';

after(putBack);

/** Opens a stream and gathers what is handed over, until it is complete or the time is up. */
function heard(query, { token = authorization, variables } = {}) {
  const address = new URL(url);
  address.searchParams.set('query', query);
  if (variables) address.searchParams.set('variables', JSON.stringify(variables));
  const source = new EventSource(address.href, { headers: { Authorization: token } });
  afterwards(() => source.close());
  const came = { opens: 0, complete: 0, results: [] };
  return new Promise((resolve) => {
    const late = setTimeout(end, 12_000);
    function end() {
      clearTimeout(late);
      source.close();
      resolve(came);
    }
    source.addEventListener('open', () => came.opens++);
    source.addEventListener('next', ({ data }) => came.results.push(JSON.parse(data)));
    source.addEventListener('complete', ({ data }) => {
      assert.equal(data, '');
      came.complete++;
      end();
    });
  });
}

const code = ({ errors }) => errors?.[0].extensions.code;

test('a query is one result, and complete', async () => {
  const { opens, complete, results } = await heard('{ feedCursor }');
  assert.deepEqual([opens, complete, results.length], [1, 1, 1]);
  assert.equal(typeof results[0].data.feedCursor, 'string');
});

for (const [what, query, expected] of [
  ['that is no GraphQL', '{', 'GRAPHQL_PARSE_FAILED'],
  ['of a field that is not there', 'subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ['that begins nowhere', 'subscription { activity(after: "nowhere") { cursor } }', 'CURSOR_MISMATCH'],
  ['that follows what is not there', 'subscription { agentCommands(sessionId: "nothing") { cursor } }', undefined],
]) {
  test(`an operation ${what} is told why, and complete`, async () => {
    const { opens, complete, results } = await heard(query);
    assert.deepEqual([opens, complete, results.length], [1, 1, 1]);
    assert.ok(code(results[0]));
    if (expected) assert.equal(code(results[0]), expected);
  });
}

test('a stream that ends with its token is complete', async () => {
  const { opens, complete, results } = await heard('subscription { activity { position } }', { token: endingIn(3) });
  assert.deepEqual([opens, complete, code(results.at(-1))], [1, 1, 'UNAUTHENTICATED']);
});

test('a stream that goes on is not complete, and hands over each event with its cursor', async () => {
  const address = new URL(url);
  address.searchParams.set('query', FOLLOW);
  address.searchParams.set('variables', JSON.stringify({ projectId: project.id }));
  const source = new EventSource(address.href, { headers: { Authorization: authorization } });
  afterwards(() => source.close());
  const came = [];
  await new Promise((resolve, reject) => {
    source.addEventListener('complete', () => reject(new Error('it is not over')));
    source.addEventListener('next', ({ data, lastEventId }) => {
      assert.ok(lastEventId);
      came.push(JSON.parse(data).data.activity.event?.targetTitle);
      if (came.length === 1) rename(project, 'seen by a browser').catch(reject);
      if (came.length === 2) resolve();
    });
  });
  source.close();
  assert.deepEqual(came, [undefined, 'seen by a browser']);
});
