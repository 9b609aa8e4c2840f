import type { ApolloClient } from '@apollo/client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Subscribable } from 'rxjs';
import {
  RenameProjectMutationDocument,
  ShellQueryDocument,
  TicketsQueryDocument,
  type TicketsQueryQuery,
} from '../generated/operations/graphql.js';
import { apolloClient } from '../src/apollo.js';
import type { Page } from '../src/pages.js';
import { noComplaints } from './complaints.js';
import { loaded, project, server } from './demo.js';
import { Network } from './network.js';

noComplaints();

for (const page of loaded) {
  test(`Apollo Client reads ${page.name} from its cache as the server answered it`, async () => {
    const network = new Network();
    const client = apolloClient(server, network.fetch);
    await load(client, page);
    assert.deepEqual(await read(client, page), network.data(page.name));
  });
}

for (const [order, pages] of [['in turn', loaded], ['backwards', loaded.toReversed()]] as const) {
  test(`Apollo Client keeps all pages apart in one cache, loaded ${order}`, async () => {
    const network = new Network();
    const client = apolloClient(server, network.fetch);
    for (const page of pages) await load(client, page);
    for (const page of pages) assert.deepEqual(await read(client, page), network.data(page.name), page.name);
  });
}

test('Apollo Client shows a renamed project on another page without asking for it again', async () => {
  const network = new Network();
  const client = apolloClient(server, network.fetch);
  const shell = client.watchQuery({ query: ShellQueryDocument });
  await seen(shell, ({ dataState }) => dataState === 'complete');
  for (const name of [`${project.name} (renamed)`, project.name]) {
    await client.mutate({ mutation: RenameProjectMutationDocument, variables: { id: project.id, name } });
    await seen(shell, ({ data }) => data?.projects?.nodes?.some((node) => node?.name === name) ?? false);
  }
  const asked = network.answers.map((answer) => answer.operation);
  assert.deepEqual(asked, ['ShellQuery', 'RenameProjectMutation', 'RenameProjectMutation']);
});

test('Apollo Client pages through all tickets, each once', async () => {
  const client = apolloClient(server);
  const tickets = client.watchQuery({ query: TicketsQueryDocument, variables: { first: 10 } });
  const opened = await seen(tickets, ({ dataState }) => dataState === 'complete');
  let data = opened.data as TicketsQueryQuery | null;
  while (data?.tickets?.pageInfo.hasNextPage) {
    await tickets.fetchMore({ variables: { after: data.tickets.pageInfo.endCursor } });
    data = client.readQuery({ query: TicketsQueryDocument, variables: { first: 10 } });
  }
  const ids = data!.tickets!.edges.map((edge) => edge.node.id);
  assert.ok(ids.length > 20, 'the demo has several pages of tickets');
  assert.equal(ids.length, data!.tickets!.totalCount);
  assert.equal(new Set(ids).size, ids.length);
});

async function load(client: ApolloClient, { document: query, variables }: Page): Promise<void> {
  await client.query({ query, variables, fetchPolicy: 'network-only' });
}

async function read(client: ApolloClient, { document: query, variables }: Page): Promise<unknown> {
  return (await client.query({ query, variables, fetchPolicy: 'cache-only' })).data;
}

/** The first value that an observable shows and that holds. */
function seen<Value>(shown: Subscribable<Value>, holds: (value: Value) => boolean): Promise<Value> {
  return new Promise((resolve, error) => {
    const next = (value: Value) => holds(value) && resolve(value);
    shown.subscribe({ next, error });
  });
}
