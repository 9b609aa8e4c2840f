// The command that does the work, with all processes that it begins, and the journal that what it prints is written into.

import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** A job as it was claimed. */
export interface Job {
  id: string;
  /** The number of the try. */
  attempt: number;
  /** What is to be done, such as `implement_prd`. */
  action: string;
  /** All that must be known for it. */
  payload: unknown;
}

/** The most characters of an entry, and of the output that is handed in with the result. */
const LONGEST = 4000;
const PIECE = new RegExp(`.{1,${LONGEST}}`, 'gu');
/** The most entries of a journal that the server takes. */
const MOST_ENTRIES = 2000;
/** So many entries are written at once: a request has at most 256 KiB. */
const AT_ONCE = 10;
/** The last one, when there is more to tell. */
const FULL = 'The journal is full: the rest of what the command prints is not in it.';
/** How long a command may take to end when it is asked to, and its pipes when it has ended. */
const PATIENCE = 5000;

/** What one waits for, and another rings. */
export class Bell {
  #rung = false;
  #wake = () => {};

  ring = () => {
    this.#rung = true;
    this.#wake();
  };

  /** Waits until it is rung, or was since the last time, but not longer than so many milliseconds. */
  async wait(most: number) {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, most);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
    this.#rung = false;
  }
}

/** How a command ended: its exit status or the signal that ended it, or undefined when it was stopped. */
export type End = number | string | undefined;

/** Runs the command, with the job's payload on its standard input. */
export async function run(command: string[], job: Job, journal: Journal, stopped: AbortSignal): Promise<End> {
  const [program = '', ...rest] = command;
  // What it runs may be written by a model: the token is not its business.
  const { WORKGRAPH_AGENT_TOKEN: _, ...environment } = process.env;
  const env = {
    ...environment,
    WORKGRAPH_JOB_ID: job.id,
    WORKGRAPH_ATTEMPT: `${job.attempt}`,
    WORKGRAPH_ACTION: job.action,
  };
  // Detached, it has a process group of its own.
  const child = spawn(program, rest, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // All have ended already.
    }
  };
  const kill = () => signal('SIGKILL');
  let patience: NodeJS.Timeout | undefined;
  const stop = () => {
    signal('SIGTERM');
    patience = setTimeout(kill, PATIENCE);
  };
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${program} cannot be run`, { cause: error })));
    child.once('exit', (code, name) => resolve(code ?? name ?? 'nothing'));
  });
  child.stdin.on('error', () => {}); // It need not read it.
  child.stdin.end(JSON.stringify(job.payload));
  const printed = Promise.all([handOn(child.stdout, journal), handOn(child.stderr, journal)]);
  if (child.pid) {
    process.once('exit', kill);
    stopped.addEventListener('abort', stop);
    if (stopped.aborted) stop();
  }
  try {
    const status = await ended;
    kill(); // What it left running.
    // A process that left the group may hold the pipes for ever.
    const late = setTimeout(() => (child.stdout.destroy(), child.stderr.destroy()), PATIENCE);
    if (!stopped.aborted) await printed;
    clearTimeout(late);
    return stopped.aborted ? undefined : status;
  } finally {
    clearTimeout(patience);
    process.off('exit', kill);
    stopped.removeEventListener('abort', stop);
    child.stdout.destroy();
    child.stderr.destroy();
    await journal.end();
  }
}

/** Hands on the lines of a pipe, long ones in pieces. A command that prints more than the server takes waits. */
async function handOn(pipe: Readable, journal: Journal) {
  let rest = '';
  try {
    for await (const chunk of pipe.setEncoding('utf8')) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      while (rest.length > LONGEST) {
        lines.push(rest.slice(0, LONGEST));
        rest = rest.slice(LONGEST);
      }
      for (const line of lines) await journal.add(line);
    }
  } catch {
    // It was held for too long.
  }
  await journal.add(rest);
}

/** What a command prints. */
export class Journal {
  /** The last of it. */
  output = '';
  readonly #texts: string[] = [];
  readonly #bell = new Bell();
  #written = 0;
  #isOver = false;
  #goOn: (() => void)[] = [];
  #writing = Promise.resolve();

  /** Writes what is added, what comes within a second at once. It stops when that is refused. */
  write(send: (events: object[]) => Promise<unknown>, refused: (error: unknown) => void) {
    this.#writing = this.#write(send).catch(refused).finally(() => {
      this.#written = MOST_ENTRIES;
      this.#taken();
    });
  }

  /** Adds a line. It is to be waited for, lest there be too many. */
  async add(line: string): Promise<void> {
    // Half a character, where a long line was cut, is none.
    const shown = line.replace(/(?!\t)\p{Cc}/gu, '').replace(/\p{Cs}/gu, '\ufffd').trimEnd();
    for (const text of shown.match(PIECE) ?? []) {
      this.output = `${this.output}\n${text}`.slice(-LONGEST).replace(/^\p{Cs}/u, '').trimStart();
      if (this.#written + this.#texts.length > MOST_ENTRIES) continue;
      const last = this.#texts.length - 1;
      const joined = `${this.#texts[last]}\n${text}`;
      if (last >= 0 && joined.length <= LONGEST) this.#texts[last] = joined;
      else this.#texts.push(text);
      if (this.#texts.length < AT_ONCE) continue;
      this.#bell.ring();
      await new Promise<void>((resolve) => this.#goOn.push(resolve));
    }
  }

  /** Nothing more is added; waits until all is written. */
  async end() {
    this.#isOver = true;
    this.#bell.ring();
    await this.#writing;
  }

  async #write(send: (events: object[]) => Promise<unknown>) {
    while (this.#texts.length || !this.#isOver) {
      if (this.#texts.length < AT_ONCE && !this.#isOver) await this.#bell.wait(1000);
      const some = this.#texts.splice(0, Math.min(AT_ONCE, MOST_ENTRIES - this.#written));
      const events = some.map((text) => {
        const seq = ++this.#written;
        return { seq, kind: 'OBSERVATION', text: seq === MOST_ENTRIES ? FULL : text };
      });
      if (events.length) await send(events);
      if (this.#written === MOST_ENTRIES) return;
      this.#taken();
    }
  }

  #taken() {
    for (const goOn of this.#goOn.splice(0)) goOn();
  }
}
