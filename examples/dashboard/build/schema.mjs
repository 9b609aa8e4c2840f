// Writes generated/schema.ts: what the caches of Apollo Client, urql and Relay must know of the schema.

import { minifyIntrospectionQuery } from '@urql/introspection';
import {
  buildSchema,
  getNamedType,
  getNullableType,
  introspectionFromSchema,
  isAbstractType,
  isListType,
  isObjectType,
} from 'graphql';
import { mkdir, readFile, writeFile } from 'node:fs/promises';

const root = new URL('../', import.meta.url);
const schema = buildSchema(await readFile(new URL('../../schema.graphql', root), 'utf8'));

const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'));
const objects = types.filter(isObjectType);
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];

const possibleTypes = Object.fromEntries(
  types.filter(isAbstractType).map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
);
// Whatever is no Node is a part of the object that it was found in, even if it has a field `id`: that of a requirement
// is unique only within its brief, and that of an entry of the approval queue is the id of what waits.
const partTypes = objects
  .filter((type) => !roots.includes(type) && !possibleTypes.Node.includes(type.name))
  .map(({ name }) => name);
const partLists = Object.fromEntries(
  objects.map((type) => [type.name, Object.values(type.getFields()).filter(isPartList).map(({ name }) => name)])
    .filter(([, fields]) => fields.length > 0),
);
const introspection = minifyIntrospectionQuery(introspectionFromSchema(schema, { descriptions: false }));

await mkdir(new URL('generated/', root), { recursive: true });
await writeFile(
  new URL('generated/schema.ts', root),
  `import type { CacheExchangeOpts } from '@urql/exchange-graphcache';

/** The types of each interface and union. */
export const possibleTypes: { Node: string[] } & Record<string, string[]> = ${JSON.stringify(possibleTypes)};

/** The types that no id of their own makes known. */
export const partTypes: string[] = ${JSON.stringify(partTypes)};

/** The fields that hold a list of such parts, by the type that has them. */
export const partLists: Record<string, string[]> = ${JSON.stringify(partLists)};

/** The schema as graphcache reads it. */
export const introspection: NonNullable<CacheExchangeOpts['schema']> = ${JSON.stringify(introspection)};
`,
);

/** Not the edges of a connection: each belongs to its cursor. */
function isPartList({ name, type }) {
  return name !== 'edges' && isListType(getNullableType(type)) && partTypes.includes(getNamedType(type).name);
}
