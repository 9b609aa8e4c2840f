import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterwards } from './afterwards.js';

/** A connection through the proxy. */
interface Connection {
  client: Socket;
  server: Socket;
  /** Whether it breaks within what the server says next. */
  cut: boolean;
}

/** Stands between a client and the server, and breaks connections. */
export class Proxy {
  /** How many connections were broken. */
  broken = 0;
  /** How many were opened. */
  opened = 0;
  readonly #connections = new Set<Connection>();
  readonly #server = createServer((client) => this.#accept(client));
  readonly #target: URL;

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  /** A proxy to the server of a URL, on a port of its own. */
  static async to(target: string): Promise<Proxy> {
    const proxy = new Proxy(target);
    afterwards(() => proxy.close());
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The URL, through the proxy. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Breaks all connections: some at once, some within the next message. */
  break(): void {
    for (const connection of this.#connections) {
      if (randomInt(2) === 0) connection.cut = true;
      else this.#destroy(connection);
    }
  }

  /** Passes nothing on any more, and tells nobody. New connections work. */
  stall(): void {
    for (const { client, server } of this.#connections) {
      client.pause();
      server.pause();
      this.broken += 1;
    }
  }

  close(): void {
    this.#server.close();
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
  }

  #accept(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const connection: Connection = { client, server, cut: false };
    this.#connections.add(connection);
    this.opened += 1;
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => {
      if (connection.cut) client.write(chunk.subarray(0, randomInt(chunk.length)), () => this.#destroy(connection));
      else client.write(chunk);
    });
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      // A broken connection is what this is for.
      socket.on('error', () => {});
      socket.on('close', () => {
        other.destroy();
        this.#connections.delete(connection);
      });
    }
  }

  #destroy(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.broken += 1;
    if (randomInt(2) === 0) connection.client.destroy();
    else connection.client.resetAndDestroy();
    connection.server.destroy();
  }
}
