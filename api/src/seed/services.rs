//! The company's own programs: their tokens.

use super::{agenda::Who, secrets, workspace::Workspace};
use crate::error::Result;
use entity::{
    service_token::{self, ServiceRole},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    key: String,
    name: String,
    role: ServiceRole,
    hint: String,
    ago: f64,
    /// Days since it was last used; none if it never was.
    used: Option<f64>,
    revoked: Option<f64>,
}

/// The program that keeps what the outside tracker says of tickets.
pub(super) fn tracker() -> Who {
    Who::Service("tracker".to_owned())
}

pub(super) fn tell(ws: &mut Workspace<'_>, services: Vec<Service>) {
    for service in services {
        ws.at(ws.ago(service.ago), Who::Person(UserRole::Admin), |ws| {
            Box::pin(write_token(ws, service))
        });
    }
}

async fn write_token(ws: &mut Workspace<'_>, service: Service) -> Result<()> {
    let row = service_token::ActiveModel {
        name: Set(service.name),
        token_hash: Set(secrets::token_hash()),
        token_hint: Set(service.hint),
        role: Set(service.role),
        created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
        expires_at: Set(ws.ago(service.ago - 365.0)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "service_token.created").await?;
    let id = row.id.clone();
    ws.services.insert(service.key, row);
    if let Some(used) = service.used {
        let id = id.clone();
        ws.at(ws.ago(used), Who::Server("services"), move |ws| {
            Box::pin(async move {
                let token = ws.row::<service_token::Entity>(&id).await?;
                let changes = service_token::ActiveModel {
                    last_used_at: Set(Some(ws.moment)),
                    ..Default::default()
                };
                ws.tx.update_untold(&token, changes).await.map(drop)
            })
        });
    }
    let Some(revoked) = service.revoked else {
        return Ok(());
    };
    ws.at(ws.ago(revoked), Who::Person(UserRole::Admin), move |ws| {
        Box::pin(async move {
            let token = ws.row::<service_token::Entity>(&id).await?;
            let changes = service_token::ActiveModel {
                revoked_at: Set(Some(ws.moment)),
                ..Default::default()
            };
            let revoked = ws.tx.update(&token, changes, "service_token.revoked").await;
            revoked.map(drop)
        })
    });
    Ok(())
}
