// What strangers send costs the server no memory that it does not get back.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { test } from 'node:test';

const { WORKGRAPH_URL, WORKGRAPH_PID } = process.env;
assert.ok(WORKGRAPH_URL, 'set WORKGRAPH_URL to a server');

const MEBIBYTE = 1 << 20;
const ROUNDS = 3;
const { hostname, port } = new URL(WORKGRAPH_URL);

/** Memory of the server in bytes: what it holds, or the most that it held. */
async function memory(field) {
  const status = await readFile(`/proc/${WORKGRAPH_PID}/status`, 'utf8');
  return Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm'))[1]) * 1024;
}

/** Sends a body and returns the status and the first error's code. */
async function post(body) {
  const response = await fetch(new URL('/graphql', WORKGRAPH_URL), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer forged' },
    body,
  });
  const { errors } = await response.json();
  return [response.status, errors[0].extensions.code];
}

/** Sends these bodies, so many at a time. */
async function flood(bodies, atOnce, expected) {
  const waiting = [...bodies];
  const worker = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      const [status, code] = await post(body);
      // Bodies that are on their way are bounded together.
      const crowded = status === 503 && code === 'UNAVAILABLE';
      assert.ok((expected.includes(code) && status < 500) || crowded, `${body.slice(0, 80)}: ${status} ${code}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function bombs() {
  const fragments = Array.from({ length: 90 }, (_, i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`);
  const queries = [
    `{ ...f0 } ${fragments.join(' ')} fragment f90 on Query { feedCursor }`,
    `{ ${Array.from({ length: 4000 }, (_, i) => `a${i}: feedCursor`).join(' ')} }`,
    `${'{ a '.repeat(3000)}${'}'.repeat(3000)}`,
    `{ feedCursor ${'@include(if: true) '.repeat(3000)} }`,
    `{ ${'feedCursor '.repeat(5500)} }`,
    '{ projects(first: 200) { nodes { tickets(first: 200) { nodes { jobs(first: 200) { nodes { id } } } } } } }',
  ];
  const variables = { ids: Array.from({ length: 20_000 }, (_, i) => `id${i}`) };
  return [
    ...queries.map((query) => JSON.stringify({ query })),
    JSON.stringify({ query: 'query($ids: [ID!]!) { nodes(ids: $ids) { id } }', variables }),
    '['.repeat(100_000),
    '{"query": "{ feedCursor }", "variables": '.padEnd(200_000, '{"a":'),
  ];
}

/** Connections that begin a body and leave it. */
async function loiter(count) {
  const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n';
  const sockets = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const socket = connect(Number(port), hostname, () => resolve(socket));
          socket.once('error', reject);
        }),
    ),
  );
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.write(head + 'x'.repeat(100_000));
  }
  return () => sockets.forEach((socket) => socket.destroy());
}

/** Many requests on one connection, sent without waiting for answers. */
async function pipeline(count) {
  const body = '{"query":"{ feedCursor }"}';
  const request =
    `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n` + body;
  const socket = connect(Number(port), hostname);
  socket.write(request.repeat(count));
  let answers = 0;
  let rest = '';
  for await (const chunk of socket) {
    const text = rest + chunk.toString('latin1');
    answers += text.split('HTTP/1.1 401').length - 1;
    rest = text.slice(-11);
    if (rest.includes('HTTP/1.1 401')) rest = '';
    if (answers >= count) break;
  }
  assert.equal(answers, count);
}

test('floods of hostile requests leave memory flat', async (context) => {
  if (!WORKGRAPH_PID) return context.skip('set WORKGRAPH_PID to the process of the server, on this machine');
  const tooLarge = 'x'.repeat(10 * MEBIBYTE);
  const held = [await memory('VmRSS')];
  for (let round = 0; round < ROUNDS; round++) {
    const leave = await loiter(200);
    await flood(Array(20).fill(tooLarge), 10, ['LIMIT_EXCEEDED']);
    const codes = ['LIMIT_EXCEEDED', 'COST_EXCEEDED', 'BAD_USER_INPUT', 'UNAUTHENTICATED', 'GRAPHQL_PARSE_FAILED'];
    await flood(Array(10).fill(bombs()).flat(), 20, [...codes, 'GRAPHQL_VALIDATION_FAILED']);
    await pipeline(2500);
    leave();
    held.push(await memory('VmRSS'));
  }
  const shown = held.map((bytes) => `${Math.round(bytes / MEBIBYTE)} MiB`).join(', ');
  const most = await memory('VmHWM');
  context.diagnostic(`before and after each round: ${shown}; at most ${Math.round(most / MEBIBYTE)} MiB`);
  assert.ok(held.at(-1) <= held[1] + 64 * MEBIBYTE, `memory grows: ${shown}`);
  assert.ok(most <= held[0] + 200 * MEBIBYTE, `${most} bytes at most`);
});
