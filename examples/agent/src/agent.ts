// An agent: it registers, claims, runs a command for each ticket, and hands in what came of it.

import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { Bell, Journal, run, type Job } from './command.js';
import { ask, backOff, Refused, seconds, text, type Server } from './server.js';
import { read, write, type Kept, type Outcome } from './session.js';

/** What an agent is. */
export interface Options {
  server: Server;
  /** The command, which gets the job's payload as JSON on its standard input. */
  command: string[];
  /** The repositories that it has, as `owner/name`. */
  repos?: string[];
  /** The file that keeps its session, so that it is taken up again, and what the server may not have yet. */
  sessionFile?: string;
  /** How many milliseconds lie between two signs of life. */
  heartbeat?: number;
  /** Told of what happens. */
  log?: (text: string) => void;
}

type Held = Pick<Job, 'id' | 'attempt'>;

interface Run extends Held {
  /** Aborted when somebody else has the job by now. */
  lost: AbortController;
}

/** How often it looks for work that it was not told of. */
const LOOK = 30_000;
/** How soon it looks again when what there is was given back, or failed in passing, a moment ago. */
const LOOK_SOON = 5000;
/** How long leaving may take. */
const LEAVING = 15_000;
/** With this (`EX_TEMPFAIL`) a command says that it failed in passing. */
const IN_PASSING = 75;

const REGISTER = `mutation Register($input: RegisterAgentInput!) { registerAgent(input: $input) { agentSession { id } } }`;
const HELD = `query Held($session: ID!) {
  agentJobs(first: 50, filter: { sessionId: { eq: $session }, status: { in: [DISPATCHED, IN_PROGRESS] } }) { nodes { id attempt } }
}`;
const CLAIM = `mutation Claim($input: ClaimNextTicketInput!) {
  claimNextTicket(input: $input) { reason ticket { title } job { id attempt action payload } }
}`;
const BEAT = `mutation Beat($session: ID!, $jobs: [ID!]!) {
  agentHeartbeat(input: { sessionId: $session, activeJobIds: $jobs }) { lostJobIds agentSession { drainingAt } }
}`;
const START = `mutation Start($input: StartJobInput!) { startJob(input: $input) { __typename } }`;
const JOURNAL = `mutation Journal($input: RecordJobEventsInput!) { recordJobEvents(input: $input) { __typename } }`;
const OUTCOME = {
  completeJob: `mutation Complete($input: CompleteJobInput!) { completeJob(input: $input) { __typename } }`,
  failJob: `mutation Fail($input: FailJobInput!) { failJob(input: $input) { __typename } }`,
};
const RELEASE = `mutation Release($input: ReleaseTicketInput!) { releaseTicket(input: $input) { __typename } }`;
const LEAVE = `mutation Leave($input: DisconnectAgentInput!) { disconnectAgent(input: $input) { __typename } }`;
const WORK = `subscription Work($session: ID!) { workAvailable(sessionId: $session) { ticketId } }`;
const COMMANDS = `subscription Commands($session: ID!) {
  agentCommands(sessionId: $session) { job { id attempt status } session { drainingAt } }
}`;

/** What the server tells by itself. */
interface Told {
  workAvailable?: { ticketId: string | null } | null;
  agentCommands?: { job: (Held & { status: string }) | null; session: { drainingAt: string | null } | null } | null;
}

/** An agent at work, until it is told to stop, an admin asks it to leave, or it is not let in any more. */
export class Agent {
  readonly #options: Options;
  #session = '';
  #run: Run | undefined;
  #hasStarted = false;
  /** It ends what it does, and leaves. */
  readonly #leaving = new AbortController();
  /** It gives back what it does, and leaves. */
  readonly #stopping = new AbortController();
  /** It has ended, for this reason: nothing is sent any more. */
  readonly #over = new AbortController();
  readonly #work = new Bell();
  readonly #beat = new Bell();

  constructor(options: Options) {
    this.#options = options;
    this.#leaving.signal.addEventListener('abort', this.#work.ring);
    this.#over.signal.addEventListener('abort', () => (this.#work.ring(), this.#beat.ring()));
  }

