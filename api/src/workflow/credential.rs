//! Secrets as rows: sealed for the row that they stand in, and opened for who is about to send them.

use super::all_of;
use crate::{
    error::{Error, Result},
    store::Tx,
    vault::{KeyRing, Plain, Sealed, Whereabouts},
};
use chrono::TimeDelta;
use entity::{
    Id, Secret, Timestamp,
    credential::{self, Column, CredentialHealth, CredentialKind, Entity, Model},
    integration_connection,
};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};

/// How often it is noted that a secret is used.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// What the ledger calls it when a secret comes, is replaced, and goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) created: &'static str,
    pub(crate) rotated: &'static str,
    pub(crate) deleted: &'static str,
}

/// What the ledger tells of a credential.
pub(crate) const CREDENTIAL: Told = Told {
    created: "credential.created",
    rotated: "credential.rotated",
    deleted: "credential.deleted",
};

/// What the ledger tells of a provider of models.
pub(crate) const AI_PROVIDER: Told = Told {
    created: "ai_provider.added",
    rotated: "ai_provider.rotated",
    deleted: "ai_provider.removed",
};

/// A secret that is to be kept.
pub(crate) struct Kept {
    pub(crate) plain: Plain,
    /// What it is recognised by.
    pub(crate) hint: Option<String>,
    pub(crate) health: CredentialHealth,
    /// Where a provider of the workspace's own is reached.
    pub(crate) base_url: Option<String>,
}

impl Kept {
    /// A secret that nobody has tried.
    pub(crate) fn untried(plain: Plain) -> Self {
        Self {
            hint: plain.hint(),
            plain,
            health: CredentialHealth::Unknown,
            base_url: None,
        }
    }

    fn columns(
        self,
        tx: &Tx<'_>,
        kind: CredentialKind,
        id: &Id,
    ) -> Result<credential::ActiveModel> {
        let (tenant, kind) = (tx.scope().actor().tenant(), kind.to_value());
        let at = Whereabouts {
            tenant: tenant.as_str(),
            kind: &kind,
            id: id.as_str(),
        };
        let sealed = tx.scope().vault().keys().seal(&self.plain, at)?;
        let is_tried = self.health != CredentialHealth::Unknown;
        Ok(credential::ActiveModel {
            ciphertext: Set(Secret::new(sealed.ciphertext)),
            nonce: Set(Secret::new(sealed.nonce)),
            key_id: Set(sealed.key_id),
            algorithm: Set(sealed.algorithm.to_owned()),
            hint: Set(self.hint),
            health: Set(self.health),
            last_checked_at: Set(is_tried.then(|| tx.now())),
            last_error: Set(None),
            consecutive_failures: Set(0),
            base_url: Set(self.base_url),
            ..Default::default()
        })
    }
}

/// The credential with this name, if there is one. Whoever looks holds off others of the workspace that do.
///
/// # Errors
/// If the database fails.
pub(crate) async fn credential_named(
    tx: &Tx<'_>,
    kind: CredentialKind,
    name: &str,
) -> Result<Option<Model>> {
    tx.lock_workspace().await?;
    let found = tx.rows::<Entity>(|place| {
        all_of(place.column(Column::Kind).eq(kind.to_value()))
            .add(place.column(Column::Name).eq(name))
    });
    Ok(found.await?.pop())
}

/// Keeps a secret under a new name.
///
/// # Errors
/// [`Error::OutOfReach`] when the server has no key; or if the database fails.
pub(crate) async fn create_credential(
    tx: &mut Tx<'_>,
    kind: CredentialKind,
    name: String,
    kept: Kept,
    told: Told,
) -> Result<Model> {
    let id = Id(cuid2::create_id());
    let row = credential::ActiveModel {
        kind: Set(kind),
        name: Set(name),
        created_by_id: Set(tx.writer().user_id().cloned()),
        ..kept.columns(tx, kind, &id)?
    };
    tx.insert_under(&id, row, told.created).await
}

/// Keeps another secret in place of one.
///
/// # Errors
/// As [`create_credential`].
pub(crate) async fn replace_credential(
    tx: &mut Tx<'_>,
    row: &Model,
    kept: Kept,
    told: Told,
) -> Result<Model> {
    let changes = credential::ActiveModel {
        rotated_at: Set(Some(tx.now())),
        ..kept.columns(tx, row.kind, &row.id)?
    };
    tx.update(row, changes, told.rotated).await
}

/// Deletes a secret.
///
/// # Errors
/// If the database fails.
pub(crate) async fn delete_credential(tx: &mut Tx<'_>, row: &Model, told: Told) -> Result<()> {
    tx.delete::<Entity>(row, told.deleted).await.map(drop)
}

