import {
  ApolloClient,
  type FieldPolicy,
  HttpLink,
  InMemoryCache,
  type StoreObject,
  type TypePolicies,
} from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { partLists, partTypes, possibleTypes } from '../generated/schema.js';
import type { Server } from './server.js';

/** An Apollo Client with a cache of its own. `fetch` sends its requests. */
export function apolloClient(server: Server, fetch = globalThis.fetch): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache({ possibleTypes, typePolicies: typePolicies() }),
    link: new HttpLink({ uri: server.url, headers: { authorization: `Bearer ${server.token}` }, fetch }),
  });
}

/** What makes two objects the same, and what becomes of a part that two pages select differently. */
function typePolicies(): TypePolicies {
  const policies: TypePolicies = {};
  // Without `merge` the second page would throw away what the first selected.
  for (const type of partTypes) policies[type] = { keyFields: false, merge: true };
  for (const [type, lists] of Object.entries(partLists)) {
    const fields = Object.fromEntries(lists.map((field) => [field, { merge: oneByOne }]));
    policies[type] = { ...policies[type], fields };
  }
  // Lists that grow as one scrolls: these arguments tell one list from another, `first` and `after` do not.
  const growing = relayStylePagination(['filter', 'orderBy']);
  policies.Query = { fields: { ...policies.Query?.fields, activity: growing, tickets: growing } };
  return policies;
}

/** The parts of a list merged each with its own. A list that has changed its length replaces the other. */
const oneByOne: FieldPolicy<StoreObject[] | null>['merge'] = (existing, incoming, { mergeObjects }) => {
  if (!existing || !incoming || existing.length !== incoming.length) return incoming;
  return incoming.map((part, index) => mergeObjects(existing[index]!, part));
};
