//! The one walk over a document: each operation and each fragment is walked once, by itself.
//!
//! What a fragment asks for is added where it is spread, from the innermost out, so that the work is that of the document's
//! length, however often fragments are spread.

use super::{
    conditions::{Conditions, is_filter},
    literals::{Literals, Usage, key},
    price::{Count, Field, Part},
    refusal::Faults,
    shapes::{Shape, Shapes, Times},
};
use crate::graph::PUBLIC;
use apollo_compiler::{
    Name, Node, Schema,
    ast::Value as Literal,
    executable::{self, Argument, DirectiveList, FragmentMap, Selection, SelectionSet},
};
use std::collections::HashSet;

/// How much a selection asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Fields, and what they are gathered in: spreads and inline fragments.
    pub(super) fields: u64,
    /// How deep fields lie within each other.
    pub(super) depth: u64,
    /// How deep selections lie within each other.
    pub(super) nesting: u64,
    pub(super) aliases: u64,
    pub(super) directives: u64,
    /// Fields of this level itself.
    pub(super) roots: u64,
    /// Questions about the schema, and how deep lists lie within each other in one.
    pub(super) questions: u64,
    pub(super) lists: u64,
    /// Whether the fields of this level are all for everyone.
    pub(super) public: bool,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            fields: 0,
            depth: 0,
            nesting: 0,
            aliases: 0,
            directives: 0,
            roots: 0,
            questions: 0,
            lists: 0,
            public: true,
        }
    }
}

/// A place in a selection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    depth: u64,
    nesting: u64,
    lists: u64,
}

impl Size {
    /// Adds what a fragment asks for where it is spread.
    pub(super) fn spread(&mut self, at: Place, fragment: Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.fields, fragment.fields);
        add(&mut self.aliases, fragment.aliases);
        add(&mut self.directives, fragment.directives);
        add(&mut self.questions, fragment.questions);
        self.depth = self.depth.max(at.depth + fragment.depth);
        self.nesting = self.nesting.max(at.nesting + fragment.nesting);
        self.lists = self.lists.max(at.lists + fragment.lists);
        if at.depth == 0 {
            add(&mut self.roots, fragment.roots);
            self.public &= fragment.public;
        }
    }
}

/// What one operation or fragment says by itself.
pub(super) struct Outline {
    pub(super) size: Size,
    /// The fragments it spreads, by their numbers.
    pub(super) spreads: Vec<(usize, Place)>,
    pub(super) usages: HashSet<Usage>,
    pub(super) parts: Vec<Part>,
    /// How much of it there is to look at.
    pub(super) work: u64,
}

/// What a walk needs to know.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    pub(super) schema: &'k Schema,
    pub(super) shapes: &'k Shapes,
    pub(super) fragments: &'k FragmentMap,
}

impl Outline {
    /// Walks an operation.
    pub(super) fn of_operation(
        operation: &executable::Operation,
        known: Known<'_>,
        faults: &mut Faults,
    ) -> Self {
        let mut walk = Walk::new(known, faults);
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                walk.literals.look(default, &variable.ty, walk.faults);
            }
            walk.directives(&variable.directives);
        }
        walk.directives(&operation.directives);
        walk.finish(&operation.selection_set)
    }

    /// Walks a fragment.
    pub(super) fn of_fragment(
        fragment: &executable::Fragment,
        known: Known<'_>,
        faults: &mut Faults,
    ) -> Self {
        let mut walk = Walk::new(known, faults);
        walk.directives(&fragment.directives);
        walk.finish(&fragment.selection_set)
    }
}

struct Walk<'k, 'f> {
    known: Known<'k>,
    literals: Literals<'k>,
    faults: &'f mut Faults,
    size: Size,
    spreads: Vec<(usize, Place)>,
}

impl<'k, 'f> Walk<'k, 'f> {
    fn new(known: Known<'k>, faults: &'f mut Faults) -> Self {
        Self {
            known,
            literals: Literals::new(known.schema),
            faults,
            size: Size::default(),
            spreads: Vec::new(),
        }
    }

