// The server, as an agent asks it: again and again while it is out of reach.

import { setTimeout as sleep } from 'node:timers/promises';

/** Where the server is, and who asks. */
export interface Server {
  /** The address of its GraphQL, such as `http://127.0.0.1:8080/graphql`. */
  url: string;
  /** The agent token. */
  token: string;
}

/** How often it tries what others stand in the way of. */
const CONTENDED_TRIES = 4;

interface Extensions {
  code?: string;
  reason?: string;
  retryAfterMs?: number;
}

/** An answer that says no, and would again. */
export class Refused extends Error {
  readonly code: string;
  readonly #reason: string | undefined;
  readonly retryAfterMs: number;

  constructor(message: string, { code = 'INTERNAL', reason, retryAfterMs = 0 }: Extensions) {
    super(`${code}: ${message}`);
    this.code = code;
    this.#reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether somebody else has the job by now, or nobody: leave it. */
  get isStale() {
    return this.#reason === 'STALE_LEASE';
  }

  /** Whether the same may be taken a moment later. */
  mayPass(tries: number) {
    // It may be that others wrote the same rows.
    if (this.code === 'CONFLICT') return !this.isStale && tries < CONTENDED_TRIES;
    return ['UNAVAILABLE', 'RATE_LIMITED', 'DEADLINE_EXCEEDED', 'INTERNAL'].includes(this.code);
  }
}

/** What an error says, in one line. */
export function text(error: unknown): string {
  const { message, code, cause } = (error ?? {}) as Error & { code?: string };
  // What fetch throws has the reason in its cause, which may have nothing but a code.
  const own = (message || code || String(error)).split('\n').join(' ');
  return cause ? `${own}: ${text(cause)}` : own;
}

/** A pause in milliseconds, of up to 1 s at first and 30 at most, cut by chance, so that not all agents come back at once. */
export function backOff(tries: number): number {
  return Math.min(30, 2 ** tries) * (500 + Math.random() * 500);
}

/** A pause as it is told. */
export const seconds = (pause: number) => `${(pause / 1000).toFixed(1)} s`;

/** Sends an operation, which can be sent again, until there is an answer, or it is called off. */
export async function ask<T>(
  server: Server,
  query: string,
  variables: object,
  calledOff: AbortSignal,
  log: (text: string) => void = () => {},
): Promise<T> {
  for (let tries = 0; ; tries++) {
    let least = 0;
    let why: string;
    try {
      return await once<T>(server, query, variables, calledOff);
    } catch (error) {
      calledOff.throwIfAborted();
      if (error instanceof Refused) {
        if (!error.mayPass(tries)) throw error;
        least = error.retryAfterMs;
      }
      why = text(error);
    }
    const pause = Math.max(backOff(tries), least);
    const [, name = 'A request'] = /^\w+ (\w+)/.exec(query) ?? [];
    log(`${name} is sent again in ${seconds(pause)}: ${why}`);
    await sleep(pause, undefined, { signal: calledOff }).catch(() => calledOff.throwIfAborted());
  }
}

interface Body {
  data?: Record<string, unknown>;
  errors?: { message: string; extensions?: Extensions }[];
}

async function once<T>(server: Server, query: string, variables: object, calledOff: AbortSignal): Promise<T> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.token}` };
  const body = JSON.stringify({ query, variables });
  const signal = AbortSignal.any([calledOff, AbortSignal.timeout(30_000)]);
  const response = await fetch(server.url, { method: 'POST', headers, body, signal });
  const { data, errors } = (await response.json()) as Body;
  const [error] = errors ?? [];
  if (error) throw new Refused(error.message, error.extensions ?? {});
  return data as T;
}
