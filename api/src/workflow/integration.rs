//! Connections to other services: tried before they count, and tried again.
//!
//! A service is asked between two transactions, never within one: the first reads what it is asked with, the second writes
//! what it said, if what it was asked with is still what is kept.

use super::{
    all_of,
    credential::{
        self, CREDENTIAL, Kept, Opened, create_credential, credential_named, delete_credential,
        open_credential, replace_credential, still_holds,
    },
    webhook::forget_secret,
};
use crate::{
    domain::machine::ConnectionStep,
    error::{Error, Result},
    integrations::{Service, Values, Verdict, credential_name, integration},
    store::{Scope, Tx, retried},
};
use entity::{
    Id, Json, Secret,
    credential::{CredentialHealth, CredentialKind, Model as Credential},
    integration_connection::{
        ActiveModel, Column, Entity, IntegrationName, IntegrationStatus, Model,
    },
};
use futures_util::future::BoxFuture;
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};
use serde_json::{Map, Value};

/// What a service said, and what it was asked with.
#[derive(Clone)]
pub(crate) struct Tested {
    pub(super) verdict: Verdict,
    pub(super) credential: Id,
    pub(super) opened: Opened,
}

/// Asks a service whether it takes values that nobody has kept.
///
/// # Errors
/// When the actor may not any more; or as [`Services::test`](crate::integrations::Services::test).
pub(crate) async fn test(scope: &Scope, values: &Values) -> Result<Verdict> {
    // Whoever was removed a moment ago has nobody asked.
    scope.begin().await?.check_account().await?;
    scope.vault().services().test(scope.actor(), values).await
}

/// What may be shown of values that a service took.
///
/// # Errors
/// Why it does not take them: [`Error::BadUserInput`], or [`Error::OutOfReach`] when nobody knows.
pub(crate) fn accepted(verdict: Verdict, values: &Values) -> Result<Map<String, Value>> {
    match verdict {
        Verdict::Accepted(said) => {
            let mut shown = values.shows();
            shown.extend(said);
            Ok(shown)
        }
        Verdict::Rejected(why) => Err(Error::bad_input("values", why)),
        Verdict::Unreachable(why, _) => {
            Err(Error::OutOfReach(format!("{why} Nothing was changed.")))
        }
    }
}

/// Keeps values that a service took, and counts it as connected.
///
/// # Errors
/// If the database fails, or the server has no key.
pub(crate) async fn connect(
    tx: &mut Tx<'_>,
    name: IntegrationName,
    label: String,
    values: &Values,
    shown: Map<String, Value>,
) -> Result<Model> {
    tx.lock_workspace().await?;
    let known = tx.rows::<Entity>(|place| {
        all_of(place.column(Column::Name).eq(name.to_value()))
            .add(place.column(Column::Label).eq(label.as_str()))
    });
    let known = known.await?.pop();
    let kept = Kept {
        plain: values.to_seal(),
        hint: values.hint(),
        health: CredentialHealth::Healthy,
        base_url: None,
    };
    let of_connection = match &known {
        Some(known) => credential_of(tx, known).await?,
        None => None,
    };
    let kind = CredentialKind::Integration;
    let called = credential_name(name, &label);
    let before = match of_connection {
        Some(credential) => Some(credential),
        None => credential_named(tx, kind, &called).await?,
    };
    let credential = match before {
        Some(before) => replace_credential(tx, &before, kept, CREDENTIAL).await?,
        None => create_credential(tx, kind, called, kept, CREDENTIAL).await?,
    };
    let changes = ActiveModel {
        credential_id: Set(Secret::new(credential.id)),
        metadata: Set(Json(Value::Object(shown))),
        last_tested_at: Set(Some(tx.now())),
        last_error: Set(None),
        connected_by_id: Set(tx.writer().user_id().cloned()),
        connected_at: Set(Some(tx.now())),
        ..Default::default()
    };
    match known {
        Some(known) if known.status == IntegrationStatus::Connected => {
            tx.update(&known, changes, "integration.reconnected").await
        }
        Some(known) => tx.take(&known, ConnectionStep::Connect, changes).await,
        None => {
            let row = ActiveModel {
                name: Set(name),
                label: Set(label),
                status: Set(IntegrationStatus::Connected),
                ..changes
            };
            tx.insert(row, "integration.connected").await
        }
    }
}

