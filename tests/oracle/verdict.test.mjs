// The same verdict as the reference implementation, on thousands of documents of our schema, right ones and wrong ones.
//
// Nothing is carried out: without a token, what may run is answered UNAUTHENTICATED. One seed makes one document, so that a
// difference can be looked at again: WORKGRAPH_SEED=17 WORKGRAPH_DOCUMENTS=1 npm test

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Kind, buildSchema, getVariableValues, parse, print, validate } from 'graphql';
import { Chance } from './chance.mjs';
import { FAULT_NAMES, damage, damageText } from './damage.mjs';
import { Documents } from './documents.mjs';
import { teach } from './scalars.mjs';

const { WORKGRAPH_URL, WORKGRAPH_SEED = '1', WORKGRAPH_DOCUMENTS = '6000' } = process.env;
assert.ok(WORKGRAPH_URL, 'set WORKGRAPH_URL to a server');

const AT_ONCE = 8;
/** Stands in variables for a whole number that is written as `7.0`. */
const WHOLE = '@whole@';
const schema = teach(buildSchema(await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8')));

/** One request: its document as text, and with the descriptions that the reference implementation does not know. */
function request(seed) {
  const chance = new Chance(seed);
  const { document, variables } = new Documents(schema, chance).next();
  const faults = chance.happens(0.15) ? [chance.of(['wrongVariable', 'deepWrong'])] : Array.from({ length: chance.below(4) }, () => chance.of(FAULT_NAMES));
  for (const fault of faults) damage(fault, { document, variables, chance, schema });
  let text = print(document);
  if (chance.happens(0.2)) {
    text = damageText(text, chance);
    faults.push('text');
  }
  const described = chance.happens(0.1) && !faults.includes('text') ? describe(document) : text;
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const operationName = operations.length > 1 ? operations[0].name?.value : undefined;
  return { seed, text, described, variables, operationName, faults };
}

/** The document with a description before each operation and fragment (September 2025). */
function describe(document) {
  const definitions = document.definitions.map((definition) => {
    const text = print(definition);
    const may = /^(query|mutation|subscription|fragment)\b/.test(text);
    return may ? `"What it is for."\n${text}` : text;
  });
  return definitions.join('\n\n');
}

/** What the reference implementation says: `parse`, `validation`, `variables` or `right`, or that it cannot. */
function expected({ text, variables, operationName }) {
  let document;
  try {
    document = parse(text);
  } catch (error) {
    return ['parse', error.message];
  }
  let invalid;
  try {
    [invalid] = validate(schema, document);
  } catch {
    // It decides @skip and @include at a subscription's root without knowing the variables.
    return ['undecided', ''];
  }
  if (invalid) return ['validation', invalid.message];
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const operation = operations.length === 1 && !operationName ? operations[0] : operations.find((one) => one.name?.value === operationName);
  if (!operation) return ['validation', 'no such operation'];
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  return errors ? ['variables', errors[0].message] : ['right', ''];
}

/** Whole numbers as some languages write them: `7.0` where it says 7. */
function body({ described, variables, operationName, seed }) {
  const whole = seed % 3 === 0;
  const text = JSON.stringify({ query: described, operationName, variables }, (_key, value) =>
    whole && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? `${WHOLE}${value}` : value,
  );
  return text.replace(new RegExp(`"${WHOLE}(-?\\d+)"`, 'g'), '$1.0');
}

const CODES = {
  parse: ['GRAPHQL_PARSE_FAILED'],
  validation: ['GRAPHQL_VALIDATION_FAILED', 'ONE FIELD'],
  variables: ['GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT', 'CONSTRAINT'],
  // What is priced or asks for another transport was found right before; and so was what anybody may ask, where this server sends no
  // mail and lets nobody sign up.
  right: ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'no error', 'COST_EXCEEDED', 'SUBSCRIPTION', 'ONE FIELD', 'CONSTRAINT'],
};

/** What the server says, as a code. */
async function answered(one) {
  const response = await fetch(new URL('/graphql', WORKGRAPH_URL), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: body(one),
  });
  const answer = await response.json();
  const [error] = answer.errors ?? [];
  // The validator counts a subscription's one field twice when it is selected twice.
  if (error?.message.endsWith('must select only one top level field.')) return ['ONE FIELD', ''];
  // Since September 2025 a subscription's root takes no @skip and no @include; the reference implementation looks what is left.
  if (error?.message.endsWith('can not specify @skip or @include on root fields.')) return ['ONE FIELD', ''];
  if (error?.message.startsWith('`Accept`: a subscription needs')) return ['SUBSCRIPTION', ''];
  // What `@length` and `@size` say is this server's own; all else was found right before.
  if (/: (cannot be empty$|(needs at least \d+|has \d+) (characters?|entr))/.test(error?.message)) return ['CONSTRAINT', ''];
  const code = error?.extensions.code ?? 'no error';
  if (['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED'].includes(code)) {
    assert.ok(!('data' in answer), `seed ${one.seed}: nothing of a refused document is answered`);
    assert.equal(response.status, 400, `seed ${one.seed}`);
  }
  return [code, error?.message ?? ''];
}

test('documents are judged as the reference implementation judges them', { timeout: 600_000 }, async () => {
  const first = Number(WORKGRAPH_SEED);
  const seeds = Array.from({ length: Number(WORKGRAPH_DOCUMENTS) }, (_, i) => first + i);
  const differences = [];
  const counts = {};
  const worker = async () => {
    for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) {
      const one = request(seed);
      const [verdict, why] = expected(one);
      const [code, message] = await answered(one);
      counts[verdict] = (counts[verdict] ?? 0) + 1;
      if (verdict !== 'undecided' && !CODES[verdict].includes(code)) {
        differences.push({ seed, faults: one.faults.join(' '), verdict, why, code, message, document: one.described, variables: JSON.stringify(one.variables) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  console.log(counts);
  differences.sort((a, b) => a.document.length - b.document.length);
  assert.deepEqual(differences.slice(0, 10), [], `${differences.length} documents are judged differently`);
  if (first === 1 && Number(WORKGRAPH_DOCUMENTS) >= 3000) {
    for (const verdict of Object.keys(CODES)) assert.ok(counts[verdict] > 100, `enough documents that are ${verdict}`);
  }
});
