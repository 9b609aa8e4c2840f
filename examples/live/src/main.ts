// Prints the projects, and then what happens: main.js plain | apollo | urql

import { apolloClient, apolloFeed } from './apollo.js';
import { type Feed, follow } from './follow.js';
import type { ActivityFrame, ProjectsPage } from './operations.js';
import { plainFeed } from './plain.js';
import { serverOfEnvironment } from './server.js';
import { socketClient } from './socket.js';
import { urqlClient, urqlFeed } from './urql.js';

const server = serverOfEnvironment();
const socket = socketClient(server);
const feeds: Record<string, () => Feed<ProjectsPage, ActivityFrame>> = {
  plain: () => plainFeed(socket),
  apollo: () => apolloFeed(apolloClient(server, socket)),
  urql: () => urqlFeed(urqlClient(server, socket)),
};
const feed = feeds[process.argv[2] ?? ''];
if (!feed) throw new Error(`name one of ${Object.keys(feeds).join(', ')}`);

const onBreak = (error: unknown) => console.error(`${error}`);
for await (const { page, frame } of follow(feed(), { onBreak })) {
  if (page) console.log(page.projects.nodes.map((project) => project.name).join(', '));
  const event = frame?.event;
  if (event) console.log(`${event.seq} ${event.actor} ${event.action} ${event.targetTitle ?? ''}`);
}
