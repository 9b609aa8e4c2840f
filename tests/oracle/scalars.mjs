// The custom scalars of the schema, as its documentation describes them, for the reference implementation.

import { GraphQLError, Kind, valueFromASTUntyped } from 'graphql';

const within = (number) => number >= -(2n ** 63n) && number < 2n ** 63n;

const day = (text) => {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match || match[1] === '0000') return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
};

const moment = (text) => {
  const match = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.exec(text);
  if (!match || !day(match[1])) return false;
  const year = new Date(text.replace(/\.\d+/, '')).getUTCFullYear();
  return year >= 1 && year <= 9999;
};

const CHECKS = {
  BigInt: (value) =>
    typeof value === 'string' ? /^-?\d+$/.test(value) && within(BigInt(value)) : Number.isInteger(value) && within(BigInt(value)),
  Cursor: (value) => typeof value === 'string',
  Date: (value) => typeof value === 'string' && day(value),
  DateTime: (value) => typeof value === 'string' && moment(value),
  JSON: () => true,
};

/** Values that fit each scalar, and some that do not. */
export const SAMPLES = {
  BigInt: { right: ['1500000', '-9223372036854775808', 12, 0], wrong: ['12.5', '9223372036854775808', 'x', 1.5, true, {}] },
  Cursor: { right: ['abc'], wrong: [3, true, {}, ['a', 1]] },
  Date: { right: ['2026-05-04', '2024-02-29'], wrong: ['2026-02-30', '2026-5-4', 'soon', 20260504, false] },
  DateTime: {
    right: ['2026-05-04T09:30:00.000Z', '2026-05-04T09:30:00+02:00'],
    wrong: ['soon', '2026-05-04', '2026-13-04T09:30:00Z', '2026-05-04T09:30:60Z', '0000-01-01T00:00:00Z', 5, true],
  },
  JSON: { right: [null, 1, 'text', { a: [1, 2.5, null] }, []], wrong: [] },
  Int: { right: [1, 7, 50, -2147483648, 2147483647], wrong: [2147483648, 1.5, '7', true, {}] },
  Float: { right: [1, 0.5, -3, 1e3], wrong: ['1', true, {}] },
  String: { right: ['', 'plain', 'ünï 👩 code', 'two\nlines', '"quoted" \\'], wrong: [1, true, {}, 1.5] },
  Boolean: { right: [true, false], wrong: [0, 'true', {}] },
  ID: { right: ['tz4a98xxat96iws9zmbrgj3a', '17', 17], wrong: [1.5, true, {}] },
};

/** Teaches a schema built from its text what its own scalars accept. */
export function teach(schema) {
  for (const [name, fits] of Object.entries(CHECKS)) {
    const scalar = schema.getType(name);
    const check = (value) => {
      if (!fits(value)) throw new GraphQLError(`not a ${name}: ${JSON.stringify(value)}`);
      return value;
    };
    scalar.parseValue = check;
    scalar.parseLiteral = (node, variables) => {
      if (name === 'JSON') return valueFromASTUntyped(node, variables);
      if (node.kind === Kind.STRING) return check(node.value);
      if (node.kind !== Kind.INT || name !== 'BigInt') throw new GraphQLError(`not a ${name}: ${node.kind}`);
      return check(node.value);
    };
  }
  return schema;
}
