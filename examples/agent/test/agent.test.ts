// The agent on a running server, which WORKGRAPH_URL and WORKGRAPH_TOKEN (of the demo's owner) name.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { alive, ask, file, journal, LONG, place, program, revoke, soon, start, ticket, token, until, wire } from './support.js';

test('an agent does what there is and what comes, and leaves when it is told to', async () => {
  const here = await place('work');
  const first = await ticket(here, 'First');
  const agent = start(here, 'grep -o First | head -n 1; echo done');
  const done = await first.untilStatus('DONE');
  assert.equal(done.result?.output, 'First\ndone');
  assert.deepEqual(journal(done), ['First\ndone\n']);
  // It hears of what comes.
  await (await ticket(here, 'Second')).untilStatus('DONE');
  await agent.leave();
});

test('the command knows its job, and not the token', async () => {
  const here = await place('environment');
  const known = await ticket(here, 'Known');
  const agent = start(here, 'echo "$WORKGRAPH_JOB_ID $WORKGRAPH_ATTEMPT $WORKGRAPH_ACTION token:$WORKGRAPH_AGENT_TOKEN."');
  const done = await known.untilStatus('DONE');
  assert.match(done.result?.output ?? '', new RegExp(`^${done.jobs.nodes[0]?.id} 1 [a-z_]+ token:\\.$`));
  await agent.leave();
});

test('what fails is handed in as such, and tried again if it was in passing', async () => {
  const here = await place('failure');
  const broken = await ticket(here, 'Broken');
  const agent = start(here, 'test -e tried && { echo it is broken >&2; exit 3; }; touch tried; exit 75');
  const failed = await broken.untilStatus('FAILED');
  assert.equal(failed.error, 'The command ended with 3.\nit is broken');
  assert.equal(failed.jobs.nodes.reduce((tries, { attempt }) => tries + attempt, 0), 2);
  await agent.leave();
});

test('an agent that is killed goes on where it was when it is started again', async () => {
  const here = await place('kill');
  const long = await ticket(here, 'Long');
  for (let life = 1; life <= 3; life++) {
    const killed = start(here, 'echo begun; sleep 20');
    assert.equal((await long.untilTold(life)).status, 'CLAIMED');
    await killed.kill();
  }
  const last = start(here, 'echo ended');
  assert.deepEqual(journal(await long.untilStatus('DONE')), ['begun\n', 'begun\n', 'begun\n', 'ended\n']);
  await last.leave();
});

test('a job that is cancelled while its command prints ends the command with all that it began, and nothing else', async () => {
  const here = await place('cancel');
  const cancelled = await ticket(here, 'Cancelled');
  const ended = alive(here);
  const agent = start(here, `test -e begun && exit; touch begun; (while sleep 0.1; do echo more; done) & ${LONG}`);
  const { jobs } = await cancelled.untilTold(1);
  await ask('mutation($id: ID!) { cancelJob(input: { id: $id }) { __typename } }', { id: jobs.nodes[0]?.id });
  await soon(ended);
  // It is free for what comes: the same ticket, which waits again.
  const done = await cancelled.untilStatus('DONE');
  assert.deepEqual(done.jobs.nodes.map(({ sessionId }) => sessionId), done.jobs.nodes.map(() => jobs.nodes[0]?.sessionId));
  await agent.leave();
});

test('a quiet command that does not end when it is asked to is ended too when its job is cancelled', async () => {
  const here = await place('quiet');
  const cancelled = await ticket(here, 'Quiet');
  const ended = alive(here);
  // It is told by its signs of life: over this way there is no WebSocket.
  const way = await wire(() => 'pass');
  const script = "test -e begun && exit; touch begun; echo begun; trap '' TERM; exec sleep 600 >alive";
  const agent = start(here, script, ['--heartbeat', '1'], way.url);
  const { jobs } = await cancelled.untilTold(1);
  await ask('mutation($id: ID!) { cancelJob(input: { id: $id }) { __typename } }', { id: jobs.nodes[0]?.id });
  await soon(ended);
  await cancelled.untilStatus('DONE');
  await agent.leave();
  way.close();
});

test('a journal that is not taken keeps nothing from its end', async () => {
  const here = await place('journal');
  const told = await ticket(here, 'Told');
  const way = await wire((operation) => (operation === 'Journal' ? { code: 'BAD_USER_INPUT' } : 'pass'));
  const agent = start(here, 'echo 1; sleep 2; echo 2', [], way.url);
  assert.equal((await told.untilStatus('DONE')).result?.output, '1\n2');
  assert.match(agent.said, /the journal is not taken: BAD_USER_INPUT: Not now\./);
  await agent.leave();
  way.close();
});

