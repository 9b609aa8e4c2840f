//! How people and retried requests are known again: Google accounts, tokens that work once, and given answers.

use super::{
    secrets,
    workspace::{Workspace, later},
};
use crate::{domain::digest, error::Result};
use entity::{
    Id, Json, Large, Secret,
    auth_token::{self, AuthTokenKind},
    google_oauth_token, idempotency_key,
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde_json::json;

/// Something that can be decided on by a reply to a message.
pub(super) struct Reply {
    pub(super) kind: AuthTokenKind,
    pub(super) subject_type: &'static str,
    pub(super) subject: Id,
}

pub(super) async fn write(ws: &mut Workspace<'_>) -> Result<()> {
    write_google_account(ws).await?;
    let family = Id(cuid2::create_id());
    // The admin's first refresh token was exchanged for the second.
    for (role, ago, consumed) in [
        (UserRole::Admin, 1.2, Some(0.05)),
        (UserRole::Admin, 0.05, None),
        (UserRole::Member, 0.4, None),
    ] {
        let row = auth_token::ActiveModel {
            kind: Set(AuthTokenKind::Refresh),
            user_id: Set(Some(ws.user(role)?)),
            family_id: Set(Some(if role == UserRole::Admin {
                family.clone()
            } else {
                Id(cuid2::create_id())
            })),
            ..token(ws, ago, 7.0, consumed)
        };
        ws.tx.insert(row, "auth_token.created").await?;
    }
    let row = auth_token::ActiveModel {
        kind: Set(AuthTokenKind::PasswordReset),
        user_id: Set(Some(ws.user(UserRole::Viewer)?)),
        ..token(ws, 12.6, 0.05, Some(12.59))
    };
    ws.tx.insert(row, "auth_token.created").await?;
    for reply in std::mem::take(&mut ws.replies) {
        let row = auth_token::ActiveModel {
            kind: Set(reply.kind),
            subject_type: Set(Some(reply.subject_type.to_owned())),
            subject_id: Set(Some(reply.subject)),
            ..token(ws, 1.0, 7.0, None)
        };
        ws.tx.insert(row, "auth_token.created").await?;
    }
    write_answers(ws).await
}

/// A token that was made so many days ago and holds for so many.
fn token(
    ws: &Workspace<'_>,
    ago: f64,
    holds: f64,
    consumed: Option<f64>,
) -> auth_token::ActiveModel {
    let made = ws.ago(ago);
    auth_token::ActiveModel {
        token_hash: Set(secrets::token_hash()),
        expires_at: Set(later(made, 24.0 * holds)),
        consumed_at: Set(consumed.map(|days| ws.ago(days))),
        created_at: Set(made),
        updated_at: Set(ws.ago(consumed.unwrap_or(ago))),
        ..Default::default()
    }
}

async fn write_google_account(ws: &mut Workspace<'_>) -> Result<()> {
    let row = google_oauth_token::ActiveModel {
        user_id: Set(ws.user(UserRole::Admin)?),
        email: Set(format!("admin.{}@mail.example", ws.slug)),
        access_token: Set(Secret::new(hex::encode(secrets::random::<48>()))),
        refresh_token: Set(Secret::new(hex::encode(secrets::random::<48>()))),
        expires_at: Set(ws.ago(-0.03)),
        scopes: Set(Json(vec![
            "https://www.googleapis.com/auth/drive.readonly".to_owned(),
        ])),
        drive_channel_id: Set(Some(cuid2::create_id())),
        drive_channel_token_hash: Set(secrets::token_hash()),
        channel_expiry: Set(Some(ws.ago(-4.5))),
        created_at: Set(ws.ago(64.0)),
        updated_at: Set(ws.ago(2.5)),
        ..Default::default()
    };
    ws.tx.insert(row, "google_account.connected").await?;
    Ok(())
}

/// Answers to two mutations that a client may repeat until tomorrow.
async fn write_answers(ws: &mut Workspace<'_>) -> Result<()> {
    for (role, name, ago) in [
        (UserRole::Owner, "project:default", 0.2),
        (UserRole::Member, "project:default", 0.6),
    ] {
        let made = ws.ago(ago);
        let row = idempotency_key::ActiveModel {
            actor: Set(ws.actor(Some(role), "")),
            key: Set(cuid2::create_id()),
            request_hash: Set(digest::sha256(secrets::random::<32>())),
            response: Set(Large::new(Json(json!({ "id": ws.id(name)?, "seq": 1 })))),
            expires_at: Set(later(made, 24.0)),
            created_at: Set(made),
            updated_at: Set(made),
            ..Default::default()
        };
        ws.tx.insert(row, "idempotency_key.created").await?;
    }
    Ok(())
}
