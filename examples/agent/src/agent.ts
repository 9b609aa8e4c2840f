// An agent: it registers, claims, runs a command for each ticket, and hands in what came of it.

import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { ask, Refused, type Server } from './server.js';

/** What an agent is. */
export interface Options {
  server: Server;
  /** The command, which gets the job's payload as JSON on its standard input. */
  command: string[];
  /** The repositories that it has, as `owner/name`. */
  repos?: string[];
  /** The file that keeps the session's id, so that it is taken up again. */
  sessionFile?: string;
  /** How many milliseconds lie between two signs of life. */
  heartbeat?: number;
  /** Told of what happens. */
  log?: (text: string) => void;
}

interface Job {
  id: string;
  attempt: number;
  action: string;
  payload: unknown;
  checkpoint: unknown;
}

interface Run {
  job: Job;
  child: ChildProcess;
  /** Whether somebody else has the job by now. */
  lost: boolean;
}

const REGISTER = `mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { agentSession { id } } }`;
const HELD = `query($session: ID!) {
  agentJobs(first: 50, filter: { sessionId: { eq: $session }, status: { in: [DISPATCHED, IN_PROGRESS] } }) { nodes { id attempt } }
}`;
const CLAIM = `mutation($input: ClaimNextTicketInput!) {
  claimNextTicket(input: $input) { reason ticket { id title } job { id attempt action payload checkpoint } }
}`;
const BEAT = `mutation($session: ID!, $jobs: [ID!]!) {
  agentHeartbeat(input: { sessionId: $session, activeJobIds: $jobs }) { lostJobIds agentSession { drainingAt } }
}`;
const WORK = `subscription($session: ID!) { workAvailable(sessionId: $session) { ticketId } }`;

/** An agent at work, until it is told to stop, or an admin asks it to leave. */
export class Agent {
  readonly #options: Options;
  #session = '';
  #run: Run | undefined;
  #stopping = false;
  #wake: () => void = () => {};

  constructor(options: Options) {
    this.#options = options;
  }

  /** Works, one ticket at a time. */
  async work(): Promise<void> {
    await this.#register();
    await this.#giveBack();
    const stopFollowing = this.#follow();
    const beat = setInterval(() => void this.#beat(), this.#options.heartbeat ?? 30_000);
    try {
      while (!this.#stopping) await this.#next();
    } finally {
      clearInterval(beat);
      stopFollowing();
      await this.#send('mutation($id: ID!) { disconnectAgent(input: { sessionId: $id }) { __typename } }', { id: this.#session });
    }
  }

  /** Ends what it does, and leaves. */
  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  #log(text: string) {
    this.#options.log?.(text);
  }

  #send<T>(query: string, variables: object): Promise<T> {
    return ask<T>(this.#options.server, query, variables);
  }

  /** Takes the session of its former life up again, or begins one. */
  async #register() {
    const { sessionFile, repos = [] } = this.#options;
    const input: Record<string, unknown> = { repos, maxActiveJobs: 1, idempotencyKey: randomUUID() };
    if (sessionFile && existsSync(sessionFile)) input.sessionId = readFileSync(sessionFile, 'utf8').trim();
    const answer = await this.#send<{ registerAgent: { agentSession: { id: string } } }>(REGISTER, { input });
    this.#session = answer.registerAgent.agentSession.id;
    if (sessionFile) writeFileSync(sessionFile, this.#session);
    this.#log(`registered as ${this.#session}`);
  }

  /** Gives back what a former life left behind: nobody works on it any more. */
  async #giveBack() {
    const held = await this.#send<{ agentJobs: { nodes: { id: string; attempt: number }[] } }>(HELD, { session: this.#session });
    for (const { id, attempt } of held.agentJobs.nodes) {
      await this.#about('releaseTicket', 'ReleaseTicketInput', { jobId: id, attempt, reason: 'The agent was started again.' });
      this.#log(`gave ${id} back`);
    }
  }

