// Documents that are right: walks through the schema, with arguments, variables, fragments, directives and aliases.

import {
  Kind,
  OperationTypeNode,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  parseType,
} from 'graphql';
import { SAMPLES } from './scalars.mjs';

/** What the server runs for everyone; it is left out, because a document that is right would be carried out. */
const PUBLIC = new Set(['signIn', 'refreshSession', 'signOut']);
/** Documents stay far below the server's limits, which are another test's matter. */
const DEPTH = 6;
const ROOTS = 3;

const name = (value) => ({ kind: Kind.NAME, value });

/** The literal of a plain value, whatever it is. */
export function literal(value) {
  if (value === null) return { kind: Kind.NULL };
  if (Array.isArray(value)) return { kind: Kind.LIST, values: value.map(literal) };
  switch (typeof value) {
    case 'boolean':
      return { kind: Kind.BOOLEAN, value };
    case 'string':
      return { kind: Kind.STRING, value, block: false };
    case 'number':
    case 'bigint': {
      const text = String(value);
      return Number.isInteger(Number(value)) && !/[e.]/.test(text) ? { kind: Kind.INT, value: text } : { kind: Kind.FLOAT, value: text };
    }
    default: {
      const fields = Object.entries(value).map(([key, inner]) => ({ kind: Kind.OBJECT_FIELD, name: name(key), value: literal(inner) }));
      return { kind: Kind.OBJECT, fields };
    }
  }
}

/** One request that a client could send: a document, the operation it names, and variables. */
export class Documents {
  constructor(schema, chance) {
    this.schema = schema;
    this.chance = chance;
  }

  /** A document as a tree, with the variables for it. */
  next() {
    this.definitions = [];
    this.values = {};
    this.fragments = [];
    this.aliases = 0;
    const kind = this.chance.happens(0.15) ? OperationTypeNode.MUTATION : this.chance.happens(0.1) ? OperationTypeNode.SUBSCRIPTION : OperationTypeNode.QUERY;
    const roots = kind === OperationTypeNode.SUBSCRIPTION ? 1 : 1 + this.chance.below(ROOTS);
    const selectionSet = this.selection(this.schema.getRootType(kind), DEPTH, roots, kind !== OperationTypeNode.SUBSCRIPTION);
    const operation = {
      kind: Kind.OPERATION_DEFINITION,
      operation: kind,
      name: this.chance.happens(0.7) || kind !== OperationTypeNode.QUERY ? name('Q') : undefined,
      variableDefinitions: this.definitions,
      directives: [],
      selectionSet,
    };
    const definitions = this.chance.happens(0.5) ? [operation, ...this.fragments] : [...this.fragments, operation];
    return { document: { kind: Kind.DOCUMENT, definitions }, variables: this.values };
  }

  selection(type, depth, most = 4, mayVary = true) {
    const fields = isAbstractType(type) && !type.getFields ? [] : Object.values(type.getFields()).filter((field) => !PUBLIC.has(field.name));
    const usable = depth > 1 ? fields : fields.filter((field) => isLeafType(getNamedType(field.type)) && !field.args.some(isRequiredArgument));
    const selections = [];
    const names = new Set();
    const count = mayVary ? 1 + this.chance.below(most) : 1;
    for (let i = 0; i < count && usable.length > 0; i += 1) {
      const field = this.chance.of(usable);
      const alias = names.has(field.name) || this.chance.happens(0.1) ? `a${(this.aliases += 1)}` : undefined;
      names.add(alias ?? field.name);
      selections.push(this.field(field, alias, depth, mayVary));
    }
    if (selections.length === 0) selections.push({ kind: Kind.FIELD, name: name('__typename'), arguments: [], directives: [] });
    const all = { kind: Kind.SELECTION_SET, selections };
    if (!mayVary) return all;
    if (this.chance.happens(0.12)) {
      return { kind: Kind.SELECTION_SET, selections: [this.inline(type, depth, all)] };
    }
    if (this.chance.happens(0.12) && this.fragments.length < 8) {
      const fragment = `F${this.fragments.length}`;
      this.fragments.push({
        kind: Kind.FRAGMENT_DEFINITION,
        name: name(fragment),
        typeCondition: { kind: Kind.NAMED_TYPE, name: name(type.name) },
        directives: [],
        selectionSet: all,
      });
      const spread = { kind: Kind.FRAGMENT_SPREAD, name: name(fragment), directives: this.directives() };
      return { kind: Kind.SELECTION_SET, selections: this.chance.happens(0.3) ? [spread, spread] : [spread] };
    }
    return all;
  }

  inline(type, depth, selectionSet) {
    if (isAbstractType(type) && depth > 1) {
      const possible = this.chance.of(this.schema.getPossibleTypes(type));
      return { kind: Kind.INLINE_FRAGMENT, typeCondition: { kind: Kind.NAMED_TYPE, name: name(possible.name) }, directives: [], selectionSet: this.selection(possible, depth - 1) };
    }
    const typeCondition = this.chance.happens(0.5) ? { kind: Kind.NAMED_TYPE, name: name(type.name) } : undefined;
    return { kind: Kind.INLINE_FRAGMENT, typeCondition, directives: this.directives(), selectionSet };
  }

