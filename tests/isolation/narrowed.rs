//! Lists as they can be narrowed and turned: filters with values of rows that the caller does not see, orders, and
//! cursors of such rows.

use super::{
    asks::{Effort, View, Walker},
    oracle::{Row, Values, variable},
    walk::{Ask, Expect},
};
use crate::{
    lists::operation,
    support::{Client, Schema},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

impl<'w> Walker<'w> {
    /// Every comparison with values that only hidden rows have, and with others.
    pub(super) fn filtered(
        &self,
        view: &View<'w>,
        columns: &[(&str, &str, Values)],
        out: &mut Vec<Ask>,
    ) {
        let query: Arc<str> = operation(view.list, "totalCount").into();
        let name = &view.list.name;
        for (field, of, values) in columns {
            let here = Values::of(view.rows.iter().copied(), field, of);
            let candidates = values.hidden_first(view.caller);
            let hidden = candidates.iter().take(self.effort.values);
            for (n, value) in hidden.chain(candidates.last()).enumerate() {
                let count = here.count(value, view.caller);
                let mut ask = |filter: Value, count| {
                    let expect = Expect::Count(name.clone(), count);
                    out.push(view.ask(&query, json!({ "filter": filter }), expect));
                };
                ask(json!({ *field: { "eq": variable(value, of) } }), count);
                if n > 0 {
                    continue;
                }
                let is_there = |row: &&&Row| !row.value(field).is_null();
                let others = view.rows.iter().filter(is_there).count() - count;
                let not = json!({ *field: { "in": [variable(value, of)] } });
                ask(json!({ "not": not, *field: { "isNull": false } }), others);
                if *of == "String" && value.is_ascii() && value.len() < 200 {
                    let small = value.to_lowercase();
                    let is_in = |text: &str| text.to_lowercase().contains(&small);
                    let rows = view.rows.iter();
                    let found = rows.filter(|row| row.value(field).as_str().is_some_and(is_in));
                    ask(json!({ *field: { "contains": value } }), found.count());
                }
            }
        }
    }

    /// Filters through relations: no row that the caller sees is related to one that it does not.
    pub(super) fn related(&self, view: &View<'w>, out: &mut Vec<Ask>) {
        let query: Arc<str> = operation(view.list, "totalCount").into();
        let (name, total) = (&view.list.name, view.ids.len());
        for input in &self.schema.get(&format!("{}Filter", view.row.name)).inputs {
            let many = input.of.name.strip_suffix("ManyFilter");
            let Some(kind) = many.or(input.of.name.strip_suffix("Filter")) else {
                continue;
            };
            if ["and", "or", "not"].contains(&input.name.as_str())
                || !self.oracle.rows.contains_key(kind)
            {
                continue;
            }
            let hidden = self
                .sample(kind, view.caller)
                .into_iter()
                .filter(|row| row.seen >> view.caller & 1 == 0);
            for row in hidden.take(self.effort.values) {
                let id = json!({ "id": { "eq": row.id } });
                let asked = match many {
                    Some(_) => vec![(json!({ "some": id }), 0), (json!({ "none": id }), total)],
                    None => vec![(id, 0)],
                };
                for (filter, count) in asked {
                    let variables = json!({ "filter": { &input.name: filter } });
                    out.push(view.ask(&query, variables, Expect::Count(name.clone(), count)));
                }
            }
        }
    }

    /// Every order, and from cursors of rows that the caller does not see; every other one backwards.
    pub(super) fn ordered(&self, view: &View<'w>, out: &mut Vec<Ask>) {
        let selection = "nodes { id } pageInfo { endCursor hasNextPage }";
        let query: Arc<str> = operation(view.list, selection).into();
        let name = &view.list.name;
        let orders = &self
            .schema
            .get(&format!("{}OrderField", view.row.name))
            .values;
        for (n, order) in orders.iter().enumerate() {
            let backwards = (n + view.caller).is_multiple_of(2);
            let (size, from, direction) = match backwards {
                true => ("last", "before", "DESC"),
                false => ("first", "after", "ASC"),
            };
            let by = json!([{ "field": order.name, "direction": direction }]);
            let expect = Expect::Rows(name.clone(), view.ids.clone(), 60);
            out.push(view.ask(&query, json!({ size: 60, "orderBy": by }), expect));
            let cursors = self.cursors.get(&(name.clone(), order.name.clone()));
            let is_hidden = |(id, _): &&(String, String)| !view.ids.contains(id);
            for (_, cursor) in cursors.into_iter().flatten().filter(is_hidden).take(1) {
                let by = json!([{ "field": order.name }]);
                let variables = json!({ size: 20, from: cursor, "orderBy": by });
                let expect = Expect::Within(name.clone(), view.ids.clone());
                out.push(view.ask(&query, variables, expect));
            }
        }
    }
}

/// The cursors of some rows of every list in every order, as the owner has them.
pub async fn cursors(
    owner: &Client,
    schema: &Schema,
    effort: Effort,
) -> BTreeMap<(String, String), Vec<(String, String)>> {
    let mut out = BTreeMap::new();
    for (list, row) in schema.lists().filter(|(_, row)| effort.walks(row)) {
        let query = operation(list, "edges { cursor node { id } }");
        for order in &schema.get(&format!("{}OrderField", row.name)).values {
            let variables = json!({ "first": 60, "orderBy": [{ "field": order.name }] });
            let data = owner.data(&query, variables).await;
            let edges = data[&list.name]["edges"].as_array().expect("edges").iter();
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let cursors = edges.map(|edge| (text(&edge["node"]["id"]), text(&edge["cursor"])));
            let of = (list.name.clone(), order.name.clone());
            out.insert(of, cursors.collect());
        }
    }
    out
}
