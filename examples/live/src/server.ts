/** Where the API is, and who asks. */
export interface Server {
  /** The address of the endpoint, such as `http://127.0.0.1:8080/graphql`. */
  url: string;
  /** A bearer token that holds for longer than a minute. It is asked for whenever a request or a socket needs one. */
  token(): Promise<string>;
}

/** The value of the header `Authorization`, and of the field of that name on a socket. */
export async function authorization(server: Server): Promise<string> {
  return `Bearer ${await server.token()}`;
}

/** The server that `WORKGRAPH_URL` and `WORKGRAPH_TOKEN` name. Throws if one of them is not set. */
export function serverOfEnvironment(): Server {
  const { WORKGRAPH_URL, WORKGRAPH_TOKEN } = process.env;
  if (!WORKGRAPH_URL || !WORKGRAPH_TOKEN) {
    throw new Error('set WORKGRAPH_URL to a server with the demo, and WORKGRAPH_TOKEN to a token of its owner');
  }
  return { url: new URL('/graphql', WORKGRAPH_URL).href, token: async () => WORKGRAPH_TOKEN };
}
