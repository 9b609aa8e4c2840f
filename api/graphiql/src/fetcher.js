import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws';

export function createFetcher(endpoint, token) {
  const url = new URL(endpoint, location.href);
  const authorization = token ? { authorization: `Bearer ${token}` } : {};

  return (operation, { headers, documentAST } = {}) => {
    const signed = { ...authorization, ...lowerCaseNames(headers) };
    return isSubscription(documentAST, operation.operationName)
      ? subscribe(url, signed, operation)
      : post(url, signed, operation);
  };
}

function isSubscription(documentAST, operationName) {
  return documentAST && getOperationAST(documentAST, operationName)?.operation === 'subscription';
}

async function post(url, headers, operation) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'content-type': 'application/json',
      'x-workgraph-explain': '1',
      ...headers,
    },
    body: JSON.stringify(operation),
  });
  if (!response.headers.get('content-type')?.includes('json')) {
    throw new Error(`${response.status} ${response.statusText}: ${await response.text()}`);
  }
  return response.json();
}

// Each has a socket of its own, because each tab has headers of its own.
function subscribe(url, headers, operation) {
  const socket = createClient({
    url: Object.assign(new URL(url), { protocol: url.protocol.replace('http', 'ws') }).href,
    connectionParams: headers,
    retryAttempts: 0,
  });
  return {
    subscribe: ({ next, error, complete }) => ({
      unsubscribe: socket.subscribe(operation, {
        next,
        complete,
        error: (cause) => error(readable(cause)),
      }),
    }),
  };
}

function readable(cause) {
  return cause instanceof CloseEvent
    ? new Error(`The connection closed with code ${cause.code}. ${cause.reason}`.trim())
    : cause;
}

function lowerCaseNames(headers = {}) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
