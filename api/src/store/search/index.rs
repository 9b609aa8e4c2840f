//! Filling the index: the words of what the triggers have noted, made before the transaction commits.

use super::Findable;
use crate::{
    domain::words::indexed,
    error::Result,
    store::{
        READ_WITHIN, Store,
        row_security::EVERY_TENANT,
        select::{is_any_of, text_array},
        snapshot::Snapshot,
    },
};
use entity::Id;
use sea_orm::{
    ConnectionTrait, DbBackend, QueryResult, Statement, Value,
    sea_query::{DeleteStatement, Expr, ExprTrait, Func, OnConflict, Query},
};
use std::{collections::BTreeSet, time::Duration};

/// What the triggers note.
const PENDING: &str = "search_pending";

/// What names a document.
const KEY: [&str; 3] = ["tenantId", "kind", "id"];

/// How many documents are made at once. Each may be a megabyte.
const AT_ONCE: usize = 20;

/// How many bytes of words a document has. A tsvector holds a mebibyte.
const MOST_BYTES: usize = 1_000_000;

/// A document's words up to there: in the title, in the summary too, in all of it.
struct Words {
    title: BTreeSet<String>,
    summary: BTreeSet<String>,
    all: BTreeSet<String>,
}

impl Words {
    fn of([title, summary, transcript]: [&str; 3]) -> Self {
        let mut all = BTreeSet::new();
        let mut room = MOST_BYTES;
        let mut add = |text: &str| {
            for word in indexed(text) {
                let length = word.len();
                if length > room {
                    break;
                }
                if all.insert(word) {
                    room -= length;
                }
            }
            all.clone()
        };
        Self {
            title: add(title),
            summary: add(summary),
            all: add(transcript),
        }
    }
}

impl Store {
    /// Makes the words of all that is noted, in all workspaces: what a migration left to do, and what SQL by hand changed.
    ///
    /// # Errors
    /// If the database fails. What was made until then stays.
    pub(in crate::store) async fn fill_index(&self) -> Result<()> {
        loop {
            // Feeds wait for their turn meanwhile, so it is given back between two.
            let turn = self.feeds().turn_to_read().await;
            let transaction = self.system_transaction().await?;
            let made = fill_some(&transaction).await?;
            transaction.commit().await?;
            drop(turn);
            if made == 0 {
                return Ok(());
            }
            tracing::info!(documents = made, "made words for the search");
        }
    }

    /// Looks every so often whether something was noted that no write of this program makes the words of, for ever.
    pub async fn tend_search(self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let tended = match self.has_noted().await {
                Ok(true) => self.fill_index().await,
                looked => looked.map(drop),
            };
            if let Err(error) = tended {
                tracing::warn!(
                    error = error.cause(),
                    "words for the search could not be made; it is tried again"
                );
            }
        }
    }

    async fn has_noted(&self) -> Result<bool> {
        let _turn = self.feeds().turn_to_read().await;
        let snapshot = Snapshot::new(
            self.readers().clone(),
            EVERY_TENANT.into(),
            Some(READ_WITHIN),
        );
        let one = Query::select()
            .expr(Expr::cust("1"))
            .from(PENDING)
            .limit(1)
            .take();
        Ok(!snapshot.all(&one).await?.is_empty())
    }
}

/// Makes the words of documents that a transaction has changed, before it commits. What others left to do is not its
/// work.
///
/// # Errors
/// If the database fails.
pub(in crate::store) async fn fill_changed(
    transaction: &impl ConnectionTrait,
    tenant: &Id,
    changed: BTreeSet<(Findable, &Id)>,
) -> Result<()> {
    for take in takes(tenant, &changed, transaction.get_database_backend()) {
        let noted = transaction.query_all(&take).await?;
        make_all(transaction, &noted).await?;
    }
    Ok(())
}

/// What takes the notes of these documents, one statement for each kind.
fn takes(
    tenant: &Id,
    documents: &BTreeSet<(Findable, &Id)>,
    backend: DbBackend,
) -> Vec<DeleteStatement> {
    let of_kind = |kind: Findable| {
        let documents = documents.iter().filter(move |(of, _)| *of == kind);
        let mut ids = documents.map(|(_, id)| id.as_str()).peekable();
        ids.peek()?;
        let take = Query::delete()
            .from_table(PENDING)
            .and_where(Expr::col("tenantId").eq(tenant.as_str()))
            .and_where(Expr::col("kind").eq(kind.name()))
            .and_where(is_any_of(Expr::col("id"), ids, backend))
            .returning(Query::returning().columns(KEY))
            .take();
        Some(take)
    };
    Findable::ALL.into_iter().filter_map(of_kind).collect()
}

