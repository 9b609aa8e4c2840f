//! A tenant's ledger, read by the query in the end: what everyone should have seen.

use crate::{Result, client::Client, frame::digest};
use serde_json::{Value, json};
use std::collections::HashMap;

const PAGE: &str = "query($after: Cursor, $filter: AuditLogFilter) \
    { activity(first: 200, after: $after, filter: $filter, orderBy: [{field: SEQ}]) \
    { nodes { seq id action targetId targetTitle } pageInfo { endCursor hasNextPage } } }";

/// The entries that a filter names: their positions and digests, oldest first.
pub(super) type Entries = Vec<(i64, u64)>;

/// A ledger.
pub(super) struct Ledger {
    pub(super) entries: Entries,
    /// How often something of a name was created.
    pub(super) created: HashMap<String, u64>,
}

impl Ledger {
    /// Reads all of it.
    ///
    /// # Errors
    /// Also when an entry is missing in it.
    pub(super) async fn read(client: &Client) -> Result<Self> {
        let mut created = HashMap::new();
        let entries = read(client, &Value::Null, |node| {
            if node["action"]
                .as_str()
                .is_some_and(|action| action.ends_with(".created"))
            {
                let title = node["targetTitle"].as_str().unwrap_or_default();
                *created.entry(title.to_owned()).or_default() += 1;
            }
        })
        .await?;
        for (expected, (seq, _)) in (1..).zip(&entries) {
            if *seq != expected {
                return Err(format!("the ledger has {seq} where {expected} should be").into());
            }
        }
        Ok(Self { entries, created })
    }
}

/// The entries that the query lists under a filter.
pub(super) async fn entries(client: &Client, filter: &Value) -> Result<Entries> {
    read(client, filter, |_| {}).await
}

async fn read(client: &Client, filter: &Value, mut see: impl FnMut(&Value)) -> Result<Entries> {
    let (mut entries, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({ "after": after, "filter": filter });
        let mut page = client.data(PAGE, variables).await?["activity"].take();
        for node in page["nodes"].as_array().ok_or("a page without rows")? {
            let text = |name: &str| node[name].as_str().unwrap_or_default();
            let seq = text("seq").parse()?;
            let digest = digest(seq, text("id"), text("action"), text("targetId"));
            entries.push((seq, digest));
            see(node);
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(entries);
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}
