import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import type { Client } from 'graphql-ws';
import { Refused } from './failures.js';
import type { Feed } from './follow.js';
import { iterate } from './iterate.js';
import { Activities, type ActivityFrame, Projects, type ProjectsPage } from './operations.js';
import { authorization, type Server } from './server.js';

/** An Apollo Client that asks over HTTP and subscribes over a socket. */
export function apolloClient(server: Server, socket: Client): ApolloClient {
  const signed = new SetContextLink(async () => ({ headers: { authorization: await authorization(server) } }));
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      ApolloLink.from([signed, new HttpLink({ uri: server.url })]),
    ),
  });
}

/** The page and its stream. The cache takes the rows of every event, so what shows them changes by itself. */
export function apolloFeed(client: ApolloClient): Feed<ProjectsPage, ActivityFrame> {
  return {
    async load() {
      // Not out of the cache: the page must be as new as its cursor.
      const { data, error } = await client
        .query({ query: Projects, fetchPolicy: 'network-only' })
        .catch((error: unknown) => ({ data: undefined, error }));
      if (!data) throw asFailure(error);
      return { page: data, feedCursor: data.feedCursor };
    },
    subscribe(after, signal) {
      return iterate<ActivityFrame>(({ next, error, complete }) => {
        const frames = client.subscribe({ query: Activities, variables: { after } }).subscribe({
          next: (result) => (result.error ? error(asFailure(result.error)) : next(result.data!.activity)),
          error,
          complete,
        });
        return () => frames.unsubscribe();
      }, signal);
    },
  };
}

function asFailure(error: unknown): unknown {
  return CombinedGraphQLErrors.is(error) ? new Refused(error.errors) : error;
}
