import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Activity } from '../src/operations.js';
import { afterwards } from './afterwards.js';
import { endingToken, head, ledger, projects, putBack, rename, server } from './demo.js';
import { Proxy } from './proxy.js';

const script = fileURLToPath(new URL('../../follow.sh', import.meta.url));
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'workgraph-follow-'));
});
after(async () => {
  await putBack();
  await rm(directory, { recursive: true });
});

/** The script, while it runs. */
class Script {
  readonly events: Pick<Activity, 'seq' | 'action' | 'targetTitle'>[] = [];
  complaints = '';
  readonly ended: Promise<unknown[]>;
  readonly #process;
  #text = '';

  constructor(url: string, token: string, kept: string, patience = 40) {
    const env = { ...process.env, WORKGRAPH_URL: new URL(url).origin, WORKGRAPH_TOKEN: token, WORKGRAPH_PATIENCE: `${patience}` };
    this.#process = spawn('sh', [script, kept], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    afterwards(() => this.#process.kill());
    this.ended = once(this.#process, 'exit');
    this.#process.stderr.on('data', (chunk) => (this.complaints += chunk));
    this.#process.stdout.on('data', (chunk) => this.#read(String(chunk)));
  }

  #read(chunk: string): void {
    const lines = (this.#text + chunk).split('\n');
    this.#text = lines.pop()!;
    for (const line of lines) {
      const { seq, action, targetTitle } = JSON.parse(line) as Activity;
      this.events.push({ seq, action, targetTitle });
    }
  }

  async prints(seq: number): Promise<void> {
    while (Number(this.events.at(-1)?.seq ?? 0) < seq) await once(this.#process.stdout, 'data');
  }

  async stop(): Promise<void> {
    this.#process.kill();
    assert.deepEqual(await this.ended, [143, null], this.complaints);
  }
}

test('the script loses nothing and repeats nothing, however often its connection breaks and it is started again', async () => {
  const proxy = await Proxy.to(server.url);
  const kept = join(directory, 'broken');
  const start = await head();
  await writeFile(kept, start.cursor);
  const events = [];
  for (const part of ['at first', 'again']) {
    const following = new Script(proxy.url, await server.token(), kept);
    const until = proxy.broken + 3;
    for (let turn = 0; proxy.broken < until; turn++) {
      await Promise.all(projects.map((project) => rename(project, `${part} ${turn} of ${project.id}`)));
      if (turn % 4 === 0) proxy.break();
      await sleep(randomInt(200));
    }
    await following.prints((await head()).seq);
    await following.stop();
    events.push(...following.events);
    await rename(projects[0]!, `while it is away ${part}`);
  }
  proxy.close();
  const { cursor, seq } = await head();
  const last = new Script(server.url, await server.token(), kept);
  await last.prints(seq);
  await last.stop();
  events.push(...last.events);

  assert.equal(events.length, seq - start.seq);
  for (const [index, event] of events.entries()) assert.equal(Number(event.seq), start.seq + index + 1);
  assert.deepEqual(events, await ledger(start.cursor));
  assert.notEqual(start.cursor, cursor);
});

test('the script comes back from a connection that has fallen silent', async () => {
  const proxy = await Proxy.to(server.url);
  const kept = join(directory, 'silent');
  const following = new Script(proxy.url, await server.token(), kept, 3);
  while (!(await readFile(kept, 'utf8').catch(() => ''))) await sleep(20);
  proxy.stall();
  await rename(projects[0]!, 'in silence');
  await following.prints((await head()).seq);
  await following.stop();
  proxy.close();
  assert.deepEqual(following.events.map(({ targetTitle }) => targetTitle), ['in silence']);
});

test('the script ends when another try cannot help', async () => {
  await writeFile(join(directory, 'wrong'), 'nowhere');
  for (const [token, kept, code] of [
    ['nonsense', 'new', 'UNAUTHENTICATED'],
    [await endingToken(4), 'ending', 'UNAUTHENTICATED'],
    [await server.token(), 'wrong', 'CURSOR_MISMATCH'],
  ] as const) {
    const following = new Script(server.url, token, join(directory, kept));
    assert.deepEqual(await following.ended, [1, null], code);
    assert.match(following.complaints, new RegExp(code));
  }
});
