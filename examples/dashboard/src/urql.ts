import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { introspection, partTypes } from '../generated/schema.js';
import type { Server } from './server.js';

/** An urql client with a normalised cache of its own. `fetch` sends its requests. */
export function urqlClient(server: Server, fetch = globalThis.fetch): Client {
  return new Client({
    url: server.url,
    // A page's operation is too long for an address.
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${server.token}` } },
    fetch,
    exchanges: [
      cacheExchange({
        schema: introspection,
        keys: Object.fromEntries(partTypes.map((name) => [name, () => null])),
        // A list that grows as one scrolls.
        resolvers: { Query: { tickets: relayPagination() } },
      }),
      fetchExchange,
    ],
  });
}
