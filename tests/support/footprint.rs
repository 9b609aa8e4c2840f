//! What a database holds, to show that nothing was written.

use super::{ACME, DEMO, TestApp};
use entity::Owned;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The rows of every table and the head of each workspace's ledger.
#[derive(Debug, PartialEq, Eq)]
pub struct Footprint {
    rows: BTreeMap<String, i64>,
    heads: [Value; 2],
}

impl Footprint {
    /// As it is now.
    pub async fn of(app: &TestApp) -> Self {
        let connection = app.connection.across_tenants().await;
        let mut rows = BTreeMap::new();
        macro_rules! count_in {
            ($($table:ident),*) => { $(count::<entity::$table::Entity>(&connection, &mut rows).await;)* };
        }
        entity::for_each_table!(count_in);
        let head = async |workspace| {
            let client = app.client(workspace, "owner").await;
            client.data("{ feedCursor }", json!({})).await["feedCursor"].clone()
        };
        Self {
            rows,
            heads: [head(DEMO).await, head(ACME).await],
        }
    }

    /// Fails when something was written since.
    pub async fn must_be_that_of(&self, app: &TestApp) {
        assert_eq!(*self, Self::of(app).await, "something was written");
    }
}

async fn count<E: Owned>(connection: &DatabaseConnection, rows: &mut BTreeMap<String, i64>) {
    let table = E::default().table_name().to_owned();
    let sql = format!("SELECT count(*) AS n FROM \"{table}\"");
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await;
    let row = row.expect("counts").expect("a row");
    rows.insert(table, row.try_get("", "n").expect("a number"));
}
