// Writes generated/relay/modules: the operations in `graphql` tags, the only form that relay-compiler reads.

import { Kind, parse, print, visit } from 'graphql';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';

const root = new URL('../', import.meta.url);
const modules = new URL('generated/relay/modules/', root);
const artifacts = new URL('generated/relay/artifacts/', root);
const unmasked = parse('{ a @relay(mask: false) }').definitions[0].selectionSet.selections[0].directives[0];

await rm(new URL('generated/relay/', root), { recursive: true, force: true });
await mkdir(modules, { recursive: true });
await mkdir(artifacts, { recursive: true });
await compile('../../tests/operations/', forRelay);
await compile('operations/', forRelay);
await compile('relay/', (document) => document);

async function compile(folder, adapt) {
  const from = new URL(folder, root);
  for (const file of await readdir(from)) {
    const document = adapt(parse(await readFile(new URL(file, from), 'utf8')));
    // Printed rather than copied: relay-compiler leaves a tag with a backtick in a comment out, without a word.
    const module = `import { graphql } from 'relay-runtime';\n\ngraphql\`\n${print(document)}\n\`;\n`;
    await writeFile(new URL(file.replace('.graphql', '.ts'), modules), module);
  }
}

/** The same operations in the narrower language of Relay. */
function forRelay(document) {
  return visit(document, {
    // Relay refuses a default for a variable that cannot be null. Without the `!` it means the same.
    VariableDefinition: (variable) =>
      variable.defaultValue && variable.type.kind === Kind.NON_NULL_TYPE
        ? { ...variable, type: variable.type.type }
        : undefined,
    // A page is read as a whole here; a component of React would read its own fragment.
    FragmentSpread: (spread) => ({ ...spread, directives: [...(spread.directives ?? []), unmasked] }),
  });
}
