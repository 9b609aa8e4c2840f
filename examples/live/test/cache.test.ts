import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { apolloClient, apolloFeed } from '../src/apollo.js';
import { follow } from '../src/follow.js';
import { Projects } from '../src/operations.js';
import { socketClient } from '../src/socket.js';
import { projects, putBack, rename, server } from './demo.js';

after(putBack);

test('Apollo Client shows on the page what the stream tells, without asking again', async () => {
  const socket = socketClient(server);
  const client = apolloClient(server, socket);
  const [project] = projects;
  const names = () => client.readQuery({ query: Projects })?.projects.nodes.map(({ name }) => name);
  for await (const { page, frame } of follow(apolloFeed(client))) {
    if (page) await rename(project!, 'told by the stream');
    if (frame?.event) break;
  }
  assert.ok(names()?.includes('told by the stream'), `${names()}`);
  client.stop();
  await socket.dispose();
});
