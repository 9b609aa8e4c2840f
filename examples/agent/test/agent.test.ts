import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Server } from '../src/server.js';

const { WORKGRAPH_URL = 'http://127.0.0.1:8080', WORKGRAPH_TOKEN = '' } = process.env;
const owner: Server = { url: `${WORKGRAPH_URL}/graphql`, token: WORKGRAPH_TOKEN };
const main = new URL('../src/main.js', import.meta.url).pathname;

/** A project of its own, an agent token for it, and where an agent keeps its session. */
async function place(name: string) {
  type Made = { createProject: { project: { id: string } } };
  const { createProject } = await ask<Made>(owner, 'mutation($name: String!) { createProject(input: { name: $name }) { project { id } } }', { name });
  const project = createProject.project.id;
  const create = 'mutation($p: ID!) { createAgentToken(input: { name: "example", roleSlugs: ["qa_agent"], projectIds: [$p] }) { token } }';
  const { createAgentToken } = await ask<{ createAgentToken: { token: string } }>(owner, create, { p: project });
  return { project, token: createAgentToken.token, directory: mkdtempSync(join(tmpdir(), 'agent-')) };
}

type Place = Awaited<ReturnType<typeof place>>;

function start({ token, directory }: Place, script: string) {
  const file = join(directory, 'work.sh');
  writeFileSync(file, script);
  const environment = { ...process.env, WORKGRAPH_URL, WORKGRAPH_AGENT_TOKEN: token, WORKGRAPH_SESSION_FILE: join(directory, 'session') };
  const child = spawn(process.execPath, [main, 'sh', file], { env: environment, stdio: 'inherit' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, ended };
}

async function ticket(project: string, title: string): Promise<string> {
  const create = 'mutation($p: ID!, $t: String!) { createTicket(input: { projectId: $p, title: $t, roleSlug: "qa_agent" }) { ticket { id } } }';
  const made = await ask<{ createTicket: { ticket: { id: string } } }>(owner, create, { p: project, t: title });
  return made.createTicket.ticket.id;
}

interface Seen {
  status: string;
  result: { output?: string } | null;
  error: string | null;
  jobs: { nodes: { status: string; attempt: number; events: { nodes: { attempt: number; text: string }[] } }[] };
}

async function seen(id: string): Promise<Seen> {
  const of = `query($id: ID!) { ticket(id: $id) { status result error
    jobs { nodes { status attempt events(orderBy: [{ field: ATTEMPT }, { field: SEQ }]) { nodes { attempt text } } } } } }`;
  return (await ask<{ ticket: Seen }>(owner, of, { id })).ticket;
}

/** The ticket as soon as it is as expected. */
async function until(id: string, is: (ticket: Seen) => boolean): Promise<Seen> {
  for (let tries = 0; tries < 600; tries++) {
    const ticket = await seen(id);
    if (is(ticket)) return ticket;
    await sleep(100);
  }
  throw new Error(`it is ${JSON.stringify(await seen(id))}`);
}

test('an agent does what there is and what comes, and leaves when it is told to', async () => {
  const here = await place('Example agent');
  const first = await ticket(here.project, 'First');
  const agent = start(here, 'grep -o First >/dev/null && echo found it; echo done');
  const done = await until(first, ({ status }) => status === 'DONE');
  assert.equal(done.result?.output, 'found it\ndone');
  assert.deepEqual(done.jobs.nodes[0]?.events.nodes.map(({ text }) => text), ['found it', 'done']);
  // It hears of what comes.
  const second = await ticket(here.project, 'Second');
  await until(second, ({ status }) => status === 'DONE');
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended, 0);
});

test('what fails is handed in as such', async () => {
  const here = await place('Example failure');
  const id = await ticket(here.project, 'Broken');
  const agent = start(here, 'echo it is broken >&2; exit 3');
  const failed = await until(id, ({ status }) => status === 'FAILED');
  assert.equal(failed.error, 'The command ended with 3.\nit is broken');
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended, 0);
});

test('an agent that is killed goes on where it was when it is started again', async () => {
  const here = await place('Example kill');
  const id = await ticket(here.project, 'Long');
  for (let life = 1; life <= 3; life++) {
    const killed = start(here, 'echo begun; sleep 60');
    const now = await until(id, ({ jobs }) => jobs.nodes[0]?.attempt === life && jobs.nodes[0].events.nodes.length === life);
    assert.equal(now.status, 'CLAIMED');
    killed.child.kill('SIGKILL');
    await killed.ended;
  }
  const last = start(here, 'echo ended');
  const done = await until(id, ({ status }) => status === 'DONE');
  const [job, ...others] = done.jobs.nodes;
  assert.equal(others.length, 0, 'it is one job');
  assert.deepEqual(job?.events.nodes.map(({ attempt, text }) => [attempt, text]), [[1, 'begun'], [2, 'begun'], [3, 'begun'], [4, 'ended']]);
  last.child.kill('SIGTERM');
  assert.equal(await last.ended, 0);
});
