// A place of its own on a running server for each test: a project, a token for it, and a directory.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask as send, type Server } from '../src/server.js';

const { WORKGRAPH_URL = 'http://127.0.0.1:8080', WORKGRAPH_TOKEN = '' } = process.env;
const owner: Server = { url: `${WORKGRAPH_URL}/graphql`, token: WORKGRAPH_TOKEN };
const main = new URL('../src/main.js', import.meta.url).pathname;

/** The most that a test waits for something. */
const PATIENCE = 60_000;

/** A script that goes on for long, and begins another process that does not end when it is asked to. */
export const LONG = `(trap '' TERM; exec sleep 600 >alive) & echo begun; wait`;

/** What the demo's owner is answered. */
export function ask<T>(query: string, variables: object): Promise<T> {
  return send<T>(owner, query, variables, AbortSignal.timeout(PATIENCE));
}

/** What comes of something before a test's patience is at its end. */
export async function soon<T>(what: Promise<T>, said = () => ''): Promise<T> {
  const late = new AbortController();
  const end = sleep(PATIENCE, undefined, { signal: late.signal }).then(() => {
    throw new Error(`it does not end; ${said()}`);
  });
  try {
    return await Promise.race([what, end]);
  } finally {
    end.catch(() => {});
    late.abort();
  }
}

/** Waits until it is so. */
export async function until(is: () => boolean, said = () => ''): Promise<void> {
  for (const end = Date.now() + PATIENCE; !is(); await sleep(50)) {
    if (Date.now() > end) throw new Error(`it is not so; ${said()}`);
  }
}

export type Place = Awaited<ReturnType<typeof place>>;

/** A project of its own, an agent token for it, and a directory. */
export async function place(name: string) {
  type Made = { createProject: { project: { id: string } } };
  const make = 'mutation($name: String!) { createProject(input: { name: $name }) { project { id } } }';
  const project = (await ask<Made>(make, { name: `Example agent: ${name}` })).createProject.project.id;
  return { project, ...(await token(project)), directory: mkdtempSync(join(tmpdir(), 'agent-')) };
}

/** An agent token for a project. */
export async function token(project: string) {
  const create = `mutation($p: ID!) {
    createAgentToken(input: { name: "example", roleSlugs: ["qa_agent"], projectIds: [$p] }) { token agentToken { id } } }`;
  type Made = { createAgentToken: { token: string; agentToken: { id: string } } };
  const { createAgentToken: made } = await ask<Made>(create, { p: project });
  return { token: made.token, tokenId: made.agentToken.id };
}

export async function revoke({ tokenId }: Place) {
  await ask('mutation($id: ID!) { revokeAgentToken(input: { id: $id }) { __typename } }', { id: tokenId });
}

/** Makes a pipe `alive`, and waits until all processes that held it have ended. */
export function alive({ directory }: Place): Promise<unknown> {
  execFileSync('mkfifo', [join(directory, 'alive')]);
  const held = spawn('cat', ['alive'], { cwd: directory, stdio: 'ignore' });
  held.unref();
  return once(held, 'exit');
}

/** The programs that a test has started. */
const started: ChildProcess[] = [];

// A test that fails leaves none behind.
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** An agent's program, and what it says. */
export function program(args: string[], environment: NodeJS.ProcessEnv = {}, cwd = tmpdir()) {
  const { WORKGRAPH_AGENT_TOKEN: _, WORKGRAPH_SESSION_FILE: __, ...env } = process.env;
  const child = spawn(process.execPath, [main, ...args], { env: { ...env, WORKGRAPH_URL, ...environment }, cwd });
  started.push(child);
  const all = { child, said: '', ended: new Promise<number | null>((resolve) => child.once('close', resolve)) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (all.said += text));
  return all;
}

