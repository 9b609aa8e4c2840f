//! What everybody sees, worked out from the rows themselves: read with SQL beside the server, judged by the policy that
//! is written down by hand.

use super::{
    callers::Caller,
    policy::{Policy, See, WITH_GLOBAL_ROWS, holder, shows},
};
use crate::support::{Database, TestApp};
use chrono::DateTime;
use entity::Owned;
use sea_orm::{ConnectionTrait, DatabaseConnection, IdenStatic, Iterable, Statement};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Texts shorter than this are not told apart: they are words, slugs and the like.
const TELLING: usize = 12;
/// What has so many letters and digits in a row is an id, a hash, or a word that the world was furnished with.
const NAME: usize = 20;

/// A row as the database has it.
pub struct Row {
    pub kind: &'static str,
    pub id: String,
    pub tenant: Option<String>,
    pub columns: Map<String, Value>,
    told: Vec<(String, Told)>,
    /// Who sees it, a bit for each caller.
    pub seen: u32,
}

impl Row {
    pub fn text(&self, column: &str) -> Option<&str> {
        self.columns.get(column)?.as_str()
    }

    /// The value of an API's field.
    pub fn value(&self, field: &str) -> &Value {
        let renamed = if field == "kind" { "type" } else { field };
        let column = self
            .columns
            .get(field)
            .or_else(|| self.columns.get(renamed));
        column.unwrap_or(&Value::Null)
    }
}

/// What everybody sees.
pub struct Oracle {
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    pub callers: Vec<Hidden>,
    pub policy: Policy,
}

/// What one caller must not be shown.
pub struct Hidden {
    names: HashSet<String>,
    texts: HashSet<String>,
    /// All that the caller may be shown, in small letters.
    pub shown: String,
}

impl Oracle {
    /// Reads all rows of all tenants.
    pub async fn read(app: &TestApp, callers: &[Caller], policy: Policy) -> Self {
        let connection = app.connection.across_tenants().await;
        let mut rows = BTreeMap::new();
        macro_rules! dump {
            ($($table:ident),*) => { $(
                let (kind, found) = dump::<entity::$table::Entity>(&connection, app.database).await;
                rows.insert(kind, found);
            )* };
        }
        entity::for_each_table!(dump);
        let mut oracle = Self {
            rows,
            callers: Vec::new(),
            policy,
        };
        let seen: Vec<Vec<u32>> = oracle
            .rows
            .values()
            .map(|rows| {
                rows.iter()
                    .map(|row| {
                        callers.iter().enumerate().fold(0, |bits, (n, caller)| {
                            bits | u32::from(oracle.sees(caller, row)) << n
                        })
                    })
                    .collect()
            })
            .collect();
        for (rows, seen) in oracle.rows.values_mut().zip(seen) {
            for (row, seen) in rows.iter_mut().zip(seen) {
                row.seen = seen;
            }
        }
        oracle.callers = callers
            .iter()
            .enumerate()
            .map(|(n, caller)| oracle.hidden(n, caller))
            .collect();
        oracle
    }

    /// The rows of a kind in the callers' tenant.
    pub fn of<'o>(&'o self, kind: &str, tenant: &'o str) -> impl Iterator<Item = &'o Row> {
        let global = WITH_GLOBAL_ROWS.contains(&kind);
        let is_here = move |row: &&Row| row.tenant.as_deref().map_or(global, |of| of == tenant);
        self.rows[kind].iter().filter(is_here)
    }

    fn sees(&self, caller: &Caller, row: &Row) -> bool {
        let here = match &row.tenant {
            Some(tenant) => *tenant == caller.tenant,
            None => WITH_GLOBAL_ROWS.contains(&row.kind),
        };
        here && self.whose(caller, row.kind, &row.columns)
    }

    fn whose(&self, caller: &Caller, kind: &str, columns: &Map<String, Value>) -> bool {
        let text = |column: &str| columns.get(column).and_then(Value::as_str);
        let is_own = || caller.user.is_some() && text("userId") == caller.user.as_deref();
        match self.policy.see(kind, caller.role) {
            See::All => true,
            See::None => false,
            See::Own => is_own(),
            See::OwnOrAll => text("userId").is_none() || is_own(),
            See::Held => caller.agent.is_some() && text(holder(kind)) == caller.agent.as_deref(),
            See::OfProject => text("projectId").is_some(),
            See::Target => self.target(caller, columns),
        }
    }

