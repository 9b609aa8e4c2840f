//! What an operation selects, and what is therefore read of each table.

use super::{
    object,
    row_type::{Field as How, RowType},
};
use crate::store::Columns;
use async_graphql::{
    Context, Name, Positioned,
    parser::types::{Field, Selection, SelectionSet},
};
use entity::{Column, Table};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// What an operation selects, by name wherever it does, and what is therefore read of each table.
#[derive(Default)]
pub(crate) struct Selected {
    names: OnceLock<HashSet<Name>>,
    tables: Mutex<HashMap<Table, Read>>,
}

/// What an operation reads of a table's rows.
#[derive(Clone)]
pub(super) struct Read {
    /// The same everywhere in the operation, so that a row that was read is not read again.
    pub(super) columns: Arc<Columns>,
    /// The large columns that it shows somewhere.
    pub(super) large: Arc<[&'static Column]>,
}

impl Selected {
    /// What the operation reads of rows of a type.
    pub(super) fn read(ctx: &Context<'_>, row_type: &'static RowType) -> Read {
        let Some(selected) = ctx.data_opt::<Self>() else {
            return Read {
                columns: Columns::ordinary(row_type.shape()),
                large: Arc::default(),
            };
        };
        let names = selected.names.get_or_init(|| {
            let mut names = HashSet::new();
            let operation = &ctx.query_env.operation.node.selection_set.node;
            let fragments = ctx.query_env.fragments.values();
            let fragments = fragments.map(|fragment| &fragment.node.selection_set.node);
            fragments
                .chain([operation])
                .for_each(|set| collect(set, &mut names));
            names
        });
        let mut tables = { selected.tables.lock() }.unwrap_or_else(PoisonError::into_inner);
        let read = tables.entry(row_type.shape().table);
        read.or_insert_with(|| row_type.read(names)).clone()
    }
}

fn collect(set: &SelectionSet, names: &mut HashSet<Name>) {
    for selection in &set.items {
        let below = match &selection.node {
            Selection::Field(field) => {
                names.insert(field.node.name.node.clone());
                &field.node.selection_set.node
            }
            Selection::InlineFragment(fragment) => &fragment.node.selection_set.node,
            // Each fragment is walked once, however often it is spread.
            Selection::FragmentSpread(_) => continue,
        };
        collect(below, names);
    }
}

impl RowType {
    /// What of the rows is read in an operation that selects these fields, wherever it does. What is computed from a row may
    /// need any of its columns.
    fn read(&self, selected: &HashSet<Name>) -> Read {
        let (shape, mut columns, mut is_whole) = (self.shape(), HashSet::new(), false);
        let mut large = Vec::new();
        for name in selected {
            match self.field(name) {
                Some(How::Plain(column, _)) => {
                    columns.insert(*column);
                }
                Some(How::Relation(relation)) => {
                    columns.insert(relation.ours);
                }
                Some(How::Large) => large.extend(shape.field(name)),
                Some(How::Own) => is_whole = true,
                None => {}
            }
        }
        // The same selection is the same statement, which stays prepared.
        large.sort_by_key(|column: &&Column| column.index);
        Read {
            columns: match is_whole {
                true => Columns::ordinary(shape),
                false => Columns::new(shape, |column| columns.contains(column)),
            },
            large: large.into(),
        }
    }
}

/// The selections of the rows that a connection is of.
pub(super) fn of_rows<'a>(ctx: &Context<'a>, row_type: &RowType) -> Vec<&'a SelectionSet> {
    let mut rows = Vec::new();
    let below = |field: &'a Positioned<Field>| &field.node.selection_set.node;
    let connection = row_type.connection_name();
    for field in object::selected(ctx, &connection, &[below(ctx.item)]) {
        match field.node.name.node.as_str() {
            "nodes" => rows.push(below(field)),
            "edges" => {
                let fields = object::selected(ctx, &row_type.edge_name(), &[below(field)]);
                let nodes = fields
                    .into_iter()
                    .filter(|field| field.node.name.node == "node");
                rows.extend(nodes.map(below));
            }
            _ => {}
        }
    }
    rows
}

/// The large columns that are selected of rows, and not of rows of other types beside them: all of the rows show them, so
/// they come with the rows.
pub(super) fn large_selected<'a>(
    ctx: &Context<'a>,
    row_type: &RowType,
    read: &Read,
    rows: impl FnOnce() -> Vec<&'a SelectionSet>,
) -> Vec<&'static Column> {
    // Most operations read none.
    if read.large.is_empty() {
        return Vec::new();
    }
    let fields = object::selected(ctx, row_type.name(), &rows());
    let is_selected = |column: &&'static Column| {
        let mut fields = fields.iter();
        fields.any(|field| field.node.name.node == column.field)
    };
    read.large.iter().copied().filter(is_selected).collect()
}