/// Asks the service of a connection again whether it takes what is kept.
///
/// # Errors
/// [`Error::Conflict`] when nothing is kept.
pub(crate) async fn test_again(scope: &Scope, id: &Id) -> Result<Tested> {
    test_kept(scope, id, of_connection).await
}

/// Asks a service whether it takes what is kept for it.
///
/// # Errors
/// As finding it.
pub(super) async fn test_kept(scope: &Scope, id: &Id, find: Find) -> Result<Tested> {
    let (values, credential, opened) = kept(scope, id, find).await?;
    let services = scope.vault().services();
    Ok(Tested {
        verdict: services.test(scope.actor(), &values).await?,
        credential,
        opened,
    })
}

/// Writes down what came of asking the service of a connection again.
///
/// # Errors
/// [`Error::Conflict`] when it was connected anew meanwhile.
pub(crate) async fn note_test(tx: &mut Tx<'_>, id: &Id, tested: Tested) -> Result<Model> {
    use ConnectionStep::{Connect, Lose, Reject};
    use IntegrationStatus::{ActionNeeded, Connected, Error as Lost};
    let row = tx.get::<Entity>(id).await?;
    let credential = credential_of(tx, &row).await?;
    let credential = same(tx, credential, &tested).await?;
    let (step, health, error, shown) = match tested.verdict {
        Verdict::Accepted(said) => (Connect, CredentialHealth::Healthy, None, said),
        Verdict::Rejected(why) => (Reject, CredentialHealth::Failing, Some(why), Map::new()),
        Verdict::Unreachable(why, _) => (Lose, CredentialHealth::Degraded, Some(why), Map::new()),
    };
    let failures = if error.is_some() {
        credential.consecutive_failures.saturating_add(1)
    } else {
        0
    };
    let mut metadata = row.metadata.0.as_object().cloned().unwrap_or_default();
    metadata.extend(shown);
    let changes = ActiveModel {
        last_tested_at: Set(Some(tx.now())),
        last_error: Set(error.clone()),
        metadata: Set(Json(Value::Object(metadata))),
        ..Default::default()
    };
    let row = match (row.status, step) {
        // A credential that was rejected is not taken for good because nobody answers.
        (Connected, Connect) | (ActionNeeded, Reject | Lose) | (Lost, Lose) => {
            tx.update(&row, changes, "integration.tested").await?
        }
        _ => tx.take(&row, step, changes).await?,
    };
    let tried = credential::tried(health, error, failures, tx.now());
    tx.update_untold(&credential, tried).await?;
    Ok(row)
}

/// What became of a token when its connection was given up.
#[derive(Clone, Copy)]
enum Revoked {
    /// The service took it back.
    Done,
    /// The service did not: somebody must do it there.
    Failed,
    /// The service cannot, or there was none.
    Never,
}

/// What a service was asked to take back, and what became of it.
#[derive(Clone)]
pub(crate) struct Revocation {
    outcome: Revoked,
    /// The credential, as it was then; none where there was nothing to ask with.
    asked: Option<(Id, Opened)>,
}

/// Has the service of a connection take back what it gave, if it can.
///
/// # Errors
/// [`Error::NotFound`] when there is no such connection.
pub(crate) async fn revoke(scope: &Scope, id: &Id) -> Result<Revocation> {
    let (values, credential, opened) = match kept(scope, id, of_connection).await {
        Ok(kept) => kept,
        // There is nothing to take back, or nobody could say what.
        Err(Error::Conflict(_) | Error::Internal(_) | Error::BadUserInput { .. }) => {
            return Ok(Revocation {
                outcome: Revoked::Never,
                asked: None,
            });
        }
        Err(error) => return Err(error),
    };
    let services = scope.vault().services();
    let outcome = match services.revoke(scope.actor(), &values).await {
        Ok(None) => Revoked::Never,
        Ok(Some(true)) => Revoked::Done,
        Ok(Some(false)) | Err(_) => Revoked::Failed,
    };
    Ok(Revocation {
        outcome,
        asked: Some((credential, opened)),
    })
}