  field(field, alias, depth, mayVary) {
    const type = getNamedType(field.type);
    return {
      kind: Kind.FIELD,
      alias: alias && name(alias),
      name: name(field.name),
      arguments: field.args
        .filter((argument) => isRequiredArgument(argument) || this.chance.happens(0.3))
        .map((argument) => ({ kind: Kind.ARGUMENT, name: name(argument.name), value: this.value(argument, 3) })),
      directives: mayVary ? this.directives() : [],
      selectionSet: isLeafType(type) ? undefined : this.selection(type, depth - 1),
    };
  }

  directives() {
    if (!this.chance.happens(0.08)) return [];
    const condition = this.schema.getDirective('include').args[0];
    const value = this.chance.happens(0.5) ? this.variable(condition.type, this.chance.happens(0.5)) : literal(this.chance.happens(0.5));
    return [{ kind: Kind.DIRECTIVE, name: name(this.chance.of(['skip', 'include'])), arguments: [{ kind: Kind.ARGUMENT, name: name('if'), value }] }];
  }

  /** What an argument or an input's field is given. */
  value(place, depth) {
    if (this.chance.happens(0.25)) {
      return this.variable(place.type, this.plain(place.type, depth));
    }
    return this.literalOf(place.type, depth);
  }

  variable(type, value) {
    const variable = `v${this.definitions.length}`;
    const written = this.chance.happens(0.2) && !isNonNullType(type) ? `${type}!` : String(type);
    const usual = this.chance.happens(0.15) && value !== null ? this.asLiteral(value, type) : undefined;
    this.definitions.push({
      kind: Kind.VARIABLE_DEFINITION,
      variable: { kind: Kind.VARIABLE, name: name(variable) },
      type: parseType(written),
      defaultValue: usual,
      directives: [],
    });
    const required = written.endsWith('!');
    if (value === null && required) {
      this.values[variable] = this.plain(getNullableType(type), 3);
    } else if (required ? usual === undefined || this.chance.happens(0.5) : this.chance.happens(0.9)) {
      this.values[variable] = value;
    }
    return { kind: Kind.VARIABLE, name: name(variable) };
  }

  /** A plain value written as its type is. `astFromValue` would not do: it knows no literal for a list or an object of JSON. */
  asLiteral(value, nullable) {
    const type = getNullableType(nullable);
    if (value === null) return literal(value);
    if (isListType(type)) {
      if (!Array.isArray(value)) return this.asLiteral(value, type.ofType);
      return { kind: Kind.LIST, values: value.map((item) => this.asLiteral(item, type.ofType)) };
    }
    if (isEnumType(type)) return { kind: Kind.ENUM, value };
    if (!isInputObjectType(type)) return literal(value);
    const written = ([field, inner]) => ({ kind: Kind.OBJECT_FIELD, name: name(field), value: this.asLiteral(inner, type.getFields()[field].type) });
    return { kind: Kind.OBJECT, fields: Object.entries(value).map(written) };
  }

  /** A value that fits a type. */
  plain(type, depth) {
    if (isNonNullType(type)) return this.plain(type.ofType, depth);
    if (isListType(type)) {
      // One item may stand for a list of one.
      if (this.chance.happens(0.1)) return this.plain(getNullableType(type.ofType), depth);
      return Array.from({ length: depth > 0 ? this.chance.below(3) : 0 }, () => this.plain(getNullableType(type.ofType), depth - 1));
    }
    if (isEnumType(type)) return this.chance.of(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = this.fieldsOf(type, depth);
      return Object.fromEntries(fields.map((field) => [field.name, this.plain(getNullableType(field.type), depth - 1)]));
    }
    return this.chance.of(SAMPLES[type.name].right);
  }

  fieldsOf(type, depth) {
    const fields = Object.values(type.getFields());
    const chosen = fields.filter((field) => isRequiredInputField(field) || (depth > 0 && this.chance.happens(2 / fields.length)));
    if (!type.isOneOf) return chosen;
    return [this.chance.of(fields)];
  }

  literalOf(type, depth) {
    if (isNonNullType(type)) return this.literalOf(type.ofType, depth);
    if (isListType(type)) {
      const length = depth > 0 ? this.chance.below(3) : 0;
      return { kind: Kind.LIST, values: Array.from({ length }, () => this.value({ type: type.ofType }, depth - 1)) };
    }
    if (isEnumType(type)) return { kind: Kind.ENUM, value: this.chance.of(type.getValues()).name };
    if (isInputObjectType(type)) {
      const fields = this.fieldsOf(type, depth).map((field) => ({ kind: Kind.OBJECT_FIELD, name: name(field.name), value: this.value(field, depth - 1) }));
      return { kind: Kind.OBJECT, fields };
    }
    return literal(this.chance.of(SAMPLES[type.name].right));
  }
}
