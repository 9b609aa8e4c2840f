//! What a filter means, said again in plain Rust over rows that were read: true or false, and nothing between.

use crate::{
    lists::{all, ids},
    support::{Client, Field, Schema},
};
use serde_json::{Value, json};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

/// Numbers that are the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of so many, from 0 on.
    pub fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("fits") % sides
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Everything that can be listed, as a client reads it.
pub struct World {
    tables: BTreeMap<String, Table>,
}

/// The rows of a type and what they lead to.
pub struct Table {
    pub list: Field,
    pub rows: Vec<Value>,
    columns: Vec<Column>,
    relations: Vec<Relation>,
    places: HashMap<String, usize>,
}

struct Column {
    name: String,
    comparison: String,
    operators: Vec<String>,
    values: Vec<Value>,
}

struct Relation {
    name: String,
    to: String,
    many: bool,
    /// Of each row, by its id, the rows it leads to.
    ids: HashMap<String, Vec<String>>,
}

impl World {
    /// Reads it all, but for tables that have more rows than a page.
    pub async fn read(client: &Client) -> Self {
        let schema = Schema::of(client).await;
        let (mut tables, mut read_whole) = (BTreeMap::new(), Vec::new());
        for (list, row) in schema.lists() {
            let leaves: Vec<_> = row.leaves().map(|field| field.name.as_str()).collect();
            let rows = all(client, list, &leaves.join(" "), &json!({})).await;
            if rows.len() <= 200 {
                read_whole.push((list, row, rows));
            }
        }
        let whole: Vec<_> = read_whole
            .iter()
            .map(|(_, row, _)| row.name.clone())
            .collect();
        for (list, row, rows) in read_whole {
            let (mut columns, mut relations) = (Vec::new(), Vec::new());
            for input in &schema.get(&format!("{}Filter", row.name)).inputs {
                let Some(field) = row.fields.iter().find(|field| field.name == input.name) else {
                    continue;
                };
                if field.of.is_leaf() {
                    let operators = &schema.get(&input.of.name).inputs;
                    let values = rows.iter().map(|row| row[&field.name].clone());
                    columns.push(Column {
                        name: field.name.clone(),
                        comparison: input.of.name.clone(),
                        operators: operators.iter().map(|one| one.name.clone()).collect(),
                        values: values.filter(|value| !value.is_null()).collect(),
                    });
                    continue;
                }
                let many = schema.row_type(field);
                if many.is_some_and(|many| !whole.contains(&many.name)) {
                    continue;
                }
                let shown = if many.is_some() {
                    "(first: 200) { totalCount nodes { id } }"
                } else {
                    " { id }"
                };
                let selection = format!("id {}{shown}", field.name);
                let read = all(client, list, &selection, &json!({})).await;
                let leads_to = |row: &Value| {
                    let there = &row[&field.name];
                    let found = match there["nodes"].as_array() {
                        Some(nodes) => {
                            assert_eq!(
                                there["totalCount"],
                                nodes.len(),
                                "{} is read whole",
                                field.name
                            );
                            ids(nodes)
                        }
                        None => there["id"]
                            .as_str()
                            .map(str::to_owned)
                            .into_iter()
                            .collect(),
                    };
                    (row["id"].as_str().expect("an id").to_owned(), found)
                };
                relations.push(Relation {
                    name: field.name.clone(),
                    to: many.map_or(&field.of.name, |many| &many.name).clone(),
                    many: many.is_some(),
                    ids: read.iter().map(leads_to).collect(),
                });
            }
            let places = ids(&rows).into_iter().enumerate().map(|(at, id)| (id, at));
            let places = places.collect();
            let table = Table {
                list: list.clone(),
                rows,
                columns,
                relations,
                places,
            };
            tables.insert(row.name.clone(), table);
        }
        Self { tables }
    }

    pub fn names(&self) -> Vec<&String> {
        self.tables.keys().collect()
    }

    pub fn table(&self, name: &str) -> &Table {
        &self.tables[name]
    }

    /// A filter over a type's rows, so deep at most.
    pub fn filter(&self, name: &str, depth: usize, dice: &mut Dice) -> Value {
        let table = self.table(name);
        let mut filter = json!({});
        for _ in 0..1 + dice.below(2) {
            let below = |dice: &mut Dice| self.filter(name, depth - 1, dice);
            match dice.below(if depth == 0 { 3 } else { 9 }) {
                0..3 => {
                    let column = dice.one_of(&table.columns);
                    filter[&column.name] = column.comparison(dice);
                }
                3 | 4 => filter["not"] = below(dice),
                5 => filter["and"] = (0..dice.below(3)).map(|_| below(dice)).collect(),
                6 => filter["or"] = (0..dice.below(3)).map(|_| below(dice)).collect(),
                _ => {
                    let known = |relation: &&Relation| self.tables.contains_key(&relation.to);
                    let relations: Vec<_> = table.relations.iter().filter(known).collect();
                    if relations.is_empty() {
                        continue;
                    }
                    let relation = dice.one_of(&relations);
                    let inner = self.filter(&relation.to, depth - 1, dice);
                    let quantifier = dice.one_of(&["some", "none", "every", "every"]);
                    filter[&relation.name] = if relation.many {
                        json!({ *quantifier: inner })
                    } else {
                        inner
                    };
                }
            }
        }
        filter
    }

