//! A judged document, as the executor takes it. It is made of what the judge read, so that no other parser reads the text
//! in another way.

use super::{
    literals::{constant, key},
    places::Places,
};
use apollo_compiler::{
    Name, Node,
    ast::{Type as Declared, Value as Literal},
    executable::{self as judged, DirectiveList, OperationType as Kind},
    parser::SourceSpan,
};
use async_graphql::{
    Name as Key, Positioned,
    parser::types::{
        BaseType, Directive, Field, FragmentDefinition, FragmentSpread, InlineFragment,
        OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeCondition,
        VariableDefinition,
    },
};
use async_graphql_value::Value;

/// Writes what was judged in the executor's types.
pub(super) struct Writer<'p> {
    pub(super) places: &'p Places,
}

/// Reads, writes or subscribes.
pub(super) fn kind(kind: Kind) -> OperationType {
    match kind {
        Kind::Query => OperationType::Query,
        Kind::Mutation => OperationType::Mutation,
        Kind::Subscription => OperationType::Subscription,
    }
}

/// Leaves out the arguments whose variable was not sent, so that their defaults count (6.4.1): the executor would take
/// them for null.
pub(super) fn leave_out(set: &mut SelectionSet, absent: &dyn Fn(&Key) -> bool) {
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) => {
                let field = &mut field.node;
                field.arguments.retain(|(_, value)| match &value.node {
                    Value::Variable(name) => !absent(name),
                    _ => true,
                });
                leave_out(&mut field.selection_set.node, absent);
            }
            Selection::InlineFragment(fragment) => {
                leave_out(&mut fragment.node.selection_set.node, absent);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

impl Writer<'_> {
    /// An operation.
    pub(super) fn operation(
        &self,
        operation: &Node<judged::Operation>,
    ) -> Positioned<OperationDefinition> {
        let variables = operation.variables.iter().map(|variable| {
            let default = variable.default_value.as_ref();
            let definition = VariableDefinition {
                name: self.name(&variable.name),
                var_type: self.placed(declared(&variable.ty), variable.ty.location()),
                directives: self.directives(&variable.directives),
                default_value: default.map(|value| self.placed(constant(value), value.location())),
            };
            self.placed(definition, variable.location())
        });
        let definition = OperationDefinition {
            ty: kind(operation.operation_type),
            variable_definitions: variables.collect(),
            directives: self.directives(&operation.directives),
            selection_set: self.selection(&operation.selection_set, operation.location()),
        };
        self.placed(definition, operation.location())
    }

    /// A fragment.
    pub(super) fn fragment(
        &self,
        fragment: &Node<judged::Fragment>,
    ) -> Positioned<FragmentDefinition> {
        let definition = FragmentDefinition {
            type_condition: self.on(fragment.type_condition()),
            directives: self.directives(&fragment.directives),
            selection_set: self.selection(&fragment.selection_set, fragment.location()),
        };
        self.placed(definition, fragment.location())
    }

    fn selection(
        &self,
        set: &judged::SelectionSet,
        at: Option<SourceSpan>,
    ) -> Positioned<SelectionSet> {
        let items = set.selections.iter().map(|selection| match selection {
            judged::Selection::Field(field) => {
                let written = Field {
                    alias: field.alias.as_ref().map(|alias| self.name(alias)),
                    name: self.name(&field.name),
                    arguments: self.arguments(&field.arguments),
                    directives: self.directives(&field.directives),
                    selection_set: self.selection(&field.selection_set, field.location()),
                };
                let at = field.location();
                self.placed(Selection::Field(self.placed(written, at)), at)
            }
            judged::Selection::FragmentSpread(spread) => {
                let written = FragmentSpread {
                    fragment_name: self.name(&spread.fragment_name),
                    directives: self.directives(&spread.directives),
                };
                let at = spread.location();
                self.placed(Selection::FragmentSpread(self.placed(written, at)), at)
            }
            judged::Selection::InlineFragment(fragment) => {
                let on = fragment.type_condition.as_ref();
                let written = InlineFragment {
                    type_condition: on.map(|on| self.on(on)),
                    directives: self.directives(&fragment.directives),
                    selection_set: self.selection(&fragment.selection_set, fragment.location()),
                };
                let at = fragment.location();
                self.placed(Selection::InlineFragment(self.placed(written, at)), at)
            }
        });
        let items = items.collect();
        self.placed(SelectionSet { items }, at)
    }

    fn on(&self, name: &Name) -> Positioned<TypeCondition> {
        let on = self.name(name);
        Positioned::new(TypeCondition { on }, self.places.of_span(name.location()))
    }

    fn directives(&self, directives: &DirectiveList) -> Vec<Positioned<Directive>> {
        let directives = directives.iter().map(|directive| {
            let written = Directive {
                name: self.name(&directive.name),
                arguments: self.arguments(&directive.arguments),
            };
            self.placed(written, directive.location())
        });
        directives.collect()
    }

    fn arguments(
        &self,
        arguments: &[Node<judged::Argument>],
    ) -> Vec<(Positioned<Key>, Positioned<Value>)> {
        let arguments = arguments.iter().map(|argument| {
            let value = self.placed(value(&argument.value), argument.value.location());
            (self.name(&argument.name), value)
        });
        arguments.collect()
    }

    fn name(&self, name: &Name) -> Positioned<Key> {
        self.placed(key(name), name.location())
    }

    fn placed<T>(&self, node: T, at: Option<SourceSpan>) -> Positioned<T> {
        Positioned::new(node, self.places.of_span(at))
    }
}

fn declared(declared: &Declared) -> Type {
    let base = match declared {
        Declared::Named(name) | Declared::NonNullNamed(name) => BaseType::Named(key(name)),
        Declared::List(item) | Declared::NonNullList(item) => {
            BaseType::List(Box::new(self::declared(item)))
        }
    };
    let nullable = !declared.is_non_null();
    Type { base, nullable }
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Variable(name) => Value::Variable(key(name)),
        Literal::List(items) => Value::List(items.iter().map(|item| value(item)).collect()),
        Literal::Object(fields) => {
            let fields = fields.iter().map(|(name, inner)| (key(name), value(inner)));
            Value::Object(fields.collect())
        }
        constant => self::constant(constant).into_value(),
    }
}
