import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const { WORKGRAPH_URL, WORKGRAPH_TOKEN, CHROMIUM = '/usr/bin/chromium', SCREENSHOT } = process.env;
const screenshot = resolve(SCREENSHOT ?? join(import.meta.dirname, '../../target/graphiql.png'));
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

assert.ok(
  WORKGRAPH_URL && WORKGRAPH_TOKEN,
  'set WORKGRAPH_URL to a server in development mode, and WORKGRAPH_TOKEN to a token of its owner',
);
const { origin } = new URL(WORKGRAPH_URL);

let profile;
let browser;
let page;
const complaints = [];

before(async () => {
  profile = await mkdtemp(join(tmpdir(), 'workgraph-chromium-'));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: flags,
    viewport: { width: 1440, height: 900 },
  });
  browser.on('request', (request) => complainOfForeign(request.url()));
  page = await browser.newPage();
  page.on('websocket', (socket) => complainOfForeign(socket.url().replace(/^ws/, 'http')));
  page.on('pageerror', (error) => complaints.push(`page error: ${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  await page.goto(`${origin}/graphql`);
});

after(async () => {
  await browser?.close();
  if (profile) await rm(profile, { recursive: true, force: true });
});

afterEach(() => {
  assert.deepEqual(complaints.splice(0), []);
});

test('the page has its title', async () => {
  assert.equal(await page.title(), 'Workgraph GraphiQL');
});

test('the docs pane shows the schema', async () => {
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.locator('.graphiql-doc-explorer-type-name').first().click();
  await docs.getByText('projects', { exact: true }).first().waitFor();
});

test('the default query is answered', async () => {
  // Until the editor has its words in colour, a click on Run finds nothing to run.
  await page.locator('.graphiql-query-editor .view-line span > span:not(.mtk1)').first().waitFor();
  await run();
  await mkdir(dirname(screenshot), { recursive: true });
  await page.screenshot({ path: screenshot });
});

test('another role signs its requests with another token', async () => {
  const roles = page.getByLabel('Signed in as');
  const first = await run();
  const introspected = answerTo(isIntrospection);
  await roles.selectOption({ index: (await roles.locator('option').count()) - 1 });
  const second = await introspected;
  const third = await run();

  const [a, b, c] = [first, second, third].map((answer) => answer.request().headers());
  assert.match(a.authorization, /^Bearer \S+$/);
  assert.notEqual(a.authorization, b.authorization);
  assert.equal(b.authorization, c.authorization);
  assert.equal(c['x-workgraph-explain'], '1');
});

test('an example opens in a tab of its own and is answered', async () => {
  const tabs = page.locator('.graphiql-tab');
  const before = await tabs.count();
  await page.getByLabel('Examples').selectOption({ index: 2 });
  await tabs.nth(before).waitFor();
  await run();
});

test('a subscription shows what happens, until it is stopped', async () => {
  const introspected = answerTo(isIntrospection);
  await page.getByLabel('Signed in as').selectOption({ index: 0 });
  await introspected;
  await page.getByLabel('Examples').selectOption({ label: 'What happens, live' });
  const shown = page.locator('.graphiql-response .view-lines');
  const button = page.locator('.graphiql-execute-button');
  const opened = page.waitForEvent('websocket');
  await button.click();
  const socket = await opened;
  assert.equal(socket.url(), `${origin.replace('http', 'ws')}/graphql`);
  await shown.getByText('"position"').waitFor();

  const { projects } = await ask('{ projects(first: 1) { nodes { id name } } }');
  const [{ id, name }] = projects.nodes;
  const rename = 'mutation($id: ID!, $name: String!) { updateProject(input: { id: $id, name: $name }) { feedCursor } }';
  await ask(rename, { id, name: 'Seen as it happens' });
  await shown.getByText('"Seen as it happens"').waitFor();
  await shown.getByText('"project.edited"').waitFor();
  // The docs are read anew for another role.
  await page.locator('.graphiql-doc-explorer-type-name').first().waitFor();
  await page.screenshot({ path: join(dirname(screenshot), 'graphiql-subscription.png') });

  await ask(rename, { id, name });
  await shown.getByText(`"${name}"`).waitFor();

  const closed = socket.waitForEvent('close');
  await button.click();
  await closed;
});

async function ask(query, variables) {
  const answer = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${WORKGRAPH_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

async function run() {
  const answered = answerTo((request) => !isIntrospection(request));
  await page.locator('.graphiql-execute-button').click();
  const answer = await answered;
  const body = await answer.json();
  assert.equal(answer.status(), 200);
  assert.ok(body.data, JSON.stringify(body));
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  await page.locator('.graphiql-response .view-lines').getByText('"data"').first().waitFor();
  return answer;
}

function answerTo(matches) {
  return page.waitForResponse((response) => {
    const request = response.request();
    return request.method() === 'POST' && matches(request);
  });
}

function isIntrospection(request) {
  return request.postDataJSON().operationName === 'IntrospectionQuery';
}

function complainOfForeign(url) {
  const { protocol, origin: asked } = new URL(url);
  if (protocol.startsWith('http') && asked !== origin) complaints.push(`left the origin: ${url}`);
}
