//! Links that are mailed: after the commit of what they are about, by whichever server has the task, until the mail server takes
//! them.
//!
//! A row says that a link is to be mailed, and what its token is made of. Whoever mails it notes that first, so that a server
//! that dies meanwhile, or a mail server that is slow, holds nobody up: the letter goes out once more when it is due again. It
//! has the same name then.

use super::references::all_of;
use crate::{
    auth::hash,
    error::Result,
    mail::{Letter, Mail, Undelivered},
    post::Page,
    store::{Store, Tx, retried},
};
use chrono::TimeDelta;
use entity::{
    Id, Owned, Secret, Timestamp, auth_token,
    invitation::{self, InvitationDelivery, InvitationStatus},
    tenant, user,
};
use sea_orm::{
    ActiveEnum as _,
    ActiveValue::Set,
    Condition,
    sea_query::{Expr, ExprTrait},
};
use std::future::Future;

/// The part of the server that mails.
const COMPONENT: &str = "mail";
/// So many letters go out at once.
const AT_ONCE: usize = 8;
/// How long after the first try that failed there is another. It doubles from try to try.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
/// It is no longer than this.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);
/// So often a letter is tried.
const TRIES: i32 = 20;

const NOT_OURS: &str = "The server's secret is another one than when it was sent. Send it again.";

/// A try to mail a link.
struct Try {
    /// Which one it is.
    number: i32,
    /// The hash of the link's token: another link is another letter.
    token: String,
    /// What goes out; none where the token cannot be made any more.
    letter: Option<Letter>,
}

/// A table whose rows may have a link to be mailed.
trait Mailed: Owned {
    /// The rows whose link is to be mailed now.
    fn due(now: Timestamp) -> Condition;

