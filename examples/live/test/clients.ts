import type { Client } from 'graphql-ws';
import { apolloClient, apolloFeed } from '../src/apollo.js';
import type { Feed } from '../src/follow.js';
import type { ActivityFrame, ProjectsPage } from '../src/operations.js';
import { plainFeed } from '../src/plain.js';
import type { Server } from '../src/server.js';
import { urqlClient, urqlFeed } from '../src/urql.js';

/** A client that is tested. */
export interface TestedClient {
  name: string;
  make: (server: Server, socket: Client) => Feed<ProjectsPage, ActivityFrame>;
  /** Whether it loads its page over HTTP rather than over its socket. */
  pageOverHttp: boolean;
}

export const clients: TestedClient[] = [
  { name: 'graphql-ws', make: (_, socket) => plainFeed(socket), pageOverHttp: false },
  { name: 'Apollo Client', make: (server, socket) => apolloFeed(apolloClient(server, socket)), pageOverHttp: true },
  { name: 'urql', make: (server, socket) => urqlFeed(urqlClient(server, socket)), pageOverHttp: true },
];