    /// Whether a row satisfies a filter.
    pub fn holds(&self, name: &str, row: &Value, filter: &Value) -> bool {
        let table = self.table(name);
        filter
            .as_object()
            .expect("a filter")
            .iter()
            .all(|(key, asked)| {
                let each = |asked: &Value| self.holds(name, row, asked);
                let list = || asked.as_array().expect("a list").iter();
                match key.as_str() {
                    "and" => list().all(each),
                    "or" => list().any(each),
                    "not" => !each(asked),
                    _ => match table
                        .relations
                        .iter()
                        .find(|relation| relation.name == *key)
                    {
                        Some(relation) => self.leads_to(relation, row, asked),
                        None => {
                            let column = table.columns.iter().find(|column| column.name == *key);
                            column.expect("a column").holds(&row[key], asked)
                        }
                    },
                }
            })
    }

    fn leads_to(&self, relation: &Relation, row: &Value, asked: &Value) -> bool {
        let target = self.table(&relation.to);
        let there = &relation.ids[row["id"].as_str().expect("an id")];
        let holds = |filter: &Value| {
            let filter = filter.clone();
            move |id: &String| self.holds(&relation.to, &target.rows[target.places[id]], &filter)
        };
        if !relation.many {
            return there.iter().any(holds(asked));
        }
        asked
            .as_object()
            .expect("quantifiers")
            .iter()
            .all(|(quantifier, filter)| match quantifier.as_str() {
                "some" => there.iter().any(holds(filter)),
                "none" => !there.iter().any(holds(filter)),
                "every" => there.iter().all(holds(filter)),
                other => panic!("what is {other}?"),
            })
    }
}

impl Column {
    fn comparison(&self, dice: &mut Dice) -> Value {
        let operator = dice.one_of(&self.operators).as_str();
        if operator == "isNull" || self.values.is_empty() {
            return json!({ "isNull": dice.below(2) == 0 });
        }
        let value = dice.one_of(&self.values).clone();
        match operator {
            "in" | "nin" => json!({ operator: [value, dice.one_of(&self.values)] }),
            "contains" | "startsWith" => {
                let letters: Vec<char> = value.as_str().expect("text").chars().take(900).collect();
                let from = if operator == "contains" {
                    dice.below(letters.len().max(1))
                } else {
                    0
                };
                let part: String = letters.iter().skip(from).take(1 + dice.below(4)).collect();
                let part = if dice.below(2) == 0 {
                    part.to_uppercase()
                } else {
                    part
                };
                json!({ operator: part })
            }
            _ => json!({ operator: value }),
        }
    }

    fn holds(&self, value: &Value, asked: &Value) -> bool {
        asked
            .as_object()
            .expect("a comparison")
            .iter()
            .all(|(operator, than)| {
                let list = || than.as_array().expect("a list").contains(value);
                let compared = |wanted: &[Ordering]| {
                    !value.is_null() && wanted.contains(&self.compare(value, than))
                };
                match operator.as_str() {
                    "isNull" => than.as_bool() == Some(value.is_null()),
                    "eq" => value == than,
                    "ne" => value != than,
                    "in" => list(),
                    "nin" => !list(),
                    "lt" => compared(&[Ordering::Less]),
                    "lte" => compared(&[Ordering::Less, Ordering::Equal]),
                    "gt" => compared(&[Ordering::Greater]),
                    "gte" => compared(&[Ordering::Greater, Ordering::Equal]),
                    "contains" => !value.is_null() && small(value).contains(&small(than)),
                    "startsWith" => !value.is_null() && small(value).starts_with(&small(than)),
                    other => panic!("what is {other}?"),
                }
            })
    }

    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        let number = |value: &Value| value.as_f64().expect("a number");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        match self.comparison.as_str() {
            "DateTimeFilter" => text(one).cmp(&text(other)),
            "BigIntFilter" => {
                let number = |value: &Value| text(value).parse::<i64>().expect("a number");
                number(one).cmp(&number(other))
            }
            _ => number(one).total_cmp(&number(other)),
        }
    }
}

/// A text in small letters. The demo has none that are many small ones or one by another look.
fn small(text: &Value) -> String {
    text.as_str().expect("text").to_lowercase()
}