/// Makes the words of some of what is noted, and says how many documents that were.
async fn fill_some(transaction: &impl ConnectionTrait) -> Result<usize> {
    let backend = transaction.get_database_backend();
    // What somebody else makes just now is theirs.
    let lock = if backend == DbBackend::Postgres {
        "FOR UPDATE SKIP LOCKED"
    } else {
        ""
    };
    let sql = format!(
        r#"DELETE FROM {PENDING} WHERE ("tenantId", kind, id) IN
           (SELECT "tenantId", kind, id FROM {PENDING} LIMIT {AT_ONCE} {lock})
           RETURNING "tenantId", kind, id"#
    );
    let noted = Statement::from_string(backend, sql);
    let noted = transaction.query_all_raw(noted).await?;
    make_all(transaction, &noted).await?;
    Ok(noted.len())
}

async fn make_all(transaction: &impl ConnectionTrait, noted: &[QueryResult]) -> Result<()> {
    for row in noted {
        let [tenant, kind, id] = KEY.map(|name| row.try_get::<String>("", name));
        make(transaction, [tenant?, kind?, id?]).await?;
    }
    Ok(())
}

/// Makes one document, if its row is still there.
async fn make(transaction: &impl ConnectionTrait, key: [String; 3]) -> Result<()> {
    let backend = transaction.get_database_backend();
    let key = key.map(Value::from);
    let source = Statement::from_sql_and_values(
        backend,
        r#"SELECT title, summary, transcript FROM search_sources WHERE "tenantId" = $1 AND kind = $2 AND id = $3"#,
        key.clone(),
    );
    let Some(source) = transaction.query_one_raw(source).await? else {
        return Ok(());
    };
    let text = |name| source.try_get::<String>("", name);
    let (title, summary, transcript) = (text("title")?, text("summary")?, text("transcript")?);
    let words = Words::of([&title, &summary, &transcript]);
    match backend {
        DbBackend::Sqlite => write_fts5(transaction, key, &words).await,
        _ => write_vectors(transaction, key, words).await,
    }
}

async fn write_fts5(
    transaction: &impl ConnectionTrait,
    key: [Value; 3],
    words: &Words,
) -> Result<()> {
    let owner = key[0].clone();
    // A document that is there is written over, so that its number is told either way.
    let number = Statement::from_sql_and_values(
        DbBackend::Sqlite,
        r#"INSERT INTO search_documents ("tenantId", kind, id) VALUES ($1, $2, $3)
           ON CONFLICT ("tenantId", kind, id) DO UPDATE SET id = excluded.id RETURNING number"#,
        key,
    );
    let Some(number) = transaction.query_one_raw(number).await? else {
        return Ok(());
    };
    let number: i64 = number.try_get("", "number")?;
    let forget = "DELETE FROM search_words WHERE rowid = $1";
    let line = |words: &mut dyn Iterator<Item = &String>| {
        Value::from(words.map(String::as_str).collect::<Vec<_>>().join(" "))
    };
    let insert = "INSERT INTO search_words (rowid, owner, title, summary, transcript) VALUES ($1, $2, $3, $4, $5)";
    let values = [
        number.into(),
        owner,
        line(&mut words.title.iter()),
        line(&mut words.summary.difference(&words.title)),
        line(&mut words.all.difference(&words.summary)),
    ];
    for (sql, values) in [(forget, vec![number.into()]), (insert, values.into())] {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        transaction.execute_raw(statement).await?;
    }
    Ok(())
}

async fn write_vectors(
    transaction: &impl ConnectionTrait,
    key: [Value; 3],
    mut words: Words,
) -> Result<()> {
    // The tenant is one more word, so that a search walks its own documents only.
    if let Value::String(Some(tenant)) = &key[0] {
        words.all.insert(format!(":{tenant}"));
    }
    let vector = |words: &BTreeSet<String>| {
        let words = text_array(words.iter().map(String::as_str));
        Expr::from(Func::cust("array_to_tsvector").arg(words))
    };
    let values = [&words.title, &words.summary, &words.all].map(vector);
    let columns = ["titleWords", "summaryWords", "words"];
    let mut insert = Query::insert();
    insert
        .into_table("search_documents")
        .columns(KEY.into_iter().chain(columns))
        .values(key.map(Expr::val).into_iter().chain(values))
        .map_err(crate::Error::internal)?
        .on_conflict(OnConflict::columns(KEY).update_columns(columns).to_owned());
    transaction.execute(&insert).await?;
    Ok(())
}
