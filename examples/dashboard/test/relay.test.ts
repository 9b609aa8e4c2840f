import assert from 'node:assert/strict';
import { test } from 'node:test';
import relay, { type ConcreteRequest, type OperationDescriptor } from 'relay-runtime';
import fragment, {
  type ProjectTickets$data,
  type ProjectTickets$key,
} from '../generated/relay/artifacts/ProjectTickets.graphql.js';
import nextTickets, {
  type ProjectTicketsNextQuery,
} from '../generated/relay/artifacts/ProjectTicketsNextQuery.graphql.js';
import firstTickets, { type ProjectTicketsQuery } from '../generated/relay/artifacts/ProjectTicketsQuery.graphql.js';
import rename, { type RenameProjectMutation } from '../generated/relay/artifacts/RenameProjectMutation.graphql.js';
import type { Page } from '../src/pages.js';
import { relayEnvironment } from '../src/relay.js';
import { noComplaints } from './complaints.js';
import { loaded, project, server } from './demo.js';
import { Network } from './network.js';

noComplaints();

for (const page of loaded) {
  test(`Relay reads ${page.name} from its store as the server answered it`, async () => {
    const network = new Network();
    const environment = relayEnvironment(server, network.fetch);
    const operation = await load(environment, page);
    isSelectedFrom(read(environment, operation), network.data(page.name), page.name);
  });
}

for (const [order, pages] of [['in turn', loaded], ['backwards', loaded.toReversed()]] as const) {
  test(`Relay keeps all pages apart in one store, loaded ${order}`, async () => {
    const network = new Network();
    const environment = relayEnvironment(server, network.fetch);
    const operations: OperationDescriptor[] = [];
    for (const page of pages) operations.push(await load(environment, page));
    for (const operation of operations) {
      const { name } = operation.request.node.operation;
      isSelectedFrom(read(environment, operation), network.data(name), name);
    }
  });
}

test('Relay shows a renamed project on another page without asking for it again', async () => {
  const network = new Network();
  const environment = relayEnvironment(server, network.fetch);
  const shell = await load(environment, loaded.find((page) => page.name === 'ShellQuery')!);
  for (const name of [`${project.name} (renamed)`, project.name]) {
    const renamed = new Promise<void>((seen) => {
      const watched = environment.subscribe(environment.lookup(shell.fragment), ({ data }) => {
        if (!JSON.stringify(data).includes(JSON.stringify(name))) return;
        watched.dispose();
        seen();
      });
    });
    await new Promise((onCompleted, onError) => {
      relay.commitMutation<RenameProjectMutation>(environment, {
        mutation: rename,
        variables: { id: project.id, name },
        onCompleted,
        onError,
      });
    });
    await renamed;
  }
  const asked = network.answers.map((answer) => answer.operation);
  assert.deepEqual(asked, ['ShellQuery', 'RenameProjectMutation', 'RenameProjectMutation']);
});

test('Relay pages through all tickets of a project, each once', async () => {
  const environment = relayEnvironment(server);
  const { id } = project;
  const opened = await relay.fetchQuery<ProjectTicketsQuery>(environment, firstTickets, { id, first: 10 }).toPromise();
  const key: ProjectTickets$key = opened!.project!;
  const shown = () => {
    const selector = relay.getSingularSelector(fragment, key);
    assert.ok(selector?.kind === 'SingularReaderSelector');
    return environment.lookup(selector).data as unknown as ProjectTickets$data;
  };
  for (let page = shown(); page.tickets!.pageInfo.hasNextPage; page = shown()) {
    const variables = { id, first: 10, after: page.tickets!.pageInfo.endCursor };
    await relay.fetchQuery<ProjectTicketsNextQuery>(environment, nextTickets, variables).toPromise();
  }
  const { edges, totalCount } = shown().tickets!;
  const ids = edges.map((edge) => edge.node.id);
  assert.ok(ids.length > 20, 'the demo has several pages of tickets');
  assert.equal(ids.length, totalCount);
  assert.equal(new Set(ids).size, ids.length);
});

/** Fetches a page and holds it in the store. */
async function load(environment: relay.Environment, { name, variables }: Page): Promise<OperationDescriptor> {
  const artifact: { default: ConcreteRequest } = await import(`../generated/relay/artifacts/${name}.graphql.js`);
  const operation = relay.createOperationDescriptor(artifact.default, variables);
  environment.retain(operation);
  await relay.fetchQuery(environment, artifact.default, variables, { fetchPolicy: 'network-only' }).toPromise();
  return operation;
}

function read(environment: relay.Environment, operation: OperationDescriptor): unknown {
  assert.equal(environment.check(operation).status, 'available');
  return environment.lookup(operation.fragment).data;
}

/** That both are the same, but for an `id` or `__typename` that Relay asked for itself and does not show. */
function isSelectedFrom(shown: unknown, answered: unknown, path: string): void {
  if (Array.isArray(shown) && Array.isArray(answered)) {
    assert.equal(shown.length, answered.length, path);
    shown.forEach((item, index) => isSelectedFrom(item, answered[index], `${path}[${index}]`));
  } else if (isObject(shown) && isObject(answered)) {
    for (const name of new Set([...Object.keys(shown), ...Object.keys(answered)])) {
      if (!(name in shown) && (name === 'id' || name === '__typename')) continue;
      isSelectedFrom(shown[name], answered[name], `${path}.${name}`);
    }
  } else {
    assert.deepEqual(shown, answered, path);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