/// Gives a connection up, and deletes what was kept for it.
///
/// # Errors
/// [`Error::NotFound`] when there is no such connection; [`Error::Conflict`] when it was connected anew meanwhile.
pub(crate) async fn disconnect(tx: &mut Tx<'_>, id: &Id, revocation: Revocation) -> Result<Model> {
    tx.lock_workspace().await?;
    let row = tx.get::<Entity>(id).await?;
    if row.status == IntegrationStatus::Disconnected {
        return Ok(row);
    }
    let credential = credential_of(tx, &row).await?;
    if let (Some(now), Some((asked, opened))) = (&credential, &revocation.asked)
        && !(now.id == *asked && still_holds(tx, now, opened).await?)
    {
        return Err(Error::Conflict(
            "It was connected anew while its service was asked to take back what it gave. Disconnect it again.".to_owned(),
        ));
    }
    let changes = ActiveModel {
        credential_id: Set(Secret(None)),
        metadata: Set(Json(Value::Object(Map::new()))),
        last_error: Set(None),
        ..Default::default()
    };
    let row = tx.take(&row, ConnectionStep::Disconnect, changes).await?;
    match revocation.outcome {
        Revoked::Done => tx.explain("The service has taken its token back."),
        Revoked::Failed => tx.explain("The service has not taken its token back; revoke it there."),
        Revoked::Never => {}
    }
    if let Some(credential) = credential {
        delete_credential(tx, &credential, CREDENTIAL).await?;
    }
    forget_secret(tx, &row).await?;
    Ok(row)
}

/// Finds by an id a credential, locked, and the service that it is for.
pub(super) type Find =
    for<'t> fn(&'t Tx<'_>, &'t Id) -> BoxFuture<'t, Result<(&'static Service, Credential)>>;

/// What is kept for a service, opened.
async fn kept(scope: &Scope, id: &Id, find: Find) -> Result<(Values, Id, Opened)> {
    let read = retried(|| async {
        let mut tx = scope.begin().await?;
        tx.check_account().await?;
        let (service, credential) = find(&tx, id).await?;
        let opened = open_credential(&mut tx, &credential).await?;
        tx.commit().await?;
        Ok((service, credential.id, opened))
    });
    let (service, credential, opened) = read.await?;
    Ok((
        Values::unsealed(service, &opened.plain)?,
        credential,
        opened,
    ))
}

/// The credential of a connection, for [`kept`].
fn of_connection<'t>(
    tx: &'t Tx<'_>,
    id: &'t Id,
) -> BoxFuture<'t, Result<(&'static Service, Credential)>> {
    Box::pin(async move {
        let row = tx.get::<Entity>(id).await?;
        let service = integration(row.name)?;
        let credential = credential_of(tx, &row).await?;
        let credential = credential.ok_or_else(|| {
            Error::Conflict("It has no credential; connect it with connectIntegration.".to_owned())
        })?;
        Ok((service, credential))
    })
}

/// The credential of a connection that was locked, locked as well.
async fn credential_of(tx: &Tx<'_>, row: &Model) -> Result<Option<Credential>> {
    let row = tx
        .with_columns::<Entity>(row, &[Column::CredentialId])
        .await?;
    match row.credential_id.0 {
        Some(id) => tx.get::<entity::credential::Entity>(&id).await.map(Some),
        None => Ok(None),
    }
}

/// The credential, if it still holds what its service was asked with.
pub(super) async fn same(
    tx: &Tx<'_>,
    now: Option<Credential>,
    tested: &Tested,
) -> Result<Credential> {
    if let Some(now) = now
        && now.id == tested.credential
        && still_holds(tx, &now, &tested.opened).await?
    {
        return Ok(now);
    }
    Err(Error::Conflict(
        "Its credential was replaced while the service was asked. Nothing was written; test it again.".to_owned(),
    ))
}
