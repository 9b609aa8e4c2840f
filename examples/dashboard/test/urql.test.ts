import type { Client, OperationResult } from '@urql/core';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filter, pipe, take, toPromise } from 'wonka';
import {
  RenameProjectMutationDocument,
  ShellQueryDocument,
  TicketsQueryDocument,
} from '../generated/operations/graphql.js';
import type { Page } from '../src/pages.js';
import { urqlClient } from '../src/urql.js';
import { noComplaints } from './complaints.js';
import { loaded, project, server } from './demo.js';
import { Network } from './network.js';

noComplaints();

for (const page of loaded) {
  test(`urql reads ${page.name} from its cache as the server answered it`, async () => {
    const network = new Network();
    const client = urqlClient(server, network.fetch);
    await load(client, page);
    assert.deepEqual(await read(client, page), network.shown(page.name));
  });
}

for (const [order, pages] of [['in turn', loaded], ['backwards', loaded.toReversed()]] as const) {
  test(`urql keeps all pages apart in one cache, loaded ${order}`, async () => {
    const network = new Network();
    const client = urqlClient(server, network.fetch);
    for (const page of pages) await load(client, page);
    for (const page of pages) assert.deepEqual(await read(client, page), network.shown(page.name), page.name);
  });
}

test('urql shows a renamed project on another page without asking for it again', async () => {
  const network = new Network();
  const client = urqlClient(server, network.fetch);
  await client.query(ShellQueryDocument, {});
  for (const name of [`${project.name} (renamed)`, project.name]) {
    const renamed = pipe(
      client.query(ShellQueryDocument, {}),
      filter(({ data }) => data?.projects?.nodes.some((node) => node.name === name) ?? false),
      take(1),
      toPromise,
    );
    succeeded(await client.mutation(RenameProjectMutationDocument, { id: project.id, name }));
    await renamed;
  }
  const asked = network.answers.map((answer) => answer.operation);
  assert.deepEqual(asked, ['ShellQuery', 'RenameProjectMutation', 'RenameProjectMutation']);
});

test('urql pages through all tickets, each once', async () => {
  const client = urqlClient(server);
  const first = { first: 10 };
  let { tickets } = succeeded(await client.query(TicketsQueryDocument, first));
  while (tickets?.pageInfo.hasNextPage) {
    succeeded(await client.query(TicketsQueryDocument, { ...first, after: tickets.pageInfo.endCursor }));
    tickets = succeeded(await client.query(TicketsQueryDocument, first, { requestPolicy: 'cache-only' })).tickets;
  }
  const ids = tickets!.edges.map((edge) => edge.node.id);
  assert.ok(ids.length > 20, 'the demo has several pages of tickets');
  assert.equal(ids.length, tickets!.totalCount);
  assert.equal(new Set(ids).size, ids.length);
});

async function load(client: Client, { document, variables }: Page): Promise<void> {
  succeeded(await client.query(document, variables, { requestPolicy: 'network-only' }));
}

async function read(client: Client, { document, variables }: Page): Promise<unknown> {
  return (await client.query(document, variables, { requestPolicy: 'cache-only' })).data;
}

function succeeded<Data>({ data, error }: OperationResult<Data, never> | { data?: Data; error?: Error }): Data {
  if (error || !data) throw error ?? new Error('there is no answer');
  return data;
}
