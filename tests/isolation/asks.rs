//! All that is asked: made up from the schema, with the ids, values and words of rows that the caller does not see.

use super::{
    callers::Caller,
    oracle::{Oracle, Row, Values},
    policy::See,
    walk::{Ask, Expect},
};
use crate::{
    lists::operation,
    support::{Field, Schema, Type},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How much is tried.
#[derive(Clone, Copy)]
pub struct Effort {
    /// The kinds of rows whose lists are walked; all if there are none.
    pub kinds: &'static [&'static str],
    /// Of each kind, so many rows that are hidden, and half as many that are seen or another tenant's.
    pub rows: usize,
    /// Of each column, so many values that only hidden rows have.
    pub values: usize,
    /// So many words that only hidden rows have.
    pub words: usize,
}

/// When an agent's token was last used: the walk itself uses them.
const CHANGING: &str = "lastUsedAt";

impl Effort {
    pub(super) fn walks(self, row: &Type) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&row.name.as_str())
    }
}

/// What is asked is made up of.
pub struct Walker<'w> {
    pub schema: &'w Schema,
    pub oracle: &'w Oracle,
    pub callers: &'w [Caller],
    pub effort: Effort,
    /// The cursors of rows as the owner has them, by list and order.
    pub cursors: &'w BTreeMap<(String, String), Vec<(String, String)>>,
}

/// One list as one caller sees it.
pub(super) struct View<'w> {
    pub(super) list: &'w Field,
    pub(super) row: &'w Type,
    pub(super) caller: usize,
    see: See,
    /// The project that costs are asked of.
    project: Option<String>,
    pub(super) rows: Vec<&'w Row>,
    pub(super) ids: Arc<BTreeSet<String>>,
}

impl View<'_> {
    pub(super) fn ask(&self, query: &Arc<str>, variables: Value, expect: Expect) -> Ask {
        let name = &self.list.name;
        let expect = if self.see == See::None {
            Expect::Forbidden(name.clone())
        } else {
            expect
        };
        Ask {
            caller: self.caller,
            project: self.project.clone(),
            query: query.clone(),
            variables,
            expect,
        }
    }
}

impl<'w> Walker<'w> {
    /// All of it.
    pub fn asks(&self) -> Vec<Ask> {
        let mut out = Vec::new();
        for (list, row) in self
            .schema
            .lists()
            .filter(|(_, row)| self.effort.walks(row))
        {
            let columns = self.columns(row);
            for caller in 0..self.callers.len() {
                let view = self.view(list, row, caller);
                self.whole(&view, &mut out);
                self.single(&view, &mut out);
                self.filtered(&view, &columns, &mut out);
                self.related(&view, &mut out);
                self.ordered(&view, &mut out);
            }
        }
        for caller in 0..self.callers.len() {
            self.searched(caller, &mut out);
            self.summed(caller, &mut out);
        }
        out
    }

