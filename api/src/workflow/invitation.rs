//! Invitations: sent, sent again, accepted, and what becomes of those that nobody accepts.

use super::{people::hold_people, references::all_of};
use crate::{
    auth::{INVITATION, Links, hash, mint, no_invitation},
    domain::machine::{InvitationConsequence, InvitationStep},
    error::{Error, Result, named},
    post::Page,
    store::{Place, Tx},
};
use chrono::TimeDelta;
use entity::{
    Id, Secret, Timestamp,
    invitation::{self, InvitationDelivery, InvitationRole, InvitationStatus},
    user,
};
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveEnum as _,
    ActiveValue::Set,
    Condition,
    sea_query::{Expr, ExprTrait},
};

/// How long an invitation can be accepted.
const GOOD_FOR: TimeDelta = TimeDelta::days(7);
/// So many people may be invited to a workspace at a time: each of them is sent mail that nobody asked for.
const MOST_PENDING: u64 = 500;
/// So long after it was sent an invitation is mailed again.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Invites an address. Where no mail is set up, the transaction shows the link once.
///
/// # Errors
/// [`Error::Conflict`] when somebody has the address already, or it is invited.
pub(crate) async fn invite_user(
    tx: &mut Tx<'_>,
    email: String,
    role: InvitationRole,
) -> Result<invitation::Model> {
    hold_people(tx).await?;
    must_be_no_member(tx, &email).await?;
    for pending in pending(tx, &email).await? {
        must_be_over(tx, pending).await?;
    }
    must_be_few(tx, &email).await?;
    let row = invitation::ActiveModel {
        email: Set(email),
        role: Set(role),
        status: Set(InvitationStatus::Pending),
        invited_by_id: Set(tx.scope().actor().user_id().cloned()),
        ..link(tx)
    };
    tx.insert(row, "user.invited").await
}

/// Refuses to mail more to people who did not ask for it, whatever became of what they were sent.
async fn must_be_few(tx: &Tx<'_>, email: &str) -> Result<()> {
    use invitation::Column::{CreatedAt, Email, Status};
    let ago = |time: TimeDelta| Timestamp::new(tx.now().inner() - time);
    let waits_or_is_new = |place: Place<'_>| {
        Condition::any()
            .add(
                place
                    .column(Status)
                    .eq(InvitationStatus::Pending.to_value()),
            )
            .add(place.column(CreatedAt).gt(ago(TimeDelta::hours(1))))
    };
    if tx.count::<invitation::Entity>(waits_or_is_new).await? >= MOST_PENDING {
        return Err(Error::Conflict(format!(
            "{MOST_PENDING} invitations wait to be accepted or were sent within the last hour. Take some back first, or wait."
        )));
    }
    let same = tx.count::<invitation::Entity>(|place| {
        all_of(place.column(Email).eq(email)).add(place.column(CreatedAt).gt(ago(AGAIN)))
    });
    match tx.post().mail() {
        Some(_) if same.await? > 0 => Err(Error::RateLimited {
            retry_after_ms: AGAIN.num_milliseconds().unsigned_abs(),
        }),
        _ => Ok(()),
    }
}

/// Sends an invitation again: it has another link, which is good for as long as the first one was, and the old link is good
/// for nothing.
///
/// # Errors
/// [`Error::IllegalTransition`] when it was accepted or taken back, [`Error::RateLimited`] when it was mailed a moment ago; as
/// [`invite_user`].
pub(crate) async fn resend(tx: &mut Tx<'_>, id: &Id) -> Result<invitation::Model> {
    hold_people(tx).await?;
    let row = tx.get::<invitation::Entity>(id).await?;
    must_be_no_member(tx, &row.email).await?;
    for other in pending(tx, &row.email).await? {
        if other.id != row.id {
            must_be_over(tx, other).await?;
        }
    }
    let mailed = row.expires_at.inner() - GOOD_FOR;
    let wait = (mailed + AGAIN - tx.now().inner()).num_milliseconds();
    if tx.post().mail().is_some() && row.status == InvitationStatus::Pending && wait > 0 {
        return Err(Error::RateLimited {
            retry_after_ms: wait.unsigned_abs(),
        });
    }
    let link = link(tx);
    tx.take(&row, InvitationStep::Resend, link).await
}