test('the session of another token is left alone', async () => {
  const here = await place('another');
  const first = start(here, 'true');
  await (await ticket(here, 'First')).untilStatus('DONE');
  await first.leave();
  const before = readFileSync(file(here, 'session').path, 'utf8');
  const other = { ...here, ...(await token(here.project)) };
  const next = await ticket(here, 'Second');
  const agent = start(other, 'true');
  await next.untilStatus('DONE');
  assert.match(agent.said, /^.*session has not a session of this token: begins another$/m);
  assert.notEqual(readFileSync(file(here, 'session').path, 'utf8'), before);
  await agent.leave();
});

for (const [told, url] of [['by the WebSocket', undefined], ['by its signs of life', 'wire']] as const) {
  test(`without its token it ends and its command with it, ${told}`, async () => {
    const here = await place('revoked');
    const long = await ticket(here, 'Long');
    const ended = alive(here);
    const way = await wire(() => 'pass');
    const agent = start(here, LONG, ['--heartbeat', '1'], url && way.url);
    await long.untilTold(1);
    await revoke(here);
    await soon(ended, () => agent.said);
    assert.equal(await agent.end(), 1);
    assert.match(agent.said, /^workgraph-agent: UNAUTHENTICATED.*$/m);
    assert.doesNotMatch(agent.said, /^ +at /m);
    way.close();
  });
}

test('it works on while the server is out of reach, and hands in what came of it', async () => {
  const here = await place('outage');
  const patient = await ticket(here, 'Patient');
  const way = await wire(() => 'pass');
  const wait = (name: string) => `until test -e ${name}; do sleep 0.1; done`;
  const script = `echo 1; ${wait('cut')}; echo 2; echo 3; touch printed; ${wait('mended')}; echo 4`;
  const agent = start(here, script, ['--heartbeat', '1'], way.url);
  await patient.untilTold(1);
  way.way = () => 'lose';
  file(here, 'cut').write();
  await until(file(here, 'printed').exists);
  const tries = /^(Beat|Journal) is sent again in \d+\.\d s: .+$/gm;
  await until(() => (agent.said.match(tries) ?? []).length >= 4, () => agent.said);
  assert.doesNotMatch(agent.said, /^ +at /m);
  file(here, 'mended').write();
  way.way = () => 'pass';
  assert.deepEqual(journal(await patient.untilStatus('DONE')), ['1\n2\n3\n4\n']);
  await agent.leave();
  way.close();
});

test('what came of its work is handed in again, even by its next life', async () => {
  const ways = [['unsaid', 'lose', true], ['unheard', 'lose the answer', true], ['again', 'lose the answer', false]] as const;
  for (const [name, lost, isKilled] of ways) {
    const here = await place(name);
    const once = await ticket(here, 'Once');
    let isLost = false;
    const way = await wire((operation) => ((isLost ||= operation === 'Complete') ? lost : 'pass'));
    let agent = start(here, 'echo done; echo ran >>runs', [], way.url);
    await until(() => agent.said.includes('Complete is sent again'), () => agent.said);
    assert.equal((await once.now()).status, lost === 'lose' ? 'CLAIMED' : 'DONE', name);
    if (isKilled) {
      await agent.kill();
      agent = start(here, 'echo ran >>runs');
    } else way.way = () => 'pass';
    const done = await once.untilStatus('DONE');
    assert.equal(done.result?.output, 'done', name);
    assert.equal(done.jobs.nodes[0]?.attempt, 1, name);
    // The result was taken, and so it works on.
    await (await ticket(here, 'Next')).untilStatus('DONE');
    assert.equal(readFileSync(file(here, 'runs').path, 'utf8'), 'ran\nran\n', name);
    await agent.leave();
    way.close();
  }
});

test('a result that is refused in passing is sent again when the server says', async () => {
  for (const code of ['RATE_LIMITED', 'UNAVAILABLE']) {
    const here = await place(code);
    const late = await ticket(here, 'Late');
    let refusals = 0;
    let since = 0;
    const way = await wire((operation) => {
      if (operation !== 'Complete') return 'pass';
      if (refusals++ > 0) return 'pass';
      since = Date.now();
      return { code, retryAfterMs: 3000 };
    });
    const agent = start(here, 'echo done', [], way.url);
    assert.equal((await late.untilStatus('DONE')).result?.output, 'done');
    assert.ok(Date.now() - since >= 3000, 'it waits as long as it is told to');
    assert.match(agent.said, new RegExp(`Complete is sent again in 3.0 s: ${code}`));
    await agent.leave();
    way.close();
  }
});