    fn view(&self, list: &'w Field, row: &'w Type, caller: usize) -> View<'w> {
        let who = &self.callers[caller];
        let see = self.oracle.policy.see(&row.name, who.role);
        let mut rows: Vec<_> = self
            .oracle
            .of(&row.name, &who.tenant)
            .filter(|row| row.seen >> caller & 1 == 1)
            .collect();
        let mut project = None;
        if see == See::OfProject {
            project = rows
                .iter()
                .find_map(|row| row.text("projectId"))
                .map(str::to_owned);
            rows.retain(|row| row.text("projectId") == project.as_deref());
        }
        let ids = Arc::new(rows.iter().map(|row| row.id.clone()).collect());
        View {
            list,
            row,
            caller,
            see,
            project,
            rows,
            ids,
        }
    }

    /// The fields that can be compared, the type they are compared as, and the values they have.
    fn columns(&self, row: &Type) -> Vec<(&'w str, &'w str, Values)> {
        let tenant = &self.callers[0].tenant;
        let filter = self.schema.get(&format!("{}Filter", row.name));
        let compared = filter
            .inputs
            .iter()
            .filter(|input| input.name != CHANGING)
            .filter_map(|input| {
                let of = self
                    .schema
                    .get(&input.of.name)
                    .inputs
                    .iter()
                    .find(|operator| operator.name == "eq")?;
                let here = self.oracle.of(&row.name, tenant);
                Some((
                    input.name.as_str(),
                    of.of.name.as_str(),
                    Values::of(here, &input.name, &of.of.name),
                ))
            });
        compared.collect()
    }

    /// The list page by page with all its plain fields, its count, and every relation of its rows.
    fn whole(&self, view: &View<'w>, out: &mut Vec<Ask>) {
        let (list, name) = (view.list, view.list.name.clone());
        let count: Arc<str> = operation(list, "totalCount").into();
        out.push(view.ask(
            &count,
            json!({}),
            Expect::Count(name.clone(), view.ids.len()),
        ));
        let leaves: Vec<_> = view.row.leaves().map(|field| field.name.as_str()).collect();
        let plain: Arc<str> = operation(list, &format!("nodes {{ {} }}", leaves.join(" "))).into();
        for end in ["first", "last"] {
            out.push(view.ask(
                &plain,
                json!({ end: 60 }),
                Expect::Rows(name.clone(), view.ids.clone(), 60),
            ));
        }
        for relation in view.row.fields.iter().filter(|field| !field.of.is_leaf()) {
            let selection = if let Some(row) = self.schema.row_type(relation) {
                format!(
                    "{}(first: 6) {{ totalCount nodes {{ {} }} }}",
                    relation.name,
                    first_leaves(row)
                )
            } else if relation.of.name == "Node" || self.schema.get(&relation.of.name).is_node() {
                format!("{} {{ id }}", relation.name)
            } else if relation.args.iter().any(|argument| argument.of.required) {
                continue;
            } else {
                format!(
                    "{} {{ __typename {} }}",
                    relation.name,
                    first_leaves(self.schema.get(&relation.of.name))
                )
            };
            let query: Arc<str> = operation(list, &format!("nodes {{ id {selection} }}")).into();
            for end in ["first", "last"] {
                out.push(view.ask(&query, json!({ end: 10 }), Expect::Anything));
            }
        }
    }

    /// Rows by their ids: hidden ones, seen ones, and those of the other tenant.
    fn single(&self, view: &View<'w>, out: &mut Vec<Ask>) {
        let kind = view.row.name.as_str();
        let is_single = |field: &&Field| {
            field.of.name == kind
                && field.name != "node"
                && field.args.iter().any(|argument| argument.name == "id")
        };
        let Some(single) = self.schema.queries().iter().find(is_single) else {
            return;
        };
        let one: Arc<str> =
            format!("query($id: ID!) {{ {}(id: $id) {{ id }} }}", single.name).into();
        let any: Arc<str> = "query($id: ID!) { node(id: $id) { id } }".into();
        let all: Arc<str> = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }".into();
        let sample = self.sample(kind, view.caller);
        for row in &sample {
            let (id, seen) = (row.id.clone(), row.seen >> view.caller & 1 == 1);
            let expect = |field: &str| match seen {
                true => Expect::Row(field.to_owned(), id.clone()),
                false => Expect::Null(field.to_owned()),
            };
            let alone = match view.see {
                See::None => Expect::Forbidden(single.name.clone()),
                _ => expect(&single.name),
            };
            for (query, expect) in [(&one, alone), (&any, expect("node"))] {
                let variables = json!({ "id": id });
                out.push(Ask {
                    caller: view.caller,
                    project: None,
                    query: query.clone(),
                    variables,
                    expect,
                });
            }
        }
        let listed = sample
            .iter()
            .map(|row| (row.seen >> view.caller & 1 == 1).then(|| row.id.clone()))
            .collect();
        let ids: Vec<_> = sample.iter().map(|row| &row.id).collect();
        let (variables, expect) = (
            json!({ "ids": ids }),
            Expect::Listed("nodes".into(), listed),
        );
        out.push(Ask {
            caller: view.caller,
            project: None,
            query: all,
            variables,
            expect,
        });
    }

    /// Rows of a kind that a caller does not see, some that it does, and some of the other tenant.
    pub(super) fn sample(&self, kind: &str, caller: usize) -> Vec<&'w Row> {
        let tenant = &self.callers[caller].tenant;
        let (seen, hidden): (Vec<_>, Vec<_>) = self
            .oracle
            .of(kind, tenant)
            .partition(|row| row.seen >> caller & 1 == 1);
        let is_foreign = |row: &&Row| row.tenant.as_ref().is_some_and(|of| of != tenant);
        let foreign: Vec<_> = self.oracle.rows[kind].iter().filter(is_foreign).collect();
        let spread = |rows: Vec<&'w Row>, most: usize| {
            let step = rows.len().div_ceil(most.max(1)).max(1);
            rows.into_iter().step_by(step)
        };
        let rows = self.effort.rows;
        spread(hidden, rows)
            .chain(spread(seen, rows / 2))
            .chain(spread(foreign, rows / 2))
            .collect()
    }

    /// Words that only hidden rows have, in the workspace and in each project.
    fn searched(&self, caller: usize, out: &mut Vec<Ask>) {
        let shown = &self.oracle.callers[caller].shown;
        let mut words = BTreeSet::new();
        for row in self
            .oracle
            .rows
            .values()
            .flatten()
            .filter(|row| row.seen >> caller & 1 == 0)
        {
            let texts = [
                "title",
                "name",
                "description",
                "summary",
                "message",
                "fullText",
            ];
            for text in texts.iter().filter_map(|column| row.text(column)) {
                let cut = text
                    .split(|c: char| !c.is_alphanumeric())
                    .map(str::to_lowercase);
                words.extend(cut.filter(|word| word.chars().count() > 4));
            }
        }
        let hidden = words.iter().filter(|word| !shown.contains(*word));
        let query: Arc<str> =
            "query($query: String!) { search(query: $query) { nodes { id: title node { id } } } }"
                .into();
        for word in hidden.take(self.effort.words) {
            let expect = Expect::Within("search".into(), Arc::default());
            out.push(Ask {
                caller,
                project: None,
                query: query.clone(),
                variables: json!({ "query": word }),
                expect,
            });
        }
    }

    /// What sums up: with all that can be selected without arguments, of the workspace and of each of some projects.
    fn summed(&self, caller: usize, out: &mut Vec<Ask>) {
        let tenant = &self.callers[caller].tenant;
        let projects: Vec<_> = self
            .oracle
            .of("Project", tenant)
            .take(3)
            .map(|row| row.id.as_str())
            .collect();
        for field in self.schema.queries() {
            let needs = field.args.iter().any(|argument| argument.of.required);
            // What can be scheduled and connected is the same everywhere.
            let fixed = ["scheduledJobTypes", "integrationServices"].contains(&field.name.as_str());
            if needs || fixed || self.schema.row_type(field).is_some() || field.of.is_leaf() {
                continue;
            }
            let selection = self.deep(self.schema.get(&field.of.name), 3);
            let has_project = field
                .args
                .iter()
                .any(|argument| argument.name == "projectId");
            for project in projects
                .iter()
                .filter(|_| has_project)
                .map(Some)
                .chain([None])
            {
                let arguments = project
                    .map(|id| format!("(projectId: \"{id}\")"))
                    .unwrap_or_default();
                let query = format!("{{ {}{arguments} {{ {selection} }} }}", field.name).into();
                out.push(Ask {
                    caller,
                    project: None,
                    query,
                    variables: json!({}),
                    expect: Expect::Anything,
                });
            }
        }
    }

    /// What can be selected of a type without arguments, so many levels deep, but no lists of rows.
    fn deep(&self, of: &Type, levels: usize) -> String {
        let mut out = vec!["__typename".to_owned()];
        for field in &of.fields {
            let needs = field.args.iter().any(|argument| argument.of.required);
            if needs || self.schema.row_type(field).is_some() {
                continue;
            }
            if field.of.is_leaf() {
                out.push(field.name.clone());
            } else if levels > 0 && self.schema.get(&field.of.name).is_node() {
                out.push(format!("{} {{ id }}", field.name));
            } else if levels > 0 {
                let inner = self.deep(self.schema.get(&field.of.name), levels - 1);
                out.push(format!("{} {{ {inner} }}", field.name));
            }
        }
        out.join(" ")
    }
}

/// Some of the fields that have no selection of their own.
fn first_leaves(row: &Type) -> String {
    let leaves = row.leaves().take(5).map(|field| field.name.as_str());
    leaves.collect::<Vec<_>>().join(" ")
}