/// A new link: mailed, or shown once by the transaction.
fn link(tx: &mut Tx<'_>) -> invitation::ActiveModel {
    let mails = tx.post().mail().is_some();
    let nonce = Links::nonce();
    let token = match mails {
        true => tx.post().token(Page::Join, &nonce),
        false => mint(INVITATION),
    };
    if !mails {
        tx.show_once(tx.post().link(Page::Join, &token));
    }
    invitation::ActiveModel {
        token_hash: Set(Secret::new(hash(&token))),
        link_nonce: Set(if mails {
            Secret::new(nonce)
        } else {
            Secret(None)
        }),
        delivery_status: Set(match mails {
            true => InvitationDelivery::Waiting,
            false => InvitationDelivery::Shown,
        }),
        delivery_attempts: Set(0),
        next_delivery_at: Set(mails.then(|| tx.now())),
        delivery_error: Set(None),
        expires_at: Set(Timestamp::new(tx.now().inner() + GOOD_FOR)),
        ..Default::default()
    }
}

/// Takes back what somebody sent who may invite nobody any more: they could come back by it.
pub(super) async fn revoke_invitations(tx: &mut Tx<'_>, inviter: &Id) -> Result<()> {
    let sent = tx.rows::<invitation::Entity>(|place| {
        let pending = InvitationStatus::Pending.to_value();
        all_of(
            place
                .column(invitation::Column::InvitedById)
                .eq(inviter.as_str()),
        )
        .add(place.column(invitation::Column::Status).eq(pending))
    });
    for row in sent.await? {
        take_back(tx, &row).await?;
    }
    Ok(())
}

/// Takes an invitation back. One that was taken back stays as it is.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::IllegalTransition`] when it has ended otherwise.
pub(crate) async fn revoke_invitation(tx: &mut Tx<'_>, id: &Id) -> Result<invitation::Model> {
    let row = tx.get::<invitation::Entity>(id).await?;
    match row.status {
        InvitationStatus::Revoked => Ok(row),
        _ => take_back(tx, &row).await,
    }
}

/// Nothing is mailed of it any more.
async fn take_back(tx: &mut Tx<'_>, row: &invitation::Model) -> Result<invitation::Model> {
    let changes = invitation::ActiveModel {
        next_delivery_at: Set(None),
        ..Default::default()
    };
    tx.take(row, InvitationStep::Revoke, changes).await
}

async fn must_be_no_member(tx: &Tx<'_>, email: &str) -> Result<()> {
    let members = tx
        .unlocked_rows::<user::Entity>(|place| all_of(place.column(user::Column::Email).eq(email)));
    if members.await?.is_empty() {
        return Ok(());
    }
    Err(Error::conflict(
        "ALREADY_MEMBER",
        "Somebody with this address belongs to the workspace already.",
    ))
}

/// The invitations of an address that nobody has accepted: one at most.
pub(super) async fn pending(tx: &Tx<'_>, email: &str) -> Result<Vec<invitation::Model>> {
    tx.rows::<invitation::Entity>(|place| {
        let pending = InvitationStatus::Pending.to_value();
        all_of(place.column(invitation::Column::Email).eq(email))
            .add(place.column(invitation::Column::Status).eq(pending))
    })
    .await
}

/// Whether an invitation can be accepted now.
pub(super) fn is_open(tx: &Tx<'_>, row: &invitation::Model) -> bool {
    row.status == InvitationStatus::Pending && tx.now() < row.expires_at
}

