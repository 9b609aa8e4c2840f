// The audits of graphql-http: what the specification of GraphQL over HTTP says a server must, should and may do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';

const { WORKGRAPH_URL, WORKGRAPH_TOKEN } = process.env;
assert.ok(WORKGRAPH_URL && WORKGRAPH_TOKEN, 'set WORKGRAPH_URL to a server, and WORKGRAPH_TOKEN to a token for it');

const audits = serverAudits({
  url: new URL('/graphql', WORKGRAPH_URL).href,
  fetchFn(url, init) {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${WORKGRAPH_TOKEN}`);
    return fetch(url, { ...init, headers });
  },
});

for (const { id, name, fn } of audits) {
  test(`${id}: ${name}`, async () => {
    const result = await fn();
    assert.equal(result.status, 'ok', await explanation(result));
  });
}

/** Why an audit is not content, with what the server answered. */
async function explanation({ reason, response }) {
  if (!response) return reason;
  const body = response.bodyUsed ? '' : await response.text();
  return `${reason}\n${response.status} ${response.headers.get('content-type')}\n${body.slice(0, 1000)}`;
}
