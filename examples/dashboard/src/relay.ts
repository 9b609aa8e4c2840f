import relay, { type FetchFunction, type GraphQLResponse } from 'relay-runtime';
import { possibleTypes } from '../generated/schema.js';
import type { Server } from './server.js';

const nodeTypes = new Set(possibleTypes.Node);

/** A Relay environment with a store of its own. `fetch` sends its requests. */
export function relayEnvironment(server: Server, fetch = globalThis.fetch): relay.Environment {
  const send: FetchFunction = async (request, variables) => {
    const answer = await fetch(server.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: request.text, operationName: request.name, variables }),
    });
    return (await answer.json()) as GraphQLResponse;
  };
  return new relay.Environment({
    network: relay.Network.create(send),
    store: new relay.Store(new relay.RecordSource()),
    // Relay takes any `id` for one that is unique everywhere.
    getDataID: (record, typeName) => (nodeTypes.has(typeName) ? record.id : null),
  });
}