/// A secret, and what tells it from others that stood or will stand in its place.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) plain: Plain,
    nonce: Vec<u8>,
}

/// Opens a secret, and notes that it is used.
///
/// # Errors
/// [`Error::Internal`] when it does not open.
pub(crate) async fn open_credential(tx: &mut Tx<'_>, row: &Model) -> Result<Opened> {
    let row = with_secrets(tx, row).await?;
    let opened = unseal(tx.scope().vault().keys(), &row)?;
    note_use(tx, &row).await?;
    Ok(opened)
}

/// Opens the secret of a row that was read with what is sealed.
///
/// # Errors
/// [`Error::Internal`] when it does not open.
pub(crate) fn unseal(keys: &KeyRing, row: &Model) -> Result<Opened> {
    let kind = row.kind.to_value();
    let at = Whereabouts {
        tenant: row.tenant_id.as_str(),
        kind: &kind,
        id: row.id.as_str(),
    };
    let nonce = row.nonce.0.clone().unwrap_or_default();
    let sealed = Sealed {
        ciphertext: row.ciphertext.0.clone().unwrap_or_default(),
        nonce: nonce.clone(),
        key_id: row.key_id.clone(),
        algorithm: "",
    };
    let plain = keys.open(&sealed, at)?;
    Ok(Opened { plain, nonce })
}

/// Notes that a secret is used.
///
/// # Errors
/// If the database fails.
pub(super) async fn note_use(tx: &mut Tx<'_>, row: &Model) -> Result<()> {
    let is_noted =
        { row.last_used_at }.is_some_and(|at| tx.now().inner() - at.inner() < NOTED_EVERY);
    if !is_noted {
        let used = credential::ActiveModel {
            last_used_at: Set(Some(tx.now())),
            // It was used, not changed.
            updated_at: Set(row.updated_at),
            ..Default::default()
        };
        tx.update_untold(row, used).await?;
    }
    Ok(())
}

/// Whether a row still holds the secret that was opened.
///
/// # Errors
/// If the database fails.
pub(crate) async fn still_holds(tx: &Tx<'_>, row: &Model, opened: &Opened) -> Result<bool> {
    Ok(with_secrets(tx, row).await?.nonce.0.as_ref() == Some(&opened.nonce))
}

async fn with_secrets(tx: &Tx<'_>, row: &Model) -> Result<Model> {
    tx.with_columns::<Entity>(row, &[Column::Ciphertext, Column::Nonce])
        .await
}

/// Notes what came of trying a secret.
pub(crate) fn tried(
    health: CredentialHealth,
    error: Option<String>,
    failures: i32,
    at: Timestamp,
) -> credential::ActiveModel {
    credential::ActiveModel {
        health: Set(health),
        last_checked_at: Set(Some(at)),
        last_error: Set(error),
        consecutive_failures: Set(failures),
        ..Default::default()
    }
}

/// Deletes a secret whose key is lost; a connection that used it needs somebody then.
///
/// # Errors
/// [`Error::NotFound`] when it is gone already.
pub(crate) async fn forget_credential(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    use crate::domain::machine::ConnectionStep::Reject;
    use integration_connection::{ActiveModel, IntegrationStatus::Connected};
    let using = tx.rows::<integration_connection::Entity>(|place| {
        all_of(
            place
                .column(integration_connection::Column::CredentialId)
                .eq(id.as_str()),
        )
    });
    for connection in using.await? {
        let changes = ActiveModel {
            last_error: Set(Some("Its credential is lost; connect it again.".to_owned())),
            ..Default::default()
        };
        match connection.status {
            Connected => tx.take(&connection, Reject, changes).await.map(drop)?,
            _ => tx
                .update(&connection, changes, "integration.transitioned")
                .await
                .map(drop)?,
        }
    }
    let row = tx.get::<Entity>(id).await?;
    let told = match row.kind {
        CredentialKind::AiProvider => AI_PROVIDER,
        _ => CREDENTIAL,
    };
    delete_credential(tx, &row, told).await
}

/// Refuses to treat as any other credential what has mutations of its own.
///
/// # Errors
/// [`Error::BadUserInput`], which names them.
pub(crate) fn is_loose(field: &str, kind: CredentialKind) -> Result<()> {
    let instead = match kind {
        CredentialKind::Integration => {
            "connectIntegration and disconnectIntegration see to that of a connected service, and try it"
        }
        CredentialKind::AiProvider => {
            "addAiProvider, rotateAiProvider and removeAiProvider see to that of a provider of models, and try it"
        }
        CredentialKind::WebhookSecret | CredentialKind::Oauth | CredentialKind::Other => {
            return Ok(());
        }
    };
    Err(Error::bad_input(field, instead))
}
