// The server, as an agent asks it.

/** Where the server is, and who asks. */
export interface Server {
  /** The address of its GraphQL, such as `http://127.0.0.1:8080/graphql`. */
  url: string;
  /** The agent token. */
  token: string;
}

/** An answer with an error. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly reason?: string,
  ) {
    super(`${code}: ${message}`);
  }

  /** Whether somebody else has the job by now, or nobody: leave it. */
  get isStale() {
    return this.reason === 'STALE_LEASE';
  }

  /** Whether the same may succeed a moment later. */
  get isTemporary() {
    return ['UNAVAILABLE', 'RATE_LIMITED', 'DEADLINE_EXCEEDED'].includes(this.code);
  }
}

interface Body {
  data?: Record<string, unknown>;
  errors?: { message: string; extensions?: { code?: string; reason?: string } }[];
}

/** Sends an operation, again and again while the server is out of reach. All that an agent sends can be sent again. */
export async function ask<T>(server: Server, query: string, variables: object, patience = 60_000): Promise<T> {
  const until = Date.now() + patience;
  for (let pause = 250; ; pause = Math.min(pause * 2, 10_000)) {
    try {
      return await once<T>(server, query, variables);
    } catch (error) {
      const passes = !(error instanceof Refused) || error.isTemporary;
      if (!passes || Date.now() + pause > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

async function once<T>(server: Server, query: string, variables: object): Promise<T> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.token}` };
  const response = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = (await response.json()) as Body;
  const [error] = errors ?? [];
  if (error) throw new Refused(error.message, error.extensions?.code ?? 'INTERNAL', error.extensions?.reason);
  return data as T;
}
