//! Who is asking, and what they may do.

mod actor;
mod failures;
mod joining;
mod limits;
mod links;
mod oidc;
mod opaque;
mod own_password;
mod password;
mod policy;
mod rate;
mod recent;
mod resets;
mod session;
mod sign_in;
mod token;
mod turns;

pub(crate) use self::{
    actor::Account,
    joining::{Founding, Joining, LONGEST_NAME, no_invitation},
    links::Links,
    oidc::{Answered, Failure, GOOD_FOR, Trouble},
    opaque::{AGENT, INVITATION, REPLY, RESET, SERVICE, WEBHOOK, hash, hint, mint},
    password::{DEMO_PASSWORD, Passwords, Verdict},
    rate::whence_key,
    session::end_all,
};
pub use self::{
    actor::{Actor, Origin, Role},
    oidc::{Newcomers, OidcSettings},
    policy::{Action, Rows, Whose, authorize, decides, rows, sees_entry},
    rate::{Limiter, address_key},
    session::{Session, Sessions},
    token::{Secret, Tokens},
};
