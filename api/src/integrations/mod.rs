//! Other services: what each needs, and how it is tried whether it takes that.
//!
//! What there is stands as data in `service`. `outside` is the one way out: bounded in time and size, without redirects, and
//! with an eye on where it leads. Nothing here knows of rows, and no transaction is open while a service is asked.

mod addresses;
mod outside;
mod public;
mod service;
mod values;
mod verdict;

pub use self::addresses::Addresses;
pub(crate) use self::{
    outside::{Call, Outside},
    service::{INTEGRATIONS, Service, ai_provider, credential_name, integration},
    values::Values,
    verdict::Verdict,
};

use self::{outside::Unheard, service::Request};
use crate::{
    auth::Actor,
    error::{Error, Result},
    store::{Admission, Most, Shares},
};
use std::{sync::Arc, time::Duration};

/// So many services are asked at once, by all and by each workspace: each waits for strangers, and holds its operation's turn
/// meanwhile.
const AT_ONCE: Shares = Shares {
    actor: 4,
    workspace: 4,
    all: 64,
};

/// Why an address is not asked.
const PRIVATE: &str = "does not lead to a public address. Within its own network this server asks nobody, unless its operator \
                       sets WORKGRAPH_ALLOW_PRIVATE_ADDRESSES";

/// The services, as this server reaches them.
pub struct Services {
    addresses: Addresses,
    /// Whether workspaces may name addresses that are not public.
    allow_private: bool,
    outside: Outside,
    turns: Arc<Admission>,
}

impl Default for Services {
    fn default() -> Self {
        Self::new(Addresses::default(), false)
    }
}

impl Services {
    /// Services at these addresses.
    pub fn new(addresses: Addresses, allow_private: bool) -> Self {
        Self {
            addresses,
            allow_private,
            outside: Outside::default(),
            turns: Admission::new(Most {
                at_once: AT_ONCE,
                present: AT_ONCE,
                wait: Duration::ZERO,
            }),
        }
    }

    /// Whether a service takes these values.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when an address among them cannot be one; [`Error::Busy`] when too many are asked at once.
    pub(crate) async fn test(&self, actor: &Actor, values: &Values) -> Result<Verdict> {
        let _turn = self
            .turns
            .acquire(actor.tenant().as_str(), &actor.key())
            .await?;
        let probe = &values.service().probe;
        self.ask(probe, values).await
    }

    /// Has a service take back what it gave. Says whether it did; nothing where it cannot.
    ///
    /// # Errors
    /// As [`test`](Self::test).
    pub(crate) async fn revoke(&self, actor: &Actor, values: &Values) -> Result<Option<bool>> {
        let Some(revoke) = &values.service().revoke else {
            return Ok(None);
        };
        let _turn = self
            .turns
            .acquire(actor.tenant().as_str(), &actor.key())
            .await?;
        let verdict = self.ask(revoke, values).await?;
        Ok(Some(matches!(verdict, Verdict::Accepted(_))))
    }

    async fn ask(&self, request: &Request, values: &Values) -> Result<Verdict> {
        let service = values.service();
        let (base, is_own) = match values.base_url() {
            Some(own) => (own.to_owned(), true),
            None => (self.addresses.of(service.key, values), false),
        };
        let guarded = is_own && !self.allow_private;
        if guarded && !base.starts_with("https://") {
            return Err(Error::bad_input("baseUrl", "must begin with https://"));
        }
        let call = request.call(&base, values)?;
        let heard = self.outside.ask(call, guarded).await;
        if heard.as_ref().err() == Some(&Unheard::Private) {
            return Err(Error::bad_input("baseUrl", PRIVATE));
        }
        Ok(verdict::judge(service, request, values, heard))
    }
}