  /** Works, one ticket at a time. */
  async work(): Promise<void> {
    let stopFollowing = () => {};
    let overdue: NodeJS.Timeout | undefined;
    const leave = () => {
      const why = 'the server is out of reach; what is unsaid is said at the next start';
      overdue ??= setTimeout(() => this.#over.abort(new Error(why)), LEAVING);
    };
    this.#stopping.signal.addEventListener('abort', leave);
    try {
      await this.#start();
      if (this.#leaving.signal.aborted) return;
      this.#hasStarted = true;
      stopFollowing = this.#follow();
      void this.#beats();
      while (!this.#leaving.signal.aborted) await this.#next();
      leave();
      await this.#send(LEAVE, { input: once({ sessionId: this.#session }) });
      this.#log('left');
    } catch (error) {
      if (!this.#hasStarted && this.#leaving.signal.aborted) return;
      throw this.#over.signal.aborted ? this.#over.signal.reason : error;
    } finally {
      clearTimeout(overdue);
      this.#over.abort();
      stopFollowing();
    }
  }

  /** Ends what it does, and leaves; if it is to stop now it gives that back. */
  stop(now = false): void {
    this.#leaving.abort();
    if (now) this.#stopping.abort();
    if (!this.#hasStarted) this.#over.abort();
  }

  #log(text: string) {
    this.#options.log?.(text);
  }

  #send<T>(query: string, variables: object, calledOff = this.#over.signal): Promise<T> {
    return ask<T>(this.#options.server, query, variables, calledOff, (text) => this.#log(text));
  }

  /** Takes the session of its former life up again, or begins one; hands in what came of that life's work, and gives back
   *  what nobody works on any more. */
  async #start() {
    const { sessionFile } = this.#options;
    const { session, outcome }: Kept = sessionFile ? read(sessionFile) : {};
    try {
      await this.#register(session);
    } catch (error) {
      if (!session || !(error instanceof Refused && error.code === 'NOT_FOUND')) throw error;
      this.#log(`${sessionFile} has not a session of this token: begins another`);
      await this.#register();
    }
    this.#log(`registered as ${this.#session}`);
    if (outcome) await this.#handIn(outcome);
    else this.#keep();
    const held = await this.#send<{ agentJobs: { nodes: Held[] } }>(HELD, { session: this.#session });
    for (const job of held.agentJobs.nodes) await this.#giveBack(job, 'The agent was started again.');
  }

  async #register(session?: string) {
    const input = once({ repos: this.#options.repos ?? [], maxActiveJobs: 1, sessionId: session });
    const answer = await this.#send<{ registerAgent: { agentSession: { id: string } } }>(REGISTER, { input });
    this.#session = answer.registerAgent.agentSession.id;
  }

  #keep(outcome?: Outcome) {
    const { sessionFile } = this.#options;
    if (sessionFile) write(sessionFile, { session: this.#session, outcome });
  }

  /** Claims a ticket and works on it, or waits until there may be one. */
  async #next() {
    const input = once({ sessionId: this.#session });
    type Claimed = { claimNextTicket: { reason: string | null; ticket: { title: string } | null; job: Job | null } };
    try {
      // What it is given when it is about to leave, it gives back by leaving.
      const calledOff = AbortSignal.any([this.#leaving.signal, this.#over.signal]);
      const { claimNextTicket: claimed } = await this.#send<Claimed>(CLAIM, { input }, calledOff);
      if (claimed.job) return await this.#do(claimed.job, claimed.ticket?.title ?? '');
      if (claimed.reason === 'DRAINING') return this.#drain();
      await this.#work.wait(claimed.reason === 'BACKING_OFF' ? LOOK_SOON : LOOK);
    } catch (error) {
      if (this.#leaving.signal.aborted && error === this.#leaving.signal.reason) return;
      // The session has ended, or the ticket was lost before the answer came.
      if (!(error instanceof Refused && error.code === 'CONFLICT')) throw error;
      await this.#register(this.#session);
    }
  }

  async #do(job: Job, title: string) {
    this.#log(`works on "${title}"`);
    const { id, attempt } = job;
    const lost = new AbortController();
    this.#run = { id, attempt, lost };
    const at = { jobId: id, attempt };
    const journal = new Journal();
    try {
      await this.#send(START, { input: once(at) });
      const stopped = AbortSignal.any([lost.signal, this.#stopping.signal, this.#over.signal]);
      const refused = (error: unknown) => {
        if (error instanceof Refused && error.isStale) lost.abort();
        else if (error instanceof Refused && error.code === 'UNAUTHENTICATED') this.#over.abort(error);
        else if (!stopped.aborted) this.#log(`the journal is not taken: ${text(error)}`);
      };
      journal.write((events) => this.#send(JOURNAL, { input: { ...at, events } }), refused);
      const status = await run(this.#options.command, job, journal, stopped);
      this.#over.signal.throwIfAborted();
      if (lost.signal.aborted) this.#log(`"${title}" is somebody else's`);
      else if (status === undefined) await this.#giveBack(job, 'The agent was stopped.');
      else await this.#handIn(outcome(at, status, journal.output));
    } catch (error) {
      if (error instanceof Refused && error.isStale) return this.#log(`"${title}" is somebody else's`);
      // It is not let in, or its command cannot be run: no other ticket would do better.
      if (!this.#over.signal.aborted) await this.#giveBack(job, 'The agent cannot run its command.').catch(() => {});
      throw error;
    } finally {
      this.#run = undefined;
    }
  }

  /** Hands in what came of a job. Until the server has it, it is kept for the next start. */
  async #handIn(outcome: Outcome) {
    const { mutation, input } = outcome;
    this.#keep(outcome);
    try {
      await this.#send(OUTCOME[mutation], { input });
      this.#log(`handed in: ${mutation}`);
    } catch (error) {
      if (!(error instanceof Refused) || error.code === 'UNAUTHENTICATED') throw error;
      if (error.isStale) this.#log("the ticket is somebody else's");
      else {
        this.#log(`the outcome is not taken: ${text(error)}`);
        const fail = once({ jobId: input.jobId, attempt: input.attempt, error: `It is not taken: ${text(error)}` });
        await this.#send(OUTCOME.failJob, { input: fail }).catch(() => {});
      }
    }
    this.#keep();
  }

  async #giveBack({ id, attempt }: Held, reason: string) {
    try {
      await this.#send(RELEASE, { input: once({ jobId: id, attempt, reason }) });
    } catch (error) {
      if (!(error instanceof Refused && error.isStale)) throw error;
    }
    this.#log(`gave a ticket back: ${reason}`);
  }

  /** Shows signs of life, until it is refused. */
  async #beats() {
    const { heartbeat = 30_000 } = this.#options;
    try {
      for (; !this.#over.signal.aborted; await this.#beat.wait(heartbeat)) await this.#showLife();
    } catch (error) {
      this.#over.abort(error);
    }
  }

  /** Shows a sign of life, and leaves off what is not its own any more. */
  async #showLife() {
    const run = this.#run;
    type Beat = { agentHeartbeat: { lostJobIds: string[]; agentSession: { drainingAt: string | null } } };
    try {
      const variables = { session: this.#session, jobs: run ? [run.id] : [] };
      const { agentHeartbeat: alive } = await this.#send<Beat>(BEAT, variables);
      if (alive.agentSession.drainingAt) this.#drain();
      if (run && alive.lostJobIds.includes(run.id)) run.lost.abort();
    } catch (error) {
      // The session ended while the server was out of reach. The next beat tells what was lost with it.
      if (!(error instanceof Refused && error.code === 'CONFLICT')) throw error;
      await this.#register(this.#session);
      this.#beat.ring();
    }
  }

  #drain() {
    if (!this.#leaving.signal.aborted) this.#log('is asked to leave');
    this.#leaving.abort();
  }

  /** Hears what the server tells. It is told for the sake of speed: what counts are claims and signs of life. */
  #hear({ workAvailable, agentCommands }: Told) {
    if (workAvailable?.ticketId) this.#work.ring();
    if (agentCommands?.session?.drainingAt) this.#drain();
    const job = agentCommands?.job;
    const isOver = job && ['DONE', 'FAILED', 'CANCELLED', 'PENDING'].includes(job.status);
    if (isOver && this.#run?.id === job.id && this.#run.attempt === job.attempt) this.#run.lost.abort();
  }

  /** Follows what the server tells, over one connection after the other. */
  #follow(): () => void {
    const { url, token } = this.#options.server;
    const isForbidden = (why: unknown) => [4401, 4403].includes((why as { code?: number }).code ?? 0);
    let why: unknown;
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: Infinity,
      shouldRetry: (event) => !isForbidden((why = event)),
      retryWait: (tries) => this.#pause(tries, why),
      on: {
        // What happened before was not told.
        connected: () => (this.#work.ring(), this.#beat.ring()),
      },
    });
    const subscribe = (query: string, tries = 0) => {
      const again = async (why: unknown) => {
        if (this.#over.signal.aborted) return;
        // Its next sign of life says whether the token does not hold.
        if (isForbidden(why)) return this.#beat.ring();
        await this.#pause(tries, why);
        subscribe(query, tries + 1);
      };
      const next = ({ data }: { data?: Told | null }) => {
        tries = 0;
        if (data) this.#hear(data);
      };
      const complete = () => void again('it ended');
      const variables = { session: this.#session };
      client.subscribe<Told>({ query, variables }, { next, error: (why) => void again(why), complete });
    };
    subscribe(WORK);
    subscribe(COMMANDS);
    return () => void client.dispose();
  }

  /** Waits until it is time to connect again. */
  async #pause(tries: number, why: unknown) {
    if (this.#over.signal.aborted) return;
    const pause = backOff(tries);
    const { code, reason } = (why ?? {}) as { code?: number; reason?: string };
    const said = Array.isArray(why) ? why.map(text).join('; ') : reason || (code ? `closed with ${code}` : text(why));
    this.#log(`not connected, again in ${seconds(pause)}: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, pause).unref());
  }
}

/** What is handed in when the command has ended. */
function outcome(at: { jobId: string; attempt: number }, status: number | string, output: string): Outcome {
  if (status === 0) return { mutation: 'completeJob', input: once({ ...at, result: { exitCode: 0, output } }) };
  const error = `The command ended with ${status}.\n${output}`.trim();
  return { mutation: 'failJob', input: once({ ...at, error, transient: status === IN_PASSING }) };
}

/** Gives an input the key under which it is carried out once, however often it is sent. */
function once<T extends object>(input: T): T & { idempotencyKey: string } {
  return { ...input, idempotencyKey: randomUUID() };
}