/// Closes an invitation whose time is up, and refuses another one beside it while it is not.
async fn must_be_over(tx: &mut Tx<'_>, row: invitation::Model) -> Result<()> {
    if tx.now() < row.expires_at {
        return Err(Error::conflict(
            "INVITE_PENDING",
            "This address is invited already. Send that invitation again, or take it back.",
        ));
    }
    expire(tx, &row).await
}

async fn expire(tx: &mut Tx<'_>, row: &invitation::Model) -> Result<()> {
    let changes = invitation::ActiveModel {
        next_delivery_at: Set(None),
        ..Default::default()
    };
    tx.take(row, InvitationConsequence::Expire, changes)
        .await
        .map(drop)
}

/// Refuses an invitation that is no longer pending.
///
/// # Errors
/// [`Error::Conflict`].
pub(crate) fn may_be_accepted(row: &invitation::Model) -> Result<()> {
    match row.status {
        InvitationStatus::Pending => Ok(()),
        InvitationStatus::Expired => Err(over()),
        ended => Err(Error::Conflict(format!(
            "This invitation is {} already. Sign in, or ask for another one.",
            named(ended)
        ))),
    }
}

fn over() -> Error {
    Error::Conflict(
        "This invitation was to be accepted within seven days. Ask for another one.".to_owned(),
    )
}

/// Makes the user whom the invitation with this token's hash was for. One whose time is up is closed, and the refusal is what
/// is answered after the commit.
///
/// # Errors
/// [`Error::Conflict`] when it is no longer pending.
pub(crate) async fn accept(
    tx: &mut Tx<'_>,
    token: &str,
    name: &str,
    password_hash: &str,
) -> Result<Result<user::Model>> {
    hold_people(tx).await?;
    let found = tx.rows::<invitation::Entity>(|place| {
        all_of(place.column(invitation::Column::TokenHash).eq(token))
    });
    let row = found.await?.pop().ok_or_else(no_invitation)?;
    may_be_accepted(&row)?;
    if row.expires_at <= tx.now() {
        expire(tx, &row).await?;
        return Ok(Err(over()));
    }
    must_be_no_member(tx, &row.email).await?;
    let user = user::ActiveModel {
        email: Set(row.email.clone()),
        name: Set(name.to_owned()),
        role: Set(row.role.into()),
        password_hash: Set(Secret::new(password_hash.to_owned())),
        last_login_at: Set(Some(tx.now())),
        ..Default::default()
    };
    join(tx, &row, user).await.map(Ok)
}

/// Makes the user whom an open invitation is for.
pub(super) async fn join(
    tx: &mut Tx<'_>,
    row: &invitation::Model,
    user: user::ActiveModel,
) -> Result<user::Model> {
    let user = tx.insert(user, "user.joined").await?;
    let accepted = invitation::ActiveModel {
        accepted_by_id: Set(Some(user.id.clone())),
        accepted_at: Set(Some(tx.now())),
        next_delivery_at: Set(None),
        ..Default::default()
    };
    tx.take(row, InvitationConsequence::Accept, accepted)
        .await?;
    Ok(user)
}

/// The invitations whose time is up.
pub(crate) fn overdue_invitations(now: Timestamp) -> Condition {
    let status = Expr::col(invitation::Column::Status);
    all_of(status.eq(InvitationStatus::Pending.to_value()))
        .add(Expr::col(invitation::Column::ExpiresAt).lte(now))
}

/// Closes an invitation, if its time is still up.
pub(crate) fn tend_invitation<'t>(tx: &'t mut Tx<'_>, id: &'t Id) -> BoxFuture<'t, Result<bool>> {
    Box::pin(async move {
        let row = tx.get::<invitation::Entity>(id).await?;
        let is_over = row.status == InvitationStatus::Pending && row.expires_at <= tx.now();
        if is_over {
            expire(tx, &row).await?;
        }
        Ok(is_over)
    })
}