    fn finish(mut self, set: &SelectionSet) -> Outline {
        let mut parts = Vec::with_capacity(set.selections.len());
        self.selection(set, Place::default(), &mut parts);
        Outline {
            work: self.size.fields + self.size.directives + self.literals.count,
            size: self.size,
            spreads: self.spreads,
            usages: self.literals.usages,
            parts,
        }
    }

    /// Its recursion is bounded by the nesting of brackets in the text.
    fn selection(&mut self, set: &SelectionSet, at: Place, parts: &mut Vec<Part>) {
        for selection in &set.selections {
            self.size.fields += 1;
            self.size.nesting = self.size.nesting.max(at.nesting + 1);
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    let field = self.field(field, &set.ty, at);
                    parts.push(Part::Field(Box::new(field)));
                }
                Selection::InlineFragment(fragment) => {
                    let nesting = at.nesting + 1;
                    self.selection(&fragment.selection_set, Place { nesting, ..at }, parts);
                }
                Selection::FragmentSpread(spread) => {
                    // The validator refuses an unknown one.
                    let fragments = self.known.fragments;
                    if let Some(number) = fragments.get_index_of(&spread.fragment_name) {
                        let nesting = at.nesting + 1;
                        self.spreads.push((number, Place { nesting, ..at }));
                        parts.push(Part::Fragment(number));
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Node<executable::Field>, of: &Name, at: Place) -> Field {
        let name = field.name.as_str();
        let is_list = of.starts_with("__") && field.definition.ty.is_list();
        let within = Place {
            depth: at.depth + 1,
            nesting: at.nesting + 1,
            lists: at.lists + u64::from(is_list),
        };
        self.size.depth = self.size.depth.max(within.depth);
        self.size.lists = self.size.lists.max(within.lists);
        self.size.aliases += u64::from(field.alias.is_some());
        self.size.questions += u64::from(matches!(name, "__schema" | "__type"));
        if at.depth == 0 {
            self.size.roots += 1;
            self.size.public &= PUBLIC.contains(&name);
        }
        let mut conditions = Conditions::default();
        for argument in &field.arguments {
            let Some(declared) = field.definition.argument_by_name(&argument.name) else {
                continue;
            };
            self.literals.given(&argument.value, declared, self.faults);
            if is_filter(&declared.ty) {
                conditions = Conditions::of(&argument.value, &declared.ty, self.known.schema);
            }
        }
        let mut parts = Vec::with_capacity(field.selection_set.selections.len());
        self.selection(&field.selection_set, within, &mut parts);
        let count = |name: &str| count(&field.arguments, name);
        Field {
            shown: key(field.response_key()),
            shape: self.known.shapes.field(of, name).copied().unwrap_or(ONE),
            first: count("first"),
            last: count("last"),
            ids: count("ids"),
            conditions,
            parts,
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        self.size.directives += directives.len() as u64;
        for directive in directives.iter() {
            let definition = self.known.schema.directive_definitions.get(&directive.name);
            for argument in &directive.arguments {
                let declared = definition.and_then(|known| known.argument_by_name(&argument.name));
                if let Some(declared) = declared {
                    self.literals.given(&argument.value, declared, self.faults);
                }
            }
        }
    }
}

/// A field of which nothing else is known: one value.
const ONE: Shape = Shape {
    times: Times::Fixed(1),
    page: Times::Fixed(1),
    rows: false,
    extra: 0,
};

fn count(arguments: &[Node<Argument>], name: &str) -> Option<Count> {
    let argument = arguments.iter().find(|argument| argument.name == name)?;
    match &*argument.value {
        Literal::Variable(name) => Some(Count::Variable(key(name))),
        Literal::Int(number) => number.as_str().parse().ok().map(Count::Literal),
        Literal::List(items) => Some(Count::Literal(items.len() as u64)),
        _ => None,
    }
}
