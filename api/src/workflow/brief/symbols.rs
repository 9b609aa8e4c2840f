//! Which places in the code a brief touches, as people say.

use super::super::references::all_of;
use crate::{
    error::{Error, Result, named},
    store::Tx,
};
use entity::{
    Id,
    prd::{self, PrdStatus},
    prd_symbol_link::{self, SymbolLinkSource},
    project_graph::GraphNode,
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};

/// The ledger's action for a link that is made.
const LINKED: &str = "brief.symbol_linked";

/// The ledger's action for a link that is taken back.
const UNLINKED: &str = "brief.symbol_unlinked";

/// Says that a brief touches a symbol, which was found in the map of its project's code or was not. Answers with the link there
/// is, if it is known already.
///
/// # Errors
/// [`Error::BadUserInput`] when the project's map has no such symbol, [`Error::Conflict`] when there is no map or the brief has
/// ended.
pub(crate) async fn link_symbol(
    tx: &mut Tx<'_>,
    brief: &Id,
    symbol: &str,
    found: Result<GraphNode>,
) -> Result<prd_symbol_link::Model> {
    use prd_symbol_link::Column::{PrdId, SymbolId};
    let brief = lock(tx, brief).await?;
    let known = tx
        .unlocked_rows::<prd_symbol_link::Entity>(|place| {
            all_of(place.column(PrdId).eq(brief.id.as_str())).add(place.column(SymbolId).eq(symbol))
        })
        .await?
        .pop();
    if let Some(known) = known {
        return Ok(known);
    }
    let node = found?;
    let row = prd_symbol_link::ActiveModel {
        prd_id: Set(brief.id),
        symbol_id: Set(node.id),
        symbol_name: Set(node.name),
        file: Set(Some(node.file)),
        line: Set(node.line),
        confidence: Set(1.0),
        source: Set(SymbolLinkSource::Manual),
        ..Default::default()
    };
    tx.insert(row, LINKED).await
}

/// Takes a link back.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] when the brief has ended.
pub(crate) async fn unlink_symbol(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    if let Some(link) = tx.find::<prd_symbol_link::Entity>(id).await? {
        lock(tx, &link.prd_id).await?;
    }
    let link = tx.get::<prd_symbol_link::Entity>(id).await?;
    tx.delete::<prd_symbol_link::Entity>(&link, UNLINKED)
        .await
        .map(drop)
}

/// The brief, which has not ended.
async fn lock(tx: &Tx<'_>, id: &Id) -> Result<prd::Model> {
    let brief = tx.get::<prd::Entity>(id).await?;
    match brief.status {
        PrdStatus::Rejected | PrdStatus::Superseded => Err(Error::Conflict(format!(
            "This brief is {}: what it touched stays as it was.",
            named(brief.status)
        ))),
        _ => Ok(brief),
    }
}
