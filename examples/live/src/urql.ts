import { Client, type CombinedError, fetchExchange, subscriptionExchange } from '@urql/core';
import type { Client as Socket, SubscribePayload } from 'graphql-ws';
import { pipe, toObservable } from 'wonka';
import { Refused } from './failures.js';
import type { Feed } from './follow.js';
import { iterate } from './iterate.js';
import { Activities, type ActivityFrame, Projects, type ProjectsPage } from './operations.js';
import { authorization, type Server } from './server.js';

/** An urql client that asks over HTTP and subscribes over a socket. */
export function urqlClient(server: Server, socket: Socket): Client {
  return new Client({
    url: server.url,
    preferGetMethod: false,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', await authorization(server));
      return fetch(input, { ...init, headers });
    },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (operation) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe(operation as SubscribePayload, sink) }),
        }),
      }),
    ],
  });
}

/** The page and its stream. */
export function urqlFeed(client: Client): Feed<ProjectsPage, ActivityFrame> {
  return {
    async load() {
      const { data, error } = await client.query(Projects, {}, { requestPolicy: 'network-only' }).toPromise();
      if (error || !data) throw asFailure(error);
      return { page: data, feedCursor: data.feedCursor };
    },
    subscribe(after, signal) {
      return iterate<ActivityFrame>((sink) => {
        const frames = pipe(client.subscription(Activities, { after }), toObservable).subscribe({
          next: ({ data, error }) => (error ? sink.error(asFailure(error)) : sink.next(data!.activity)),
          error: sink.error,
          complete: sink.complete,
        });
        return () => frames.unsubscribe();
      }, signal);
    },
  };
}

function asFailure(error: CombinedError | undefined): unknown {
  return error?.graphQLErrors.length ? new Refused(error.graphQLErrors) : (error?.networkError ?? error);
}
