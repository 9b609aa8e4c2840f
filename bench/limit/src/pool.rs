//! Connections whose statements are prepared, and one transaction an operation, sent in one go.

use crate::Failure;
use std::sync::Mutex;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Row, Statement, types::ToSql};

/// As many connections as it was made with.
pub(crate) struct Pool {
    free: Mutex<Vec<Connection>>,
    turns: Semaphore,
}

struct Connection {
    client: Client,
    statements: Vec<(&'static str, Statement)>,
}

impl Pool {
    pub(crate) async fn new(url: &str, connections: usize) -> Result<Self, Failure> {
        let mut free = Vec::new();
        for _ in 0..connections {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            // Lists are short: a plan made anew for each would cost more than it finds.
            client
                .batch_execute("SET plan_cache_mode = force_generic_plan")
                .await?;
            let statements = Vec::new();
            free.push(Connection { client, statements });
        }
        Ok(Self {
            free: Mutex::new(free),
            turns: Semaphore::new(connections),
        })
    }

    /// The rows of one statement in a transaction of its own, as this tenant: one round trip.
    pub(crate) async fn rows(
        &self,
        tenant: &str,
        begin: &str,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let _turn = self.turns.acquire().await?;
        let taken = self.free.lock().ok().and_then(|mut free| free.pop());
        let mut connection = taken.ok_or("no connection is free")?;
        let rows = connection.rows(tenant, begin, sql, parameters).await;
        if let Ok(mut free) = self.free.lock() {
            free.push(connection);
        }
        rows
    }
}

impl Connection {
    async fn rows(
        &mut self,
        tenant: &str,
        begin: &str,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let known = self.statements.iter().find(|(known, _)| *known == sql);
        let statement = match known {
            Some((_, statement)) => statement.clone(),
            None => {
                let statement = self.client.prepare(sql).await?;
                self.statements.push((sql, statement.clone()));
                statement
            }
        };
        let begin = format!("{begin}; SELECT set_config('workgraph.tenant', '{tenant}', true)");
        let (_, rows, _) = futures_util::try_join!(
            self.client.batch_execute(&begin),
            self.client.query(&statement, parameters),
            self.client.batch_execute("COMMIT"),
        )?;
        Ok(rows)
    }
}
