// A server, and a socket as simple as the protocol allows. Whatever the server says must be a message of the protocol.

import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { parseMessage } from 'graphql-ws';
import WebSocket from 'ws';

const { WORKGRAPH_URL, WORKGRAPH_TOKEN, WORKGRAPH_SECRET } = process.env;
assert.ok(WORKGRAPH_URL && WORKGRAPH_TOKEN, 'set WORKGRAPH_URL to a server, and WORKGRAPH_TOKEN to a token of its owner');
assert.ok(WORKGRAPH_SECRET, 'set WORKGRAPH_SECRET to the key of the server: workgraph.db.secret beside its database');

export const url = new URL('/graphql', WORKGRAPH_URL).href;
export const socketUrl = url.replace(/^http/, 'ws');
export const authorization = `Bearer ${WORKGRAPH_TOKEN}`;
export const PROTOCOL = 'graphql-transport-ws';

/** The token, made to end so many seconds from now. */
export function endingIn(seconds) {
  const [header, claims] = WORKGRAPH_TOKEN.split('.');
  const ending = { ...JSON.parse(Buffer.from(claims, 'base64url')), exp: Math.floor(Date.now() / 1000) + seconds };
  const signed = `${header}.${Buffer.from(JSON.stringify(ending)).toString('base64url')}`;
  return `Bearer ${signed}.${createHmac('sha256', WORKGRAPH_SECRET).update(signed).digest('base64url')}`;
}

const endings = [];
after(() => Promise.all(endings.map((end) => end())));

/** Ends something after all tests of a file, which otherwise go on for ever when one of them fails. */
export function afterwards(end) {
  endings.push(end);
}

/** Nothing that a test waits for takes so long. */
const PATIENCE = 15_000;

export class Socket {
  #socket;
  #came = [];
  #wake = () => {};

  constructor(protocols = [PROTOCOL]) {
    this.#socket = new WebSocket(socketUrl, protocols);
    afterwards(() => this.#socket.terminate());
    const take = (what) => {
      this.#came.push(what);
      this.#wake();
    };
    this.#socket.on('message', (data) => take({ message: parseMessage(String(data)) }));
    this.#socket.on('close', (code, reason) => take({ closed: { code, reason: String(reason) } }));
    this.#socket.on('error', (error) => take({ error }));
  }

  static async open(protocols) {
    const socket = new Socket(protocols);
    await new Promise((resolve, reject) => socket.raw.once('open', resolve).once('error', reject));
    return socket;
  }

  static async signedIn() {
    const socket = await Socket.open();
    socket.say({ type: 'connection_init', payload: { authorization } });
    await socket.hears({ type: 'connection_ack' });
    return socket;
  }

  get raw() {
    return this.#socket;
  }

  /** Sends a message, or text that is none. */
  say(message) {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(id, query, variables) {
    this.say({ type: 'subscribe', id, payload: { query, variables } });
  }

  async #next() {
    const late = setTimeout(() => this.#wake(), PATIENCE);
    if (this.#came.length === 0) await new Promise((resolve) => (this.#wake = resolve));
    clearTimeout(late);
    assert.notEqual(this.#came.length, 0, `nothing came for ${PATIENCE} ms`);
    const came = this.#came.shift();
    if (came.error) throw came.error;
    return came;
  }

  /** The next message. */
  async next() {
    const { message, closed } = await this.#next();
    assert.ok(message, `closed: ${JSON.stringify(closed)}`);
    return message;
  }

  /** Waits for the next message, which must be this one. */
  async hears(message) {
    assert.deepEqual(await this.next(), message);
  }

  /** The next result of an operation. */
  async data(id) {
    const message = await this.next();
    assert.deepEqual([message.type, message.id, message.payload?.errors], ['next', id, undefined], JSON.stringify(message));
    return message.payload.data;
  }

  /** Waits until all that was said before was heard, and says that nothing came of it. */
  async isQuiet() {
    const payload = { quiet: randomUUID() };
    this.say({ type: 'ping', payload });
    await this.hears({ type: 'pong', payload });
  }

  /** How the server closes it; what comes before is passed over. */
  async closed() {
    for (;;) {
      const { closed } = await this.#next();
      if (closed) return closed;
    }
  }

  async close() {
    this.#socket.close(1000);
    return this.closed();
  }
}

/** Asks over HTTP. */
export async function ask(query, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

const projects = '{ projects(first: 2) { nodes { id name } } }';
/** Two projects of the demo. */
export const [project, other] = (await ask(projects)).projects.nodes;

export const RENAME = `mutation Rename($id: ID!, $name: String!) {
  updateProject(input: { id: $id, name: $name }) { project { name } } }`;

/** Renames a project, and so makes something happen to it. */
export async function rename({ id }, name) {
  await ask(RENAME, { id, name });
}

/** Gives the projects back their names. */
export async function putBack() {
  for (const one of [project, other]) await rename(one, one.name);
}

/** Follows what happens in a project. */
export const FOLLOW = `subscription($projectId: ID!) {
  activity(filter: { projectId: $projectId }) { position previous event { targetTitle } } }`;

/** Follows what never happens. */
export const SILENCE = 'subscription { activity(filter: { actionPrefix: ["nothing."] }, heartbeatSeconds: 60) { position } }';