test('it is started before the server, and waits for it', async () => {
  const here = await place('early');
  const way = await wire(() => 'lose');
  const agent = start(here, 'true', [], way.url);
  await until(() => /^Register is sent again in/m.test(agent.said), () => agent.said);
  way.way = () => 'pass';
  await (await ticket(here, 'Early')).untilStatus('DONE');
  way.way = () => 'lose';
  // Stopped in vain it says so in the end.
  agent.signal('SIGTERM');
  assert.equal(await agent.end(), 1);
  assert.match(agent.said, /^workgraph-agent: the server is out of reach.*$/m);
  way.close();
});

test('stopped it gives back what takes too long', async () => {
  const here = await place('grace');
  const long = await ticket(here, 'Long');
  const ended = alive(here);
  const agent = start(here, LONG, ['--grace', '1']);
  await long.untilTold(1);
  await agent.leave();
  await soon(ended);
  const now = await long.now();
  assert.deepEqual([now.status, now.error], ['READY', null]);
});

test('asked by an admin it ends what it does and leaves, and comes back when it is started again', async () => {
  const here = await place('drain');
  const last = await ticket(here, 'Last');
  const agent = start(here, 'echo begun; until test -e drained; do sleep 0.1; done');
  const { jobs } = await last.untilTold(1);
  await ask('mutation($id: ID!) { drainAgent(input: { sessionId: $id }) { __typename } }', { id: jobs.nodes[0]?.sessionId });
  const next = await ticket(here, 'Not any more');
  file(here, 'drained').write();
  assert.equal(await agent.end(), 0);
  await last.untilStatus('DONE');
  assert.equal((await next.now()).status, 'READY');
  const again = start(here, 'true');
  await next.untilStatus('DONE');
  await again.leave();
});

test('of endless output the journal has the beginning and the result the end', async () => {
  const here = await place('output');
  const loud = await ticket(here, 'Loud');
  // One line of nine million letters, which are more than 2,000 entries take, and something that is no text.
  const agent = start(here, "head -c 9000000 /dev/zero | tr '\\0' x; printf '\\n\\377\\033 end'");
  const done = await loud.untilStatus('DONE');
  const events = done.jobs.nodes[0]?.events;
  assert.equal(events?.totalCount, 2000);
  assert.equal(events?.nodes[0]?.text, 'x'.repeat(4000));
  const output = done.result?.output ?? '';
  assert.ok(output.endsWith('xxx\n\ufffd end'), output);
  assert.ok(output.length <= 4000, `${output.length}`);
  await agent.leave();
});

test('what is wrong with how it is started it says in one line', async () => {
  const here = await place('usage');
  const known = { WORKGRAPH_AGENT_TOKEN: here.token };
  writeFileSync(file(here, 'broken').path, 'nothing');
  const line = (args: string[], environment: NodeJS.ProcessEnv, status: number, expected: RegExp) => ({ args, environment, status, expected });
  const cases = [
    line(['cat'], {}, 2, /WORKGRAPH_AGENT_TOKEN/),
    line(['cat'], { WORKGRAPH_AGENT_TOKEN: '' }, 2, /WORKGRAPH_AGENT_TOKEN/),
    line([], known, 2, /command/),
    line(['--frequent', 'cat'], known, 2, /--frequent/),
    line(['--heartbeat', 'often', 'cat'], known, 2, /--heartbeat/),
    line(['cat'], { ...known, WORKGRAPH_URL: 'nowhere' }, 2, /nowhere/),
    line(['cat'], { WORKGRAPH_AGENT_TOKEN: 'wga_wrong' }, 1, /UNAUTHENTICATED/),
    line(['cat'], { ...known, WORKGRAPH_SESSION_FILE: file(here, 'broken').path }, 1, /broken/),
    line(['cat'], { ...known, WORKGRAPH_SESSION_FILE: file(here, 'no/such/directory').path }, 1, /directory/),
  ];
  for (const { args, environment, status, expected } of cases) {
    const agent = program(args, environment);
    assert.equal(await soon(agent.ended, () => agent.said), status, agent.said);
    const said = agent.said.split('\n').filter((line) => line && !/^(registered|left)/.test(line));
    assert.equal(said.length, 1, agent.said);
    assert.match(said[0] ?? '', expected);
  }
  const help = program(['--help']);
  assert.equal(await help.ended, 0);
  assert.match(help.said, /^Usage: .*COMMAND/m);
});

test('a command that cannot be run ends the agent, and its ticket is given back', async () => {
  const here = await place('nowhere');
  const kept = await ticket(here, 'Kept');
  const environment = { WORKGRAPH_AGENT_TOKEN: here.token };
  const agent = program(['no-such-command'], environment);
  assert.equal(await soon(agent.ended, () => agent.said), 1);
  assert.match(agent.said, /^workgraph-agent: no-such-command cannot be run.*$/m);
  assert.equal((await kept.now()).status, 'READY');
});
