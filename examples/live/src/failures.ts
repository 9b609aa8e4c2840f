import type { GraphQLFormattedError } from 'graphql';

/** The server answered with errors. */
export class Refused extends Error {
  /** The first error's `extensions.code`. */
  readonly code: string;
  /** So many milliseconds should pass before the next try. */
  readonly retryAfter: number;

  constructor(errors: readonly GraphQLFormattedError[]) {
    const { message, extensions = {} } = errors[0]!;
    super(`${extensions.code}: ${message}`);
    this.code = String(extensions.code);
    this.retryAfter = Number(extensions.retryAfterMs ?? 0);
  }
}

/** The socket was closed, or broke. */
export class SocketClosed extends Error {
  constructor(
    /** Why: 1006 if it broke. */
    readonly code: number,
    reason: string,
  ) {
    super(`The socket was closed with ${code}. ${reason}`.trim());
  }
}

/** A frame does not follow the one before it. */
export class Gap extends Error {
  constructor(last: string, previous: string) {
    super(`The frame before was at ${last}, and the stream says ${previous}.`);
  }
}

/** What is over when the same is tried again. */
const PASSING = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RATE_LIMITED', 'INTERNAL'];

/** The handshake took too long; the client itself gave the connection up. */
const PASSING_CODES = [4408, 4499];

/** The message was too large: it will be so again. */
const TOO_LARGE = 1009;

/** Whether there is no sense in trying again: the token does not hold, or the client makes a mistake. */
export function isFinal(error: unknown): boolean {
  if (error instanceof Refused) return !PASSING.includes(error.code);
  if (error instanceof SocketClosed) {
    return error.code === TOO_LARGE || (error.code >= 4400 && !PASSING_CODES.includes(error.code));
  }
  return false;
}

/** Whether the page must be loaded anew, because the stream cannot go on without a gap. */
export function needsPage(error: unknown): boolean {
  return error instanceof Gap || (error instanceof Refused && error.code === 'RESYNC_REQUIRED');
}
