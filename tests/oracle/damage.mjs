// Faults of documents and variables, one small change each. Most make a document wrong, some leave it right: which it is,
// the reference implementation says.

import { Kind, isCompositeType, isInputType, isLeafType, visit } from 'graphql';
import { literal } from './documents.mjs';
import { SAMPLES } from './scalars.mjs';

const name = (value) => ({ kind: Kind.NAME, value });
const named = (type) => ({ kind: Kind.NAMED_TYPE, name: name(type) });

/** All nodes of a kind, with their parents. */
function nodes(document, ...kinds) {
  const found = [];
  visit(document, {
    enter(node, _key, parent) {
      if (kinds.includes(node.kind)) found.push({ node, list: Array.isArray(parent) ? parent : undefined });
    },
  });
  return found;
}

const WRONG = [literal(1), literal(1.5), literal('text'), literal(true), literal(null), literal([]), literal({}), literal({ x: 1 }), literal([[1]]), { kind: Kind.ENUM, value: 'NO_SUCH_VALUE' }, literal(2147483648), literal(-1)];

/** Each takes the document, changes it in place and says nothing; `context` has the schema, chance and variables. */
const FAULTS = {
  unknownField({ document, chance }) {
    const field = pick(document, chance, Kind.FIELD);
    if (field) field.name = name(chance.of(['noSuchField', '__typename', '__schema', 'id', 'title', 'nodes', `${field.name.value}s`]));
  },
  fieldOfAnotherType({ document, chance }) {
    const fields = nodes(document, Kind.FIELD);
    if (fields.length > 1) chance.of(fields).node.name = name(chance.of(fields).node.name.value);
  },
  unknownArgument({ document, chance }) {
    const argument = pick(document, chance, Kind.ARGUMENT);
    if (argument) argument.name = name(chance.of(['noSuchArgument', 'first', 'id', 'input']));
  },
  argumentLeftOut({ document, chance }) {
    const field = chance.of(nodes(document, Kind.FIELD, Kind.DIRECTIVE))?.node;
    field?.arguments.splice(chance.below(field.arguments.length), 1);
  },
  argumentTwice({ document, chance }) {
    const argument = entry(document, chance, Kind.ARGUMENT);
    argument?.list?.push(structuredClone(argument.node));
  },
  anotherLiteral({ document, chance }) {
    const argument = pick(document, chance, Kind.ARGUMENT, Kind.OBJECT_FIELD);
    if (argument) argument.value = structuredClone(chance.of(WRONG));
  },
  enumAsString({ document, chance }) {
    const value = pick(document, chance, Kind.ENUM);
    if (value) Object.assign(value, literal(value.value));
  },
  stringAsEnum({ document, chance }) {
    const value = pick(document, chance, Kind.STRING);
    if (value) Object.assign(value, { kind: Kind.ENUM, value: chance.of(['ASC', 'value', 'ID']) });
  },
  anotherTypeOfVariable({ document, chance, schema }) {
    const variable = pick(document, chance, Kind.VARIABLE_DEFINITION);
    if (!variable) return;
    const types = Object.values(schema.getTypeMap()).filter((type) => isInputType(type) || chance.happens(0.02));
    const other = named(chance.happens(0.5) ? chance.of(['Int', 'String', 'ID', 'Boolean', 'Float', 'DateTime', 'NoSuchType']) : chance.of(types).name);
    const type = variable.type.kind === Kind.NON_NULL_TYPE ? variable.type.type : variable.type;
    variable.type = chance.of([
      other,
      { kind: Kind.NON_NULL_TYPE, type: other },
      { kind: Kind.LIST_TYPE, type: variable.type },
      { kind: Kind.NON_NULL_TYPE, type },
      type,
    ]);
  },
  variableUndefined({ document, chance }) {
    const definition = entry(document, chance, Kind.VARIABLE_DEFINITION);
    definition?.list?.splice(definition.list.indexOf(definition.node), 1);
  },
  variableUnused({ document, chance }) {
    const operation = pick(document, chance, Kind.OPERATION_DEFINITION);
    operation?.variableDefinitions.push({ kind: Kind.VARIABLE_DEFINITION, variable: { kind: Kind.VARIABLE, name: name('unused') }, type: named('Int') });
  },
  variableTwice({ document, chance }) {
    const definition = entry(document, chance, Kind.VARIABLE_DEFINITION);
    definition?.list?.push(structuredClone(definition.node));
  },
  wrongDefault({ document, chance }) {
    const definition = pick(document, chance, Kind.VARIABLE_DEFINITION);
    if (definition) definition.defaultValue = structuredClone(chance.of(WRONG));
  },
  anotherVariable({ document, chance }) {
    const variables = nodes(document, Kind.VARIABLE);
    if (variables.length > 1) chance.of(variables).node.name = name(chance.of(variables).node.name.value);
  },
  variableInPlaceOfLiteral({ document, chance }) {
    const variable = pick(document, chance, Kind.VARIABLE_DEFINITION);
    const argument = pick(document, chance, Kind.ARGUMENT, Kind.OBJECT_FIELD);
    if (variable && argument) argument.value = structuredClone(variable.variable);
  },
  fragmentCycle({ document, chance }) {
    const fragment = pick(document, chance, Kind.FRAGMENT_DEFINITION);
    const target = pick(document, chance, Kind.FRAGMENT_DEFINITION);
    fragment?.selectionSet.selections.push({ kind: Kind.FRAGMENT_SPREAD, name: name(target.name.value), directives: [] });
  },
  fragmentUnknown({ document, chance }) {
    const set = pick(document, chance, Kind.SELECTION_SET);
    set.selections.push({ kind: Kind.FRAGMENT_SPREAD, name: name('NoSuchFragment'), directives: [] });
  },
  fragmentUnused({ document, chance }) {
    const fragment = pick(document, chance, Kind.FRAGMENT_DEFINITION);
    const copy = fragment ? structuredClone(fragment) : undefined;
    if (copy) document.definitions.push({ ...copy, name: name(chance.of([fragment.name.value, 'Unused'])) });
  },
  fragmentElsewhere({ document, chance }) {
    const fragment = pick(document, chance, Kind.FRAGMENT_DEFINITION);
    const set = pick(document, chance, Kind.SELECTION_SET);
    if (fragment) set.selections.push({ kind: Kind.FRAGMENT_SPREAD, name: name(fragment.name.value), directives: [] });
  },
  anotherTypeCondition({ document, chance, schema }) {
    const fragment = pick(document, chance, Kind.FRAGMENT_DEFINITION, Kind.INLINE_FRAGMENT);
    if (!fragment) return;
    const types = Object.values(schema.getTypeMap()).filter((type) => isCompositeType(type) || chance.happens(0.05));
    fragment.typeCondition = named(chance.happens(0.1) ? 'NoSuchType' : chance.of(['Node', chance.of(types).name]));
  },
  unknownDirective({ document, chance }) {
    const place = pick(document, chance, Kind.FIELD, Kind.INLINE_FRAGMENT, Kind.FRAGMENT_SPREAD, Kind.OPERATION_DEFINITION, Kind.FRAGMENT_DEFINITION);
    const directive = chance.of(['noSuchDirective', 'deprecated', 'include', 'skip', 'specifiedBy', 'oneOf']);
    const value = chance.happens(0.7) ? [{ kind: Kind.ARGUMENT, name: name('if'), value: literal(chance.of([true, false, 1, null])) }] : [];
    place.directives = [...(place.directives ?? []), { kind: Kind.DIRECTIVE, name: name(directive), arguments: value }];
  },
  directiveTwice({ document, chance }) {
    const directive = entry(document, chance, Kind.DIRECTIVE);
    directive?.list?.push(structuredClone(directive.node));
  },
  leafWithSelection({ document, chance }) {
    const field = pick(document, chance, Kind.FIELD);
    if (!field) return;
    if (field.selectionSet) delete field.selectionSet;
    else field.selectionSet = { kind: Kind.SELECTION_SET, selections: [{ kind: Kind.FIELD, name: name('id'), arguments: [], directives: [] }] };
  },
  sameAlias({ document, chance }) {
    const set = pick(document, chance, Kind.SELECTION_SET);
    const fields = set.selections.filter((node) => node.kind === Kind.FIELD);
    for (const field of fields) if (chance.happens(0.7)) field.alias = name('same');
  },
  sameFieldTwice({ document, chance }) {
    const field = entry(document, chance, Kind.FIELD);
    if (!field?.list) return;
    const copy = structuredClone(field.node);
    const inner = pick({ kind: Kind.DOCUMENT, definitions: [copy] }, chance, Kind.FIELD);
    if (inner !== copy && chance.happens(0.6)) inner.alias = name(chance.of(['id', 'title', 'same', 'totalCount']));
    else if (chance.happens(0.5)) copy.arguments.splice(0, 1);
    const place = chance.happens(0.5) ? copy : { kind: Kind.INLINE_FRAGMENT, directives: [], selectionSet: { kind: Kind.SELECTION_SET, selections: [copy] } };
    field.list.push(place);
  },
  unknownInputField({ document, chance }) {
    const field = pick(document, chance, Kind.OBJECT_FIELD);
    if (field) field.name = name(chance.of(['noSuchField', 'eq', 'title', 'and']));
  },
  inputFieldLeftOut({ document, chance }) {
    const object = pick(document, chance, Kind.OBJECT);
    object?.fields.splice(chance.below(object.fields.length), 1);
  },
  inputFieldTwice({ document, chance }) {
    const field = entry(document, chance, Kind.OBJECT_FIELD);
    field?.list?.push(structuredClone(field.node));
  },
  anotherOperation({ document, chance }) {
    const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
    const copy = structuredClone(operation);
    if (chance.happens(0.6)) copy.name = name(chance.of(['Q', 'Other']));
    document.definitions.push(copy);
  },
  anotherKindOfOperation({ document, chance }) {
    const operation = pick(document, chance, Kind.OPERATION_DEFINITION);
    operation.operation = chance.of(['query', 'subscription']);
  },
  twoRootsOfASubscription({ document, chance }) {
    const operation = pick(document, chance, Kind.OPERATION_DEFINITION);
    const [root] = operation.selectionSet.selections;
    if (root.kind === Kind.FIELD) operation.selectionSet.selections.push({ ...structuredClone(root), alias: name('again') });
  },
  definitionOfAType({ document, chance }) {
    const field = { kind: Kind.FIELD_DEFINITION, name: name('a'), arguments: [], type: named('Int'), directives: [] };
    document.definitions.push({ kind: chance.of([Kind.OBJECT_TYPE_DEFINITION, Kind.OBJECT_TYPE_EXTENSION]), name: name('Goal'), interfaces: [], directives: [], fields: [field] });
  },
  wrongVariable({ chance, variables, document }) {
    const definition = pick(document, chance, Kind.VARIABLE_DEFINITION);
    if (!definition) return;
    variables[definition.variable.name.value] = chance.of([null, 1, 1.5, 'text', true, [], {}, [null], [[1]], { noSuchField: 1 }, 2147483648, -1, ...Object.values(SAMPLES).flatMap(({ right, wrong }) => [...right, ...wrong])]);
  },
  variableAbsent({ chance, variables }) {
    const names = Object.keys(variables);
    if (names.length > 0) delete variables[chance.of(names)];
  },
  variableUnknown({ variables }) {
    variables.nobodyAskedForIt = { deep: [1, { x: null }] };
  },
  deepWrong({ chance, variables }) {
    const objects = [];
    const walk = (value) => {
      if (value === null || typeof value !== 'object') return;
      objects.push(value);
      Object.values(value).forEach(walk);
    };
    walk(variables);
    const object = chance.of(objects);
    const key = object && chance.of(Object.keys(object));
    if (key !== undefined) object[key] = chance.of([null, 1, 'text', [], {}, { x: 1 }, 'NO_SUCH_VALUE', 1.5]);
  },
};