    /// An entry is seen by who sees its target; of one that is gone its entry tells whose it was.
    fn target(&self, caller: &Caller, entry: &Map<String, Value>) -> bool {
        let text = |column: &str| {
            entry
                .get(column)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let Some(rows) = self.rows.get(text("targetType")) else {
            return false;
        };
        if let Some(row) = rows.iter().find(|row| row.id == text("targetId")) {
            return self.whose(caller, row.kind, &row.columns);
        }
        let diff = parsed(&entry["diff"]);
        let told = ["before", "after"]
            .iter()
            .find_map(|side| diff[*side].as_object().cloned());
        self.whose(caller, text("targetType"), &told.unwrap_or_default())
    }

    fn hidden(&self, n: usize, caller: &Caller) -> Hidden {
        let (mut shown, mut kept) = (Told::default(), Told::default());
        for row in self.rows.values().flatten() {
            let own = caller.user.as_deref() == Some(&row.id);
            for (column, told) in &row.told {
                let seen = row.seen >> n & 1 == 1;
                let is_shown = seen && shows(row.kind, column, caller.role, own);
                (if is_shown { &mut shown } else { &mut kept }).add(told);
            }
        }
        let only =
            |all: HashSet<String>, not: &HashSet<String>| all.difference(not).cloned().collect();
        Hidden {
            names: only(kept.names, &shown.names),
            texts: only(kept.texts, &shown.texts),
            shown: shown.all.to_lowercase(),
        }
    }
}

impl Hidden {
    /// What must not be in an answer, but is.
    pub fn find(&self, answer: &Value, out: &mut Vec<String>) {
        match answer {
            Value::String(text) => {
                if self.texts.contains(text) {
                    out.push(text.clone());
                }
                out.extend(
                    names(text)
                        .filter(|name| self.names.contains(*name))
                        .map(str::to_owned),
                );
            }
            Value::Array(items) => items.iter().for_each(|item| self.find(item, out)),
            Value::Object(fields) => fields.values().for_each(|field| self.find(field, out)),
            _ => {}
        }
    }
}

/// What a column's value tells.
#[derive(Default)]
struct Told {
    names: HashSet<String>,
    texts: HashSet<String>,
    all: String,
}

impl Told {
    fn by(value: &Value) -> Self {
        let mut told = Self::default();
        told.take(&parsed(value));
        told
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.names.extend(names(text).map(str::to_owned));
                self.all.push_str(text);
                self.all.push('\n');
                let is_time = DateTime::parse_from_rfc3339(text).is_ok();
                if text.chars().count() >= TELLING && !is_time {
                    self.texts.insert(text.clone());
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.take(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.take(field)),
            _ => {}
        }
    }

    fn add(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.texts.extend(other.texts.iter().cloned());
        self.all.push_str(&other.all);
    }
}

/// What names something in a text: long runs of letters and digits.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|run| run.len() >= NAME)
}

/// SQLite keeps JSON as text.
fn parsed(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        other => other.clone(),
    }
}

async fn dump<E: Owned>(
    connection: &DatabaseConnection,
    database: Database,
) -> (&'static str, Vec<Row>) {
    let entity = E::default();
    let table = entity.table_name();
    let sql = match database {
        Database::Postgres => format!("SELECT row_to_json(t)::text AS row FROM \"{table}\" t"),
        Database::Sqlite => {
            let columns: Vec<_> = E::Column::iter().map(|column| {
                let name = column.as_str();
                format!("'{name}', CASE typeof(\"{name}\") WHEN 'blob' THEN hex(\"{name}\") ELSE \"{name}\" END")
            }).collect();
            format!(
                "SELECT json_object({}) AS row FROM \"{table}\"",
                columns.join(", ")
            )
        }
    };
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let found = connection.query_all_raw(statement).await.expect("reads");
    let rows = found.iter().map(|row| {
        let text: String = row.try_get("", "row").expect("a row");
        let columns: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
        let text = |name: &str| columns.get(name).and_then(Value::as_str).map(str::to_owned);
        Row {
            kind: E::KIND,
            id: text(E::ID.as_str()).expect("an id"),
            tenant: text(E::TENANT.as_str()),
            told: columns
                .iter()
                .map(|(name, value)| (name.clone(), Told::by(value)))
                .collect(),
            columns,
            seen: 0,
        }
    });
    (E::KIND, rows.collect())
}

/// How many rows a value of a column finds, by who sees them.
#[derive(Default)]
pub struct Values(HashMap<String, Vec<u32>>);

impl Values {
    /// The values of an API's field in these rows.
    pub fn of<'r>(rows: impl Iterator<Item = &'r Row>, field: &str, of: &str) -> Self {
        let mut values = Self::default();
        for row in rows {
            if let Some(value) = normal(row.value(field), of) {
                values.0.entry(value).or_default().push(row.seen);
            }
        }
        values
    }

    /// How many rows with this value a caller sees.
    pub fn count(&self, value: &str, caller: usize) -> usize {
        self.0.get(value).map_or(0, |rows| {
            rows.iter().filter(|seen| **seen >> caller & 1 == 1).count()
        })
    }

    /// The values, those first of which a caller sees no row.
    pub fn hidden_first(&self, caller: usize) -> Vec<&str> {
        let mut values: Vec<_> = self.0.keys().map(String::as_str).collect();
        values.sort_by_key(|value| (self.count(value, caller) > 0, *value));
        values
    }
}

/// A value as the API writes it as text, by the type that a filter compares it as.
pub fn normal(value: &Value, of: &str) -> Option<String> {
    match (value, of) {
        (Value::Null, _) | (_, "Float") => None,
        (Value::String(text), "DateTime") => {
            let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
            Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        }
        (Value::String(text), "ID" | "String") => Some(text.clone()),
        (Value::Bool(is), "Boolean") => Some(is.to_string()),
        (Value::Number(number), "Boolean") => Some((number.as_i64() != Some(0)).to_string()),
        (Value::Number(number), "Int" | "BigInt") => Some(number.to_string()),
        (Value::String(text), _) => Some(text.to_uppercase()),
        _ => None,
    }
}

/// The same as JSON, as a variable of that type.
pub fn variable(value: &str, of: &str) -> Value {
    match of {
        "Boolean" => Value::Bool(value == "true"),
        "Int" => value.parse::<i64>().map(Value::from).expect("a number"),
        _ => Value::from(value),
    }
}
