//! What the migrations make is what the entities say, on both databases, and the database itself keeps tenants apart.

use crate::support::{ACME, Database};
use entity::{Owned, Ownership};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, IdenStatic, Iterable, Statement,
};
use std::collections::BTreeMap;
use workgraph::{clock::Clock, store::Store};

on_both_databases! {
    async fn every_table_has_the_columns_of_its_entity(app) {
        let connection = app.connection.across_tenants().await;
        let mut tables = 0;
        macro_rules! compare {
            ($($table:ident),*) => { $(
                compare_columns::<entity::$table::Entity>(&connection).await;
                tables += 1;
            )* };
        }
        entity::for_each_table!(compare);
        assert_eq!(tables, 42);
        let made = names(&connection, match app.database {
            // FTS5's own tables are of other types.
            Database::Sqlite => {
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' \
                 AND name <> 'open_doors'"
            }
            Database::Postgres => "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
        }).await;
        assert_eq!(made.len(), tables + 4, "the tables, the server's tasks, the search's documents, what it has to make, and the list of migrations: {made:?}");
    }

    async fn the_indexes_are_these(app) {
        let connection = app.connection.across_tenants().await;
        let mut indexes = names(&connection, match app.database {
            Database::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'",
            Database::Postgres => {
                // What SQLite has for the words is no index but a table.
                "SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' \
                 AND indexname <> 'search_documents_words_idx'"
            }
        }).await;
        indexes.sort();
        insta::assert_snapshot!("indexes", indexes.join("\n"));
    }

    async fn deleting_a_tenant_deletes_all_it_owns_but_its_ledger(app) {
        let connection = app.connection.across_tenants().await;
        let tenant = app.store.system().workspace(ACME).await.expect("reads").expect("is seeded").id;
        let before = counts(&connection, tenant.as_str()).await;
        assert!(before.iter().all(|(_, count)| *count > 0), "every table has rows of the tenant: {before:?}");
        let delete = format!("DELETE FROM tenants WHERE id = '{tenant}'");
        assert!(connection.execute_unprepared(&delete).await.is_err(), "a workspace goes through its door only");
        app.connection.through("delete-workspace", &delete).await.expect("deletes");
        for (table, count) in counts(&connection, tenant.as_str()).await {
            let stays = ["audit_logs", "tenant_feeds"].contains(&table.as_str());
            assert_eq!(count > 0, stays, "{table}");
        }
        for (table, count) in counts(&connection, "(SELECT id FROM tenants)").await {
            assert!(count > 0, "{table} of the other tenant is untouched");
        }
    }

    async fn what_goes_with_a_deleted_row_is_what_the_keys_say(app) {
        let connection = app.connection.across_tenants().await;
        let mut keys: Vec<_> = { foreign_keys(&connection, app.database).await.into_iter() }
            .filter(|(.., cascades)| *cascades)
            .map(|(table, column, parent, _)| (parent, table, column))
            .collect();
        keys.sort();
        let mut told = Vec::new();
        for shape in entity::shapes() {
            for follower in entity::followers(shape.table) {
                let column = follower.column;
                told.push((shape.name.to_owned(), column.shape().name.to_owned(), column.name.to_owned()));
            }
        }
        told.sort();
        assert_eq!(keys, told);
        assert!(keys.len() > 20);
    }

    async fn the_database_refuses_another_tenants_id(app) {
        app.connection.unguard().await;
        let connection = app.connection.across_tenants().await;
        let foreign = app.store.system().workspace(ACME).await.expect("reads").expect("is seeded").id;
        let mut tried = 0;
        for (table, column, parent, _) in foreign_keys(&connection, app.database).await {
            let row = names(&connection, &format!(
                "SELECT id AS name FROM \"{table}\" WHERE \"tenantId\" <> '{foreign}' LIMIT 1"
            )).await;
            // Preferably one that nothing points to in this column yet, so that only the tenant is wrong.
            let parent = names(&connection, &format!(
                "SELECT id AS name FROM \"{parent}\" WHERE \"tenantId\" = '{foreign}' ORDER BY id IN \
                 (SELECT \"{column}\" FROM \"{table}\" WHERE \"{column}\" IS NOT NULL) LIMIT 1"
            )).await;
            let (row, parent) = (&row[0], &parent[0]);
            let update = format!("UPDATE \"{table}\" SET \"{column}\" = '{parent}' WHERE id = '{row}'");
            let error = connection.execute_unprepared(&update).await.expect_err(&format!("{table}.{column} took it"));
            let text = error.to_string().to_lowercase();
            assert!(text.contains("foreign key") || text.contains("check constraint"), "{table}.{column}: {text}");
            tried += 1;
        }
        assert!(tried > 60, "only {tried} foreign keys");
    }

    async fn slugs_of_the_library_are_unique_among_global_rows_and_within_a_tenant(app) {
        let connection = app.connection.across_tenants().await;
        let tenant = app.store.system().workspace(ACME).await.expect("reads").expect("is seeded").id;
        for (table, columns, values) in [
            ("skill_packages", "\"contentHash\", description, body", "'', '', ''"),
            ("subagent_definitions", "\"contentHash\", description, \"systemPrompt\"", "'', '', ''"),
        ] {
            let insert = |id: &str, owner: &str| format!(
                "INSERT INTO {table} (id, \"tenantId\", slug, \"createdAt\", \"updatedAt\", {columns}) VALUES \
                 ('{id}', {owner}, 'twice', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', {values})"
            );
            let owner = format!("'{tenant}'");
            for (id, owner, fits) in [("a", "NULL", true), ("b", &*owner, true), ("c", "NULL", false), ("d", &*owner, false)] {
                let done = connection.execute_unprepared(&insert(&format!("{table}-{id}"), owner)).await;
                assert_eq!(done.is_ok(), fits, "{table} {id}: {done:?}");
            }
        }
    }

    async fn migrating_twice_changes_nothing(app) {
        let connection = app.database.empty().await;
        let store = Store::open(&connection.url, 2, &crate::support::secret(), Clock::system()).await.expect("opens");
        assert!(!store.pending_migrations().await.expect("lists").is_empty());
        store.migrate().await.expect("migrates");
        assert!(store.pending_migrations().await.expect("lists").is_empty());
        store.migrate().await.expect("migrates again");
        store.close().await;
    }
}