function entry(document, chance, ...kinds) {
  return chance.of(nodes(document, ...kinds));
}

function pick(document, chance, ...kinds) {
  return entry(document, chance, ...kinds)?.node;
}

/** The names of the faults. */
export const FAULT_NAMES = Object.keys(FAULTS);

/** Puts one fault into a document or its variables. */
export function damage(fault, context) {
  FAULTS[fault](context);
}

const PIECES = ['{', '}', '(', ')', '[', ']', ':', '!', '$', '@', '...', '|', '&', '=', '"', '"""', '#', ',', '\ufeff', '0', '00', '1.', '.5', '1e', '0x1', '-', '1a', 'on', 'null', 'true', 'fragment', 'query', 'é', '\\', '\n', '..', '?', '%', '12345678901234567890'];

/** Changes a document's text: a piece more, less or twice. */
export function damageText(text, chance) {
  const at = chance.below(text.length + 1);
  switch (chance.below(5)) {
    case 0:
      return text.slice(0, at) + chance.of(PIECES) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + chance.below(3));
    case 2:
      return text.slice(0, at);
    case 3: {
      const end = at + chance.below(10);
      return text.slice(0, end) + text.slice(at, end) + text.slice(end);
    }
    default:
      return text.replace(/"([^"\\\n]*)"/, () => `"${chance.of(['\\u00fc', '\\ud83d\\udc69', '\\u{1F469}', '\\ud83d', '\\udc69\\ud83d', '\\u{110000}', '\\u{D800}', '\\x41', '\\u12', '\\u{}', '\\n\\t\\/\\b\\f\\r', '\\q', 'tab\there', '"" ""', '""block \\""" end""'])}"`);
  }
}