    /// Notes that it is tried to mail a row's link, if that is still due.
    fn begin(tx: &mut Tx<'_>, id: &Id) -> impl Future<Output = Result<Option<Try>>> + Send;

    /// Notes what became of a try, unless another one has begun.
    fn end(tx: &mut Tx<'_>, id: &Id, tried: &Ended) -> impl Future<Output = Result<()>> + Send;
}

/// What became of a try.
struct Ended {
    number: i32,
    token: String,
    outcome: Result<(), Undelivered>,
}

impl Ended {
    /// Whether it is not tried again.
    fn is_over(&self) -> bool {
        { self.outcome.as_ref() }.map_or_else(
            |failed| !failed.may_go_later || self.number >= TRIES,
            |()| true,
        )
    }

    fn error(&self) -> Option<String> {
        self.outcome.as_ref().err().map(|failed| failed.why.clone())
    }
}

/// Mails the links that are due. Returns how many went out.
///
/// # Errors
/// If the database fails; a letter that the mail server does not take is noted and tried again.
pub(crate) async fn mail_links(store: &Store) -> Result<u64> {
    let Some(mail) = store.post().mail() else {
        return Ok(0);
    };
    // Whoever waits for a new password waits now.
    let passwords = mail_each::<auth_token::Entity>(store, mail).await;
    let invitations = mail_each::<invitation::Entity>(store, mail).await;
    Ok(passwords? + invitations?)
}

async fn mail_each<E: Mailed>(store: &Store, mail: &Mail) -> Result<u64> {
    let mail = |tenant, id| mail_one::<E>(store, mail, tenant, id);
    store.system().each_due::<E, _>(E::due, AT_ONCE, mail).await
}

/// Mails one link. Says whether it went out. No transaction is open while the mail server is waited for.
async fn mail_one<E: Mailed>(store: &Store, mail: &Mail, tenant: Id, id: Id) -> Result<bool> {
    let id = &id;
    let scope = store.system().tenant(tenant.clone(), COMPONENT);
    let begun = retried(|| async {
        let mut tx = scope.begin().await?;
        let begun = E::begin(&mut tx, id).await?;
        tx.commit().await?;
        Ok(begun)
    });
    let Some(begun) = begun.await? else {
        return Ok(false);
    };
    let outcome = match begun.letter {
        Some(letter) => mail.send(letter).await,
        None => Err(Undelivered {
            why: NOT_OURS.to_owned(),
            may_go_later: false,
        }),
    };
    if let Err(failed) = &outcome {
        tracing::warn!(%tenant, kind = E::KIND, %id, tries = begun.number, cause = failed.why, "a link was not mailed");
    }
    let ended = Ended {
        number: begun.number,
        token: begun.token,
        outcome,
    };
    retried(|| async {
        let mut tx = scope.begin().await?;
        E::end(&mut tx, id, &ended).await?;
        tx.commit().await?;
        Ok(())
    })
    .await?;
    Ok(ended.outcome.is_ok())
}

/// When a link is due again, if nothing is heard of this try or it fails.
fn again(now: Timestamp, number: i32) -> Timestamp {
    let times = 1_i32
        .checked_shl(number.unsigned_abs().saturating_sub(1))
        .unwrap_or(i32::MAX);
    let wait = { FIRST_WAIT.checked_mul(times) }
        .unwrap_or(LONGEST_WAIT)
        .min(LONGEST_WAIT);
    Timestamp::new(now.inner() + wait)
}

/// The token that a link has, if it can still be made.
fn token(tx: &Tx<'_>, page: Page, nonce: &Secret<String>, kept: &Secret<String>) -> Option<String> {
    let token = tx.post().token(page, nonce.0.as_deref()?);
    (Some(hash(&token)) == kept.0).then_some(token)
}

/// What a letter is called: the same whenever it goes out, and another one for another link.
fn name(id: &Id, token: &str) -> String {
    format!("{id}.{}", token.get(..16).unwrap_or(token))
}

impl Mailed for invitation::Entity {
    fn due(now: Timestamp) -> Condition {
        let status = Expr::col(invitation::Column::Status);
        all_of(Expr::col(invitation::Column::NextDeliveryAt).lte(now))
            .add(status.eq(InvitationStatus::Pending.to_value()))
    }

    async fn begin(tx: &mut Tx<'_>, id: &Id) -> Result<Option<Try>> {
        let row = tx.get::<invitation::Entity>(id).await?;
        let is_due = row.next_delivery_at.is_some_and(|at| at <= tx.now());
        if !is_due || row.status != InvitationStatus::Pending || row.expires_at <= tx.now() {
            return Ok(None);
        }
        let secrets = [invitation::Column::LinkNonce, invitation::Column::TokenHash];
        let row = tx
            .with_columns::<invitation::Entity>(&row, &secrets)
            .await?;
        let number = row.delivery_attempts + 1;
        let changes = invitation::ActiveModel {
            delivery_attempts: Set(number),
            next_delivery_at: Set(Some(again(tx.now(), number))),
            ..Default::default()
        };
        tx.update_untold(&row, changes).await?;
        let link = token(tx, Page::Join, &row.link_nonce, &row.token_hash);
        let link = link.map(|token| tx.post().link(Page::Join, &token));
        let workspace = tx.workspace().await?.name;
        let inviter = match &row.invited_by_id {
            Some(id) => tx.find::<user::Entity>(id).await?,
            None => None,
        };
        let token = row.token_hash.0.unwrap_or_default();
        let letter = link.map(|link| Letter {
            name: name(id, &token),
            to: row.email,
            subject: format!("You are invited to {workspace}"),
            text: invitation_text(&workspace, inviter.as_ref(), &link, row.expires_at),
        });
        Ok(Some(Try {
            number,
            token,
            letter,
        }))
    }

    async fn end(tx: &mut Tx<'_>, id: &Id, ended: &Ended) -> Result<()> {
        let row = tx.get::<invitation::Entity>(id).await?;
        let kept = tx
            .with_columns::<invitation::Entity>(&row, &[invitation::Column::TokenHash])
            .await?;
        let is_same = kept.token_hash.0.as_ref() == Some(&ended.token)
            && row.delivery_attempts == ended.number;
        if !is_same || row.delivery_status != InvitationDelivery::Waiting {
            return Ok(());
        }
        let mut changes = invitation::ActiveModel {
            delivery_error: Set(ended.error()),
            ..Default::default()
        };
        if !ended.is_over() {
            return tx.update_untold(&row, changes).await.map(drop);
        }
        let (status, entry) = match &ended.outcome {
            Ok(()) => (InvitationDelivery::Sent, "invitation.mailed"),
            Err(_) => (InvitationDelivery::Failed, "invitation.undelivered"),
        };
        changes.delivery_status = Set(status);
        changes.next_delivery_at = Set(None);
        tx.update(&row, changes, entry).await.map(drop)
    }
}

impl Mailed for auth_token::Entity {
    fn due(now: Timestamp) -> Condition {
        all_of(Expr::col(auth_token::Column::NextDeliveryAt).lte(now))
            .add(Expr::col(auth_token::Column::ConsumedAt).is_null())
            .add(Expr::col(auth_token::Column::ExpiresAt).gt(now))
    }

    async fn begin(tx: &mut Tx<'_>, id: &Id) -> Result<Option<Try>> {
        let row = tx.get::<auth_token::Entity>(id).await?;
        let is_due = row.next_delivery_at.is_some_and(|at| at <= tx.now());
        if !is_due || row.consumed_at.is_some() || row.expires_at <= tx.now() {
            return Ok(None);
        }
        let user = match &row.user_id {
            Some(id) => tx.find::<user::Entity>(id).await?,
            None => None,
        };
        let Some(user) = user else {
            return Ok(None);
        };
        let secrets = [auth_token::Column::LinkNonce, auth_token::Column::TokenHash];
        let row = tx
            .with_columns::<auth_token::Entity>(&row, &secrets)
            .await?;
        let number = row.delivery_attempts + 1;
        let changes = auth_token::ActiveModel {
            delivery_attempts: Set(number),
            next_delivery_at: Set(Some(again(tx.now(), number))),
            ..Default::default()
        };
        tx.update_untold(&row, changes).await?;
        let link = token(tx, Page::NewPassword, &row.link_nonce, &row.token_hash);
        let link = link.map(|token| tx.post().link(Page::NewPassword, &token));
        let workspace = tx.workspace().await?;
        let token = row.token_hash.0.unwrap_or_default();
        let letter = link.map(|link| Letter {
            name: name(id, &token),
            text: reset_text(&workspace, &user, &link),
            to: user.email,
            subject: "Choose a new password".to_owned(),
        });
        Ok(Some(Try {
            number,
            token,
            letter,
        }))
    }

    async fn end(tx: &mut Tx<'_>, id: &Id, ended: &Ended) -> Result<()> {
        let row = tx.get::<auth_token::Entity>(id).await?;
        if row.delivery_attempts != ended.number || row.next_delivery_at.is_none() {
            return Ok(());
        }
        let again = row.next_delivery_at.filter(|_| !ended.is_over());
        let changes = auth_token::ActiveModel {
            delivery_error: Set(ended.error()),
            next_delivery_at: Set(again),
            ..Default::default()
        };
        tx.update_untold(&row, changes).await.map(drop)
    }
}

fn invitation_text(
    workspace: &str,
    inviter: Option<&user::Model>,
    link: &str,
    until: Timestamp,
) -> String {
    let inviter = inviter.map_or("Somebody".to_owned(), |user| {
        format!("{} ({})", user.name, user.email)
    });
    let until = until.inner().format("%-d %B %Y, %H:%M");
    format!(
        "{inviter} invites you to the workspace {workspace}.\r\n\r\nAccept the invitation here:\r\n\r\n{link}\r\n\r\nThe link is \
         good once, until {until} UTC. If you do not know what this is about, you need not do anything.\r\n"
    )
}

fn reset_text(workspace: &tenant::Model, user: &user::Model, link: &str) -> String {
    let (name, slug) = (&workspace.name, &workspace.slug);
    format!(
        "Hello {},\r\n\r\nsomebody asked for a new password for your account in the workspace {name} ({slug}). Choose it \
         here:\r\n\r\n{link}\r\n\r\nThe link is good once, for an hour. If that was not you, you need not do anything: your password \
         stays as it is.\r\n",
        user.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_tried_again_after_a_minute_two_four_and_at_last_every_hour() {
        let now = Timestamp::new(chrono::DateTime::UNIX_EPOCH);
        let wait = |number| (again(now, number).inner() - now.inner()).num_minutes();
        assert_eq!([1, 2, 3, 6, 7, 20, 40].map(wait), [1, 2, 4, 32, 60, 60, 60]);
    }
}