pub async fn names(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.expect(sql);
    rows.iter()
        .map(|row| row.try_get("", "name").expect("a name"))
        .collect()
}

async fn compare_columns<E: Owned>(connection: &DatabaseConnection) {
    let table = E::default().table_name().to_owned();
    let sql = match connection.get_database_backend() {
        DbBackend::Sqlite => format!(
            "SELECT name || CASE \"notnull\" WHEN 1 THEN '!' ELSE '' END AS name FROM pragma_table_info('{table}')"
        ),
        _ => format!(
            "SELECT column_name || CASE is_nullable WHEN 'NO' THEN '!' ELSE '' END AS name \
             FROM information_schema.columns WHERE table_name = '{table}'"
        ),
    };
    let mut made = names(connection, &sql).await;
    let mut said: Vec<_> = E::Column::iter()
        .map(|column| {
            format!(
                "{}{}",
                column.as_str(),
                if column.def().is_null() { "" } else { "!" }
            )
        })
        .collect();
    made.sort();
    said.sort();
    assert_eq!(made, said, "{table}");
}

/// How many rows of a tenant each table has. Global rows are nobody's.
pub async fn counts(connection: &DatabaseConnection, tenant: &str) -> BTreeMap<String, i64> {
    let mut out = BTreeMap::new();
    macro_rules! count_in {
        ($($table:ident),*) => { $(count::<entity::$table::Entity>(connection, tenant, &mut out).await;)* };
    }
    entity::for_each_table!(count_in);
    out
}

async fn count<E: Owned>(
    connection: &DatabaseConnection,
    tenant: &str,
    out: &mut BTreeMap<String, i64>,
) {
    let table = E::default().table_name().to_owned();
    let tenant = if tenant.starts_with('(') {
        tenant.to_owned()
    } else {
        format!("('{tenant}')")
    };
    let sql = format!(
        "SELECT count(*) AS n FROM \"{table}\" WHERE \"{}\" IN {tenant}",
        E::TENANT.as_str()
    );
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection
        .query_one_raw(statement)
        .await
        .expect("counts")
        .expect("a row");
    out.insert(table, row.try_get("", "n").expect("a number"));
    assert!(matches!(
        E::OWNERSHIP,
        Ownership::Tenant | Ownership::TenantOrGlobal
    ));
}

/// Every column that points to a row of the same tenant: table, column, parent.
async fn foreign_keys(
    connection: &DatabaseConnection,
    database: Database,
) -> Vec<(String, String, String, bool)> {
    let sql = match database {
        Database::Sqlite => {
            "SELECT m.name || '|' || f.\"from\" || '|' || f.\"table\" || '|' || f.on_delete AS name FROM sqlite_master m, \
             pragma_foreign_key_list(m.name) f WHERE m.type = 'table' AND m.name <> 'open_doors' AND f.\"from\" <> 'tenantId'"
        }
        Database::Postgres => {
            "SELECT c.conrelid::regclass::text || '|' || a.attname || '|' || c.confrelid::regclass::text || '|' || \
             CASE c.confdeltype WHEN 'c' THEN 'CASCADE' ELSE '' END AS name \
             FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) \
             WHERE c.contype = 'f' AND a.attname <> 'tenantId'"
        }
    };
    let split = |line: String| {
        let parts: Vec<_> = line
            .split('|')
            .map(|part| part.trim_matches('"').to_owned())
            .collect();
        let cascades = parts[3] == "CASCADE";
        (
            parts[0].clone(),
            parts[1].clone(),
            parts[2].clone(),
            cascades,
        )
    };
    names(connection, sql)
        .await
        .into_iter()
        .map(split)
        .collect()
}
