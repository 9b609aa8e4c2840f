//! How people and retried requests are known again: Google accounts, tokens that work once, and given answers.

use super::{
    agenda::Who,
    secrets,
    workspace::{Workspace, raw},
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

pub(super) fn tell(ws: &mut Workspace<'_>) {
    ws.at(ws.ago(64.0), Who::Person(UserRole::Admin), |ws| {
        Box::pin(write_google_account(ws))
    });
    let family = Id(cuid2::create_id());
    // The admin's first refresh token was exchanged for the second.
    for (role, ago, consumed) in [
        (UserRole::Admin, 1.2, Some(0.05)),
        (UserRole::Admin, 0.05, None),
        (UserRole::Member, 0.4, None),
    ] {
        let family = match role {
            UserRole::Admin => family.clone(),
            _ => Id(cuid2::create_id()),
        };
        let token = auth_token::ActiveModel {
            kind: Set(AuthTokenKind::Refresh),
            family_id: Set(Some(family)),
            ..token(ws, ago, 7.0, consumed)
        };
        tell_token(ws, role, ago, token);
    }
    let token = auth_token::ActiveModel {
        kind: Set(AuthTokenKind::PasswordReset),
        ..token(ws, 12.6, 0.05, Some(12.59))
    };
    tell_token(ws, UserRole::Viewer, 12.6, token);
    for (role, name, ago) in [
        (UserRole::Owner, "project:default", 0.2),
        (UserRole::Member, "project:default", 0.6),
    ] {
        ws.at(ws.ago(ago), Who::Person(role), move |ws| {
            Box::pin(write_answer(ws, name))
        });
    }
}

/// The ledger tells of who signs in, not of their tokens.
fn tell_token(ws: &mut Workspace<'_>, role: UserRole, ago: f64, token: auth_token::ActiveModel) {
    ws.at(ws.ago(ago), Who::Person(role), move |ws| {
        Box::pin(async move {
            let token = auth_token::ActiveModel {
                user_id: Set(Some(ws.user(role)?)),
                ..token
            };
            ws.tx.insert_untold(token).await.map(drop)
        })
    });
}

/// A token that was made so many days ago and holds for so many.
fn token(
    ws: &Workspace<'_>,
    ago: f64,
    holds: f64,
    consumed: Option<f64>,
) -> auth_token::ActiveModel {
    auth_token::ActiveModel {
        token_hash: Set(secrets::token_hash()),
        expires_at: Set(raw(ws.ago(ago), 24.0 * holds)),
        consumed_at: Set(consumed.map(|days| ws.ago(days))),
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
        ..Default::default()
    };
    ws.tx.insert(row, "google_account.connected").await?;
    Ok(())
}

/// Writes the answer to a mutation that a client may repeat until tomorrow.
async fn write_answer(ws: &mut Workspace<'_>, name: &str) -> Result<()> {
    let row = idempotency_key::ActiveModel {
        actor: Set(ws.tx.actor()),
        key: Set(cuid2::create_id()),
        request_hash: Set(digest::sha256(secrets::random::<32>())),
        response: Set(Large::new(Json(json!({ "id": ws.id(name)?, "seq": 1 })))),
        expires_at: Set(raw(ws.moment, 24.0)),
        ..Default::default()
    };
    ws.tx.insert_untold(row).await.map(drop)
}
