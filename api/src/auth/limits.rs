//! How often an account, and from where, may be tried.

use super::{Origin, opaque, rate::Limiter, sign_in::Named};
use crate::error::Result;
use entity::{Id, user};

/// Those who never signed in to an account may together try it so many times as often as one address may try: its user
/// has several.
const STRANGERS: u64 = 4;
/// A network may try to sign in so many times as often as one of its addresses: an office has more than one.
const NETWORK: u64 = 8;
/// So often a minute an address may try to found a workspace.
const SIGN_UPS: u64 = 3;
/// So many times as often as it may try to sign in, an address may present refresh tokens, and a user exchange theirs:
/// a whole office may come from one address, and each of its browsers exchanges one every few minutes.
const EXCHANGES: u64 = 40;

/// How often sessions may be tried to be begun and continued. Every address counts, whatever it is: a server behind a
/// proxy is told, by its settings, to believe what the proxy says.
pub(super) struct Limits {
    tries: Limiter,
    networks: Limiter,
    strangers: Limiter,
    exchanges: Limiter,
    sign_ups: Limiter,
    networks_sign_ups: Limiter,
}

impl Limits {
    /// An address may try to sign in so many times a minute.
    pub(super) fn new(tries_per_minute: u64) -> Self {
        let times = |factor| Limiter::per_minute(tries_per_minute.saturating_mul(factor));
        Self {
            tries: times(1),
            networks: times(NETWORK),
            strangers: times(STRANGERS),
            exchanges: times(EXCHANGES),
            sign_ups: Limiter::per_minute(SIGN_UPS),
            networks_sign_ups: Limiter::per_minute(SIGN_UPS * NETWORK),
        }
    }

    /// Counts a try to sign in, by its address and its network.
    ///
    /// # Errors
    /// [`Error::RateLimited`](crate::Error::RateLimited).
    pub(super) fn check_address(&self, origin: &Origin) -> Result<()> {
        let (address, network) = (origin.key(), origin.network());
        self.tries.check(&address)?;
        if address == network {
            return Ok(());
        }
        self.networks.check(&network)
    }

    /// Counts a try to found a workspace, by its address and its network.
    ///
    /// # Errors
    /// As [`Limits::check_address`].
    pub(super) fn check_sign_up(&self, origin: &Origin) -> Result<()> {
        let (address, network) = (origin.key(), origin.network());
        self.sign_ups.check(&address)?;
        if address == network {
            return Ok(());
        }
        self.networks_sign_ups.check(&network)
    }

    /// Counts a try to sign in, by its account, among those of strangers to it.
    ///
    /// # Errors
    /// As [`Limits::check_address`].
    pub(super) fn check_stranger(&self, named: &Named) -> Result<()> {
        let account = format!("{}\n{}", named.workspace, named.email);
        self.strangers.check(&opaque::hash(&account))
    }

    /// Counts a user's try to prove who they are with their password: whoever took over a session does not get to guess.
    ///
    /// # Errors
    /// As [`Limits::check_address`].
    pub(super) fn check_own_password(&self, user: &Id) -> Result<()> {
        self.tries.check(user.as_str())
    }

    /// Counts a refresh token that is presented, by its address.
    ///
    /// # Errors
    /// As [`Limits::check_address`].
    pub(super) fn check_presenting(&self, origin: &Origin) -> Result<()> {
        self.exchanges.check(&origin.key())
    }

    /// Counts a user's exchange of a refresh token. Each leaves a row behind, to be known again.
    ///
    /// # Errors
    /// As [`Limits::check_address`].
    pub(super) fn check_exchanging(&self, user: &user::Model) -> Result<()> {
        self.exchanges.check(user.id.as_str())
    }
}
