import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Refused } from '../src/failures.js';
import { signIn } from '../src/session.js';
import { server } from './demo.js';

const MINUTE = 60_000;

test('a session exchanges its token once, before it ends', async () => {
  const session = await signIn(server.url, {
    workspace: 'demo',
    email: 'viewer@demo.example',
    password: 'workgraph-demo',
  });
  const token = await session.token();
  assert.equal(await session.token(), token);

  let now = Date.now() + 14 * MINUTE;
  mock.method(Date, 'now', () => now);
  const [newer, same] = await Promise.all([session.token(), session.token()]);
  assert.notEqual(newer, token);
  assert.equal(same, newer);

  await session.signOut();
  now += 14 * MINUTE;
  await assert.rejects(session.token(), Refused);
});
