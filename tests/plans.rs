//! How the databases look for an agent's next ticket: the plan of the statement, with as many tickets as make a difference.

use crate::{
    support::{DEMO, Database, TestApp},
    tables::names,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::Value;
use workgraph::store::{PLANNED_ONCE, next_ticket_sql};

/// The indexes that it walks along.
const INDEXES: [&str; 3] = [
    "tickets_next_idx",
    "tickets_waited_idx",
    "agent_jobs_served_idx",
];

/// What a condition of an index may name.
const COLUMNS: [&str; 6] = [
    "tenantId",
    "projectId",
    "roleSlug",
    "targetRepo",
    "nextAttemptAt",
    "id",
];

on_both_databases! {
    async fn the_next_ticket_is_found_along_indexes_however_many_there_are(app) {
        let connection = filled(&app).await;
        let plan = plan(&connection, app.database, "").await;
        insta::assert_snapshot!(format!("next_ticket_{:?}", app.database).to_lowercase(), plan);
        // None of them can be done without.
        for index in INDEXES {
            let without = format!("DROP INDEX \"{index}\"; ");
            assert_ne!(self::plan(&connection, app.database, &without).await, plan, "without {index}");
        }
    }
}

/// A connection to a database in which a workspace has many projects, with very many tickets that are ready, some of which
/// wait to be tried again, and very many jobs; and in which there are other workspaces.
async fn filled(app: &TestApp) -> DatabaseConnection {
    let connection = app.connection.across_tenants().await;
    let tenant = tenant(&connection).await;
    let moment = "'2026-01-01T00:00:00.000+00:00'";
    let insert = |table: &str, most: usize, tenant: &str, columns: &str, values: &str| {
        format!(
            "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {most})
             INSERT INTO {table} (\"createdAt\", \"updatedAt\"{tenant}, {columns}) SELECT {moment}, {moment}, {values} FROM s"
        )
    };
    let of = ", \"tenantId\"";
    let ticket =
        "id, \"projectId\", \"roleSlug\", title, \"createdBy\", \"targetRepo\", \"nextAttemptAt\"";
    let later = match app.database {
        Database::Postgres => {
            "CASE n % 5 WHEN 2 THEN timestamptz '2999-01-01T00:00:00.000+00:00' END"
        }
        Database::Sqlite => "CASE n % 5 WHEN 2 THEN '2999-01-01T00:00:00.000+00:00' END",
    };
    let repository = "CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN 'acme/a' ELSE 'acme/b' END";
    for statement in [
        insert(
            "tenants",
            60,
            "",
            "id, name, slug",
            "'much' || n, 'Much', 'much-' || n",
        ),
        insert(
            "projects",
            60,
            of,
            "id, name, slug",
            "'much' || n, 'other' || n, 'Much', 'much-' || n",
        ),
        insert(
            "projects",
            20,
            of,
            "id, name, slug",
            &format!("'{tenant}', 'much' || n, 'Much', 'much-' || n"),
        ),
        insert(
            "tickets",
            1800,
            of,
            ticket,
            &format!(
                "'much' || (n % 60), 'other' || n, 'other' || (n % 60), 'dev_agent', 'Much', 'test', {repository}, {later}"
            ),
        ),
        insert(
            "tickets",
            10_000,
            of,
            ticket,
            &format!(
                "'{tenant}', 'much' || n, 'much' || (n % 20), CASE n % 2 WHEN 0 THEN 'dev_agent' ELSE 'qa_agent' END, 'Much', \
                 'test', {repository}, {later}"
            ),
        ),
        insert(
            "agent_jobs",
            3000,
            of,
            "id, \"ticketId\", \"projectId\", action, status, payload, \"targetRepo\", \"dispatchedAt\"",
            &format!(
                "'{tenant}', 'much' || n, 'much' || n, 'much' || (n % 20), 'work_on_ticket', 'done', '{{}}', '', {moment}"
            ),
        ),
    ] {
        connection
            .execute_unprepared(&statement)
            .await
            .expect(&statement);
    }
    // As a server's connection is. Nobody analyzes on SQLite.
    if app.database == Database::Postgres {
        let own = format!("SELECT set_config('workgraph.tenant', '{tenant}', false)");
        for statement in [
            "VACUUM ANALYZE tickets",
            "VACUUM ANALYZE agent_jobs",
            "VACUUM ANALYZE projects",
            &own,
        ] {
            connection
                .execute_unprepared(statement)
                .await
                .expect(statement);
        }
    }
    connection
}

async fn tenant(connection: &DatabaseConnection) -> String {
    let ids = format!("SELECT id AS name FROM tenants WHERE slug = '{DEMO}'");
    names(connection, &ids).await.remove(0)
}

/// What is read, and how, after this was done, which is undone then.
async fn plan(connection: &DatabaseConnection, database: Database, done: &str) -> String {
    let run = async |sql: &str| connection.execute_unprepared(sql).await.expect("runs");
    let backend = connection.get_database_backend();
    let (sql, mut lines) = (next_ticket_sql(backend), String::new());
    run(&format!("BEGIN; {done}")).await;
    match database {
        Database::Sqlite => {
            // Another text each time: a statement that is kept tells of the plan that it was made with.
            let explain = format!("EXPLAIN QUERY PLAN {sql} /* {done} */");
            let explain = Statement::from_string(backend, explain);
            let steps = connection.query_all_raw(explain).await.expect("a plan");
            for step in &steps {
                let step: String = step.try_get("", "detail").expect("a step");
                let reads = ["SEARCH ", "SCAN "]
                    .iter()
                    .any(|what| step.starts_with(what));
                // How they are numbered and nested is of no account.
                if reads && !step.contains("VIRTUAL TABLE") {
                    lines.push_str(&step);
                    lines.push('\n');
                }
            }
        }
        Database::Postgres => {
            let types = "text, text[], text[], text[], timestamptz, text[]";
            run(&format!(
                "{PLANNED_ONCE}; PREPARE next_ticket ({types}) AS {sql}"
            ))
            .await;
            let explain = "EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE next_ticket ('', NULL, NULL, NULL, NULL, NULL)";
            let explain = Statement::from_string(backend, explain);
            let plan = connection.query_one_raw(explain).await.expect("a plan");
            let plan: Value = plan
                .expect("a row")
                .try_get("", "QUERY PLAN")
                .expect("JSON");
            scans(&plan[0]["Plan"], "", &mut lines);
            run("DEALLOCATE next_ticket").await;
        }
    }
    run("ROLLBACK").await;
    lines
}

/// A line for each table that is read. What stands between them differs from one version of PostgreSQL to the next.
fn scans(node: &Value, above: &str, lines: &mut String) {
    let text = |name: &str| node[name].as_str().unwrap_or_default();
    let kind = text("Node Type");
    if let Some(table) = node["Relation Name"].as_str() {
        let below = match above {
            "Limit" => ", the first",
            "Sort" | "Incremental Sort" => ", to sort them",
            _ => "",
        };
        lines.push_str(&format!("{kind} on {table}{}{below}\n", walked(node)));
    } else if node["Index Name"].is_string() {
        lines.push_str(&format!("{kind}{}\n", walked(node)));
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        scans(child, kind, lines);
    }
}

/// Along which index, and by which of its columns.
fn walked(node: &Value) -> String {
    let Some(index) = node["Index Name"].as_str() else {
        return String::new();
    };
    let condition = node["Index Cond"].as_str().unwrap_or_default();
    let is_named = |column: &&&str| {
        [format!("(\"{column}\" "), format!("({column} ")]
            .iter()
            .any(|begins| condition.contains(begins))
    };
    let columns: Vec<_> = COLUMNS.iter().filter(is_named).copied().collect();
    format!(" along {index} by {}", columns.join(", "))
}
