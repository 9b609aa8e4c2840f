import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { Activity, Project } from '../src/operations.js';
import { serverOfEnvironment } from '../src/server.js';

/** The server that is tested. */
export const server = serverOfEnvironment();

/** Asks the server, past every proxy. Throws if it answers with errors. */
export async function ask<Data>(query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await server.token()}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** The projects of the demo. */
export const { projects } = await ask<{ projects: { nodes: Project[] } }>('{ projects { nodes { id name } } }').then(
  ({ projects }) => ({ projects: projects.nodes }),
);

/** Renames a project: one entry of the ledger. */
export async function rename({ id }: Project, name: string): Promise<void> {
  const mutation = `mutation($id: ID!, $name: String!) { updateProject(input: { id: $id, name: $name }) { feedCursor } }`;
  await ask(mutation, { id, name });
}

/** The projects as they were. */
export async function putBack(): Promise<void> {
  for (const project of projects) await rename(project, project.name);
}

/** Where the ledger ends now. */
export async function head(): Promise<{ cursor: string; seq: number }> {
  const query = '{ feedCursor activity(first: 1, orderBy: [{ field: SEQ, direction: DESC }]) { nodes { seq } } }';
  const { feedCursor, activity } = await ask<{ feedCursor: string; activity: { nodes: Activity[] } }>(query);
  return { cursor: feedCursor, seq: Number(activity.nodes[0]!.seq) };
}

/** What the ledger holds after a cursor, by the query. */
export async function ledger(after: string): Promise<Pick<Activity, 'seq' | 'action' | 'targetTitle'>[]> {
  const query = `query($after: Cursor) { activity(first: 200, after: $after, orderBy: [{ field: SEQ }]) {
    nodes { seq action targetTitle } pageInfo { hasNextPage endCursor } } }`;
  const entries: Activity[] = [];
  for (;;) {
    const { activity } = await ask<{
      activity: { nodes: Activity[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    }>(query, { after });
    entries.push(...activity.nodes);
    if (!activity.pageInfo.hasNextPage) return entries;
    after = activity.pageInfo.endCursor;
  }
}

/** The token of the environment, made to end so many seconds from now with the server's own key. */
export async function endingToken(seconds: number): Promise<string> {
  const { WORKGRAPH_SECRET } = process.env;
  assert.ok(WORKGRAPH_SECRET, 'set WORKGRAPH_SECRET to the key of the server: workgraph.db.secret beside its database');
  const [header, claims] = (await server.token()).split('.') as [string, string];
  const ending = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), exp: Math.floor(Date.now() / 1000) + seconds };
  const signed = `${header}.${Buffer.from(JSON.stringify(ending)).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', WORKGRAPH_SECRET).update(signed).digest('base64url')}`;
}