  /** Claims a ticket and works on it, or waits until there may be one. */
  async #next() {
    const waiting = new Promise<void>((resolve) => (this.#wake = resolve));
    const input = { sessionId: this.#session, idempotencyKey: randomUUID() };
    type Claimed = { claimNextTicket: { reason: string | null; ticket: { title: string } | null; job: Job | null } };
    const { claimNextTicket: claimed } = await this.#send<Claimed>(CLAIM, { input });
    if (claimed.job) return this.#do(claimed.job, claimed.ticket?.title ?? '');
    if (claimed.reason === 'DRAINING') return this.stop();
    // Woken by workAvailable; that is a hint, so it looks by itself as well.
    const timer = setTimeout(this.#wake, 30_000);
    await waiting;
    clearTimeout(timer);
  }

  async #do(job: Job, title: string) {
    this.#log(`works on "${title}"`);
    const at = { jobId: job.id, attempt: job.attempt };
    try {
      await this.#about('startJob', 'StartJobInput', at);
      const [program = 'true', ...rest] = this.#options.command;
      const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
      this.#run = { job, child, lost: false };
      const ended = new Promise<number>((resolve) => {
        child.once('error', () => resolve(127));
        child.once('close', (code) => resolve(code ?? 1));
      });
      child.stdin.on('error', () => {});
      child.stdin.end(JSON.stringify(job.payload));
      const output = await this.#write(at, child);
      const code = await ended;
      if (this.#run.lost) return this.#log(`"${title}" is somebody else's`);
      const tail = output.slice(-20).join('\n');
      if (code === 0) {
        await this.#about('completeJob', 'CompleteJobInput', { ...at, result: { exitCode: 0, output: tail }, confidence: 0.8 });
        this.#log(`did "${title}"`);
      } else {
        const error = `The command ended with ${code}.\n${tail}`.slice(0, 5000).trim();
        await this.#about('failJob', 'FailJobInput', { ...at, error });
        this.#log(`could not do "${title}"`);
      }
    } catch (error) {
      if (!(error instanceof Refused && error.isStale)) throw error;
      this.#run?.child.kill('SIGKILL');
      this.#log(`"${title}" is somebody else's`);
    } finally {
      this.#run = undefined;
    }
  }

  /** Writes what the command prints into the job's journal, some lines at a time. */
  async #write(at: object, child: ChildProcess): Promise<string[]> {
    const lines: string[] = [];
    let written = 0;
    const flush = async () => {
      while (written < lines.length && written < 1900) {
        const some = lines.slice(written, written + 100);
        const events = some.map((text, place) => ({ seq: written + place + 1, kind: 'OBSERVATION', text }));
        await this.#about('recordJobEvents', 'RecordJobEventsInput', { ...at, events });
        written += some.length;
      }
    };
    let flushing = Promise.resolve();
    const timer = setInterval(() => (flushing = flushing.then(flush)), 1000);
    const read = [child.stdout, child.stderr].map(async (stream) => {
      for await (const line of createInterface({ input: stream! })) if (line.trim()) lines.push(line.trim().slice(0, 4000));
    });
    await Promise.all(read);
    clearInterval(timer);
    await flushing;
    await flush();
    return lines;
  }

  /** Shows a sign of life, and leaves off what is not its own any more. */
  async #beat() {
    const run = this.#run;
    try {
      type Beat = { agentHeartbeat: { lostJobIds: string[] } };
      const variables = { session: this.#session, jobs: run ? [run.job.id] : [] };
      const { agentHeartbeat } = await this.#send<Beat>(BEAT, variables);
      if (run && agentHeartbeat.lostJobIds.includes(run.job.id)) {
        run.lost = true;
        run.child.kill('SIGKILL');
      }
    } catch (error) {
      // The session ended while the server was out of reach: it is taken up again.
      if (error instanceof Refused && error.code === 'CONFLICT') await this.#register();
      else this.#log(`${error}`);
    }
  }

  #about(mutation: string, kind: string, input: object) {
    return this.#send(`mutation($input: ${kind}!) { ${mutation}(input: $input) { __typename } }`, { input });
  }

  /** Claims again as soon as there is work. */
  #follow(): () => void {
    const { url, token } = this.#options.server;
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: Infinity,
      shouldRetry: () => true,
    });
    client.subscribe(
      { query: WORK, variables: { session: this.#session } },
      { next: () => this.#wake(), error: (error) => this.#log(`${JSON.stringify(error)}`), complete: () => {} },
    );
    return () => void client.dispose();
  }
}
