//! People whom a provider of identities vouches for: which account is theirs, and what they are.
//!
//! An account is somebody's by what the provider calls them. Their address finds it once, if the provider says that it is theirs;
//! from then on it may change there without another account being theirs. What another provider called them, before the operator
//! named this one, counts no more: their address finds it once again.

use super::{
    invitation::{is_open, join, pending},
    people::{change_role, hold_people, is_last_owner},
    references::all_of,
};
use crate::{
    auth::{LONGEST_NAME, Newcomers, Trouble, end_all},
    domain::check,
    error::Result,
    store::Tx,
};
use entity::{
    Secret,
    user::{self, UserRole},
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};

/// The longest name of a provider for a person, by OpenID Connect.
const LONGEST_SUBJECT: usize = 255;

/// A person as a provider vouches for them.
pub(crate) struct Vouched {
    pub(crate) issuer: String,
    /// What it calls them.
    pub(crate) subject: String,
    /// Their address in lower case, if the provider says that it is theirs.
    pub(crate) email: Option<String>,
    /// What they are called, as far as it says so.
    pub(crate) name: String,
    /// What they are, where the provider says so.
    pub(crate) role: Option<UserRole>,
}

/// The account of a person, found or made, with the role that the provider gives them. The last owner stays one.
///
/// # Errors
/// If the database fails. Who is not let in is no error, and leaves nothing to commit.
pub(crate) async fn recognise(
    tx: &mut Tx<'_>,
    vouched: &Vouched,
    newcomers: Newcomers,
    default_role: UserRole,
) -> Result<Result<user::Model, Trouble>> {
    hold_people(tx).await?;
    if vouched.subject.is_empty() || vouched.subject.len() > LONGEST_SUBJECT {
        return Ok(Err(Trouble::NotProven));
    }
    let found = tx.rows::<user::Entity>(|place| {
        all_of(
            place
                .column(user::Column::IdentityIssuer)
                .eq(vouched.issuer.as_str()),
        )
        .add(
            place
                .column(user::Column::IdentitySubject)
                .eq(vouched.subject.as_str()),
        )
    });
    let user = match found.await?.pop() {
        Some(user) => user,
        None => match newcomer(tx, vouched, newcomers, default_role).await? {
            Ok(user) => user,
            Err(trouble) => return Ok(Err(trouble)),
        },
    };
    let Some(role) = vouched.role.filter(|role| *role != user.role) else {
        return Ok(Ok(user));
    };
    if is_last_owner(tx, &user).await? {
        tracing::warn!(user = %user.id, "the identity provider gives the last owner another role; they stay owner");
        return Ok(Ok(user));
    }
    change_role(tx, &user.id, role).await.map(Ok)
}

/// The account of who never came through this provider.
async fn newcomer(
    tx: &mut Tx<'_>,
    vouched: &Vouched,
    newcomers: Newcomers,
    default_role: UserRole,
) -> Result<Result<user::Model, Trouble>> {
    if newcomers == Newcomers::None {
        return Ok(Err(Trouble::UnknownPerson));
    }
    let Some(email) = &vouched.email else {
        return Ok(Err(Trouble::EmailNotVerified));
    };
    let identity = user::ActiveModel {
        identity_issuer: Set(Some(vouched.issuer.clone())),
        identity_subject: Set(Some(vouched.subject.clone())),
        ..Default::default()
    };
    let same = tx
        .rows::<user::Entity>(|place| all_of(place.column(user::Column::Email).eq(email.as_str())));
    if let Some(user) = same.await?.pop() {
        if user.identity_issuer.as_deref() == Some(&*vouched.issuer) {
            return Ok(Err(Trouble::OtherIdentity));
        }
        // Whoever had the account until now need not be whom the address is: a link that was passed on made it anybody's.
        let changes = user::ActiveModel {
            password_hash: Set(Secret(None)),
            ..identity
        };
        let user = tx.update(&user, changes, "user.identity_linked").await?;
        return end_all(tx, &user).await.map(Ok);
    }
    let user = user::ActiveModel {
        email: Set(email.clone()),
        name: Set(name(vouched, email)),
        role: Set(vouched.role.unwrap_or(default_role)),
        password_hash: Set(Secret(None)),
        ..identity
    };
    let invited = pending(tx, email).await?.pop();
    if let Some(invitation) = invited.filter(|invitation| is_open(tx, invitation)) {
        let role = vouched.role.unwrap_or_else(|| invitation.role.into());
        let user = user::ActiveModel {
            role: Set(role),
            ..user
        };
        return join(tx, &invitation, user).await.map(Ok);
    }
    match newcomers {
        Newcomers::Anyone => tx.insert(user, "user.created").await.map(Ok),
        _ => Ok(Err(Trouble::UnknownPerson)),
    }
}

/// What a person is called: by the provider, or else by their address.
fn name(vouched: &Vouched, email: &str) -> String {
    let short: String = vouched.name.trim().chars().take(LONGEST_NAME).collect();
    check::line("name", &short, 1, LONGEST_NAME).unwrap_or_else(|_| {
        let (user, _) = email.split_once('@').unwrap_or((email, ""));
        user.chars().take(LONGEST_NAME).collect()
    })
}
