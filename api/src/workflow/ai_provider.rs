//! Who gives language models to a workspace: asked before they count, and again when they fail.

use super::{
    all_of,
    credential::{
        AI_PROVIDER, Kept, create_credential, credential_named, delete_credential,
        replace_credential, tried,
    },
    integration::{Tested, same, test_kept},
};
use crate::{
    error::{Error, Result},
    integrations::{Values, Verdict, ai_provider},
    store::{Scope, Tx},
};
use chrono::TimeDelta;
use entity::{
    Id, Timestamp,
    credential::{CredentialHealth, CredentialKind, Model as Credential},
};
use sea_orm::{
    ActiveEnum, Condition,
    sea_query::{Expr, ExprTrait},
};

/// So many failures in a row make a provider one that is not counted on.
const DEGRADED_AFTER: i32 = 2;
/// So long after it failed once a provider is asked again.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
/// However often it failed, it is asked again after so long.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// A provider of models, for who is about to give it another key.
///
/// # Errors
/// [`Error::NotFound`] when there is no such provider.
pub(crate) async fn known_provider(scope: &Scope, id: &Id) -> Result<Credential> {
    provider(&scope.begin().await?, id).await
}

/// The row of a provider of models, locked.
///
/// # Errors
/// [`Error::NotFound`] when there is no such provider.
async fn provider(tx: &Tx<'_>, id: &Id) -> Result<Credential> {
    let row = tx.get::<entity::credential::Entity>(id).await?;
    match row.kind {
        CredentialKind::AiProvider => Ok(row),
        _ => Err(Error::bad_input("id", "is a credential of another kind")),
    }
}

/// Asks a provider of models whether it takes the key that is kept.
///
/// # Errors
/// [`Error::NotFound`] when there is no such provider; [`Error::Conflict`] when it is none that can be asked.
pub(crate) async fn probe(scope: &Scope, id: &Id) -> Result<Tested> {
    test_kept(scope, id, |tx, id| {
        Box::pin(async move {
            let row = provider(tx, id).await?;
            let service = ai_provider(&row.name).ok_or_else(|| {
                Error::Conflict("This provider is none that can be asked here.".to_owned())
            })?;
            Ok((service, row))
        })
    })
    .await
}

/// Writes down what came of asking a provider of models. The ledger tells of it where somebody asked, and where it changed how
/// far the provider is counted on.
///
/// # Errors
/// [`Error::Conflict`] when its key was replaced meanwhile.
pub(crate) async fn note_probe(tx: &mut Tx<'_>, tested: Tested, asked: bool) -> Result<Credential> {
    let row = provider(tx, &tested.credential).await?;
    let row = same(tx, Some(row), &tested).await?;
    let failures = row.consecutive_failures.saturating_add(1);
    let (health, error, failures) = match tested.verdict {
        Verdict::Accepted(_) => (CredentialHealth::Healthy, None, 0),
        Verdict::Rejected(why) => (CredentialHealth::Failing, Some(why), failures),
        Verdict::Unreachable(why, _) if failures < DEGRADED_AFTER => {
            (row.health, Some(why), failures)
        }
        Verdict::Unreachable(why, _) => (CredentialHealth::Degraded, Some(why), failures),
    };
    let is_told = asked || health != row.health;
    let changes = tried(health, error, failures, tx.now());
    match is_told {
        true => tx.update(&row, changes, "ai_provider.probed").await,
        false => tx.update_untold(&row, changes).await,
    }
}

/// Providers of models that failed and may be well again: those that failed once are due after a minute, and with each further
/// failure after twice as long, at most an hour. One whose key was rejected needs somebody.
pub(crate) fn failing_providers(now: Timestamp) -> Condition {
    use entity::credential::Column::{ConsecutiveFailures, Health, Kind, LastCheckedAt};
    let (health, failures) = (
        CredentialHealth::Failing.to_value(),
        Expr::col(ConsecutiveFailures),
    );
    let asked_before = |wait: TimeDelta| {
        let then = Timestamp::new(now.inner() - wait);
        Expr::col(LastCheckedAt)
            .is_null()
            .or(Expr::col(LastCheckedAt).lte(then))
    };
    let mut is_due = Condition::any();
    let (mut number, mut wait) = (1, FIRST_WAIT);
    while wait < LONGEST_WAIT {
        is_due = is_due.add(failures.clone().eq(number).and(asked_before(wait)));
        (number, wait) = (number + 1, wait * 2);
    }
    is_due = is_due.add(failures.gte(number).and(asked_before(LONGEST_WAIT)));
    all_of(Expr::col(Kind).eq(CredentialKind::AiProvider.to_value()))
        .add(Expr::col(Health).ne(health))
        .add(is_due)
}

/// Adds a provider of models whose key was taken.
///
/// # Errors
/// [`Error::Conflict`] when it is there already.
pub(crate) async fn add_provider(tx: &mut Tx<'_>, values: &Values) -> Result<Credential> {
    let name = values.service().key;
    if credential_named(tx, CredentialKind::AiProvider, name)
        .await?
        .is_some()
    {
        return Err(Error::Conflict(
            "This provider is there already; rotateAiProvider gives it another key.".to_owned(),
        ));
    }
    let kept = kept_of(values);
    create_credential(
        tx,
        CredentialKind::AiProvider,
        name.to_owned(),
        kept,
        AI_PROVIDER,
    )
    .await
}

/// Gives a provider of models another key, which was taken; where it was to stay, by who was there.
///
/// # Errors
/// [`Error::NotFound`] when there is no such provider; [`Error::Conflict`] when it is elsewhere by now.
pub(crate) async fn rotate_provider(
    tx: &mut Tx<'_>,
    id: &Id,
    values: &Values,
    stays: bool,
) -> Result<Credential> {
    let row = provider(tx, id).await?;
    if stays && row.base_url.as_deref() != values.base_url() {
        return Err(Error::Conflict(
            "Its baseUrl changed while the one before was asked. Nothing was written; send it again.".to_owned(),
        ));
    }
    replace_credential(tx, &row, kept_of(values), AI_PROVIDER).await
}

/// Takes a provider of models away.
///
/// # Errors
/// [`Error::NotFound`] when there is no such provider.
pub(crate) async fn remove_provider(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    let row = provider(tx, id).await?;
    delete_credential(tx, &row, AI_PROVIDER).await
}

fn kept_of(values: &Values) -> Kept {
    Kept {
        plain: values.to_seal(),
        hint: values.hint(),
        health: CredentialHealth::Healthy,
        base_url: values.base_url().map(str::to_owned),
    }
}
