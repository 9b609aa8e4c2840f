import { type Client, createClient, MessageType, stringifyMessage } from 'graphql-ws';
import WebSocket from 'ws';
import { SocketClosed } from './failures.js';
import { authorization, type Server } from './server.js';

export interface SocketOptions {
  /** After so many milliseconds of silence the server is asked whether it is there. */
  keepAlive?: number;
  /** So many milliseconds it has for its answer. */
  patience?: number;
}

/** A client of graphql-ws with one socket, which stays signed in and notices when nobody is at the other end. */
export function socketClient(server: Server, { keepAlive = 10_000, patience = 5_000 }: SocketOptions = {}): Client {
  let socket: WebSocket | undefined;
  let signedBy: string | undefined;
  let giveUp: NodeJS.Timeout | undefined;

  const client = createClient({
    url: server.url.replace(/^http/, 'ws'),
    // Browsers, and Node.js from 22 on, have one of their own.
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ authorization: (signedBy = await authorization(server)) }),
    // It would subscribe again with the variables of the first time, and so repeat what came since: see `follow`.
    retryAttempts: 0,
    keepAlive,
    lazyCloseTimeout: 1_000,
    on: {
      opened: (opened) => (socket = opened as WebSocket),
      closed: () => clearTimeout(giveUp),
      ping(received, payload) {
        if (!received) giveUp = setTimeout(() => client.terminate(), patience);
        else if (payload?.workgraph) void renew();
      },
      pong(received) {
        if (received) clearTimeout(giveUp);
      },
    },
  });

  /** Answers the warning that the token ends. Without a newer one the server closes the socket, with 4403. */
  async function renew(): Promise<void> {
    const warned = socket;
    const newer = await authorization(server);
    if (newer === signedBy || warned?.readyState !== WebSocket.OPEN) return;
    signedBy = newer;
    warned.send(stringifyMessage({ type: MessageType.Ping, payload: { authorization: newer } }));
  }

  return {
    ...client,
    // What ends a socket is an event; as an error it goes through every client unharmed, with its code.
    subscribe: (payload, sink) => client.subscribe(payload, { ...sink, error: (cause) => sink.error(asError(cause)) }),
  };
}

function asError(cause: unknown): unknown {
  if (cause instanceof Error || Array.isArray(cause)) return cause;
  const { code = 1006, reason = '', message = '' } = cause as Partial<WebSocket.CloseEvent & WebSocket.ErrorEvent>;
  return new SocketClosed(code, reason || message);
}