/** An agent whose command is a script, which runs in the place's directory. */
export function start({ token, directory }: Place, script: string, options: string[] = [], url = WORKGRAPH_URL) {
  const environment = { WORKGRAPH_URL: url, WORKGRAPH_AGENT_TOKEN: token, WORKGRAPH_SESSION_FILE: join(directory, 'session') };
  const agent = program([...options, 'sh', '-c', script], environment, directory);
  const said = () => `the agent said:\n${agent.said}`;
  return {
    get said() {
      return agent.said;
    },
    signal: (signal: NodeJS.Signals) => agent.child.kill(signal),
    /** How it ends, by itself. */
    end: () => soon(agent.ended, said),
    /** Kills it where it is. */
    async kill() {
      agent.child.kill('SIGKILL');
      await soon(agent.ended, said);
    },
    /** Asks it to leave, which it does. */
    async leave() {
      agent.child.kill('SIGTERM');
      if ((await soon(agent.ended, said)) !== 0) throw new Error(said());
    },
  };
}

/** A file of the place. */
export function file({ directory }: Place, name: string) {
  const path = join(directory, name);
  return { path, exists: () => existsSync(path), write: () => writeFileSync(path, '') };
}

export interface Seen {
  status: string;
  result: { output?: string } | null;
  error: string | null;
  jobs: {
    nodes: {
      id: string;
      attempt: number;
      sessionId: string;
      events: { nodes: { attempt: number; text: string }[]; totalCount: number };
    }[];
  };
}

/** A ticket. */
export async function ticket({ project }: Place, title: string) {
  const create = 'mutation($p: ID!, $t: String!) { createTicket(input: { projectId: $p, title: $t, roleSlug: "qa_agent" }) { ticket { id } } }';
  const made = await ask<{ createTicket: { ticket: { id: string } } }>(create, { p: project, t: title });
  const of = `query($id: ID!) { ticket(id: $id) { status result error
    jobs { nodes { id attempt sessionId
      events(first: 200, orderBy: [{ field: ATTEMPT }, { field: SEQ }]) { nodes { attempt text } totalCount } } } } }`;
  const now = async () => (await ask<{ ticket: Seen }>(of, { id: made.createTicket.ticket.id })).ticket;
  /** The ticket as soon as it is so. */
  const until = async (is: (ticket: Seen) => boolean) => {
    for (const end = Date.now() + PATIENCE; ; await sleep(100)) {
      const seen = await now();
      if (is(seen)) return seen;
      if (Date.now() > end) throw new Error(`it is ${JSON.stringify(seen)}`);
    }
  };
  return {
    now,
    until,
    untilStatus: (status: string) => until((seen) => seen.status === status),
    /** The ticket as soon as this try of it has written something. */
    untilTold: (attempt: number) => until(({ jobs }) => jobs.nodes[0]?.events.nodes.some((event) => event.attempt === attempt) ?? false),
  };
}

/** What the only job of a ticket has in its journal, each try by itself. */
export function journal({ jobs }: Seen): string[] {
  const [job, ...others] = jobs.nodes;
  if (!job || others.length) throw new Error(`it is ${jobs.nodes.length} jobs`);
  const tries: string[] = [];
  for (const { attempt, text } of job.events.nodes) tries[attempt - 1] = `${tries[attempt - 1] ?? ''}${text}\n`;
  return tries;
}

/** The way to the server, which a test can break: what it does with a request that has been read. */
export type Way = (operation: string) => 'pass' | 'lose' | 'lose the answer' | { code: string; retryAfterMs?: number };

/** Passes requests on to the server as a test says, and no WebSockets. */
export async function wire(way: Way) {
  const all = { url: '', way, asked: [] as string[], close: () => server.close() };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const operation = /(?:query|mutation) (\w+)/.exec(body)?.[1] ?? '';
    all.asked.push(operation);
    const answer = all.way(operation);
    if (typeof answer === 'object') {
      return response.end(JSON.stringify({ errors: [{ message: 'Not now.', extensions: answer }] }));
    }
    if (answer === 'lose') return response.destroy();
    const headers = { 'content-type': 'application/json', authorization: request.headers.authorization ?? '' };
    const text = await (await fetch(owner.url, { method: 'POST', headers, body })).text();
    if (all.way(operation) === 'pass') response.end(text);
    else response.destroy();
  });
  server.on('upgrade', (_, socket) => socket.destroy());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  all.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return all;
}
