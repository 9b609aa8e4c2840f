//! What is still to happen in a workspace, and who does it, in the order of time.

use super::workspace::Workspace;
use crate::{
    auth::Actor,
    error::{Error, Result},
};
use entity::{Id, Owned, Timestamp, user::UserRole};
use futures_util::future::BoxFuture;
use sea_orm::ActiveEnum;
use std::collections::BTreeMap;

/// Who does something.
#[derive(Clone)]
pub(super) enum Who {
    /// The person with this role.
    Person(UserRole),
    /// The holder of the agent token with this key.
    Agent(String),
    /// The holder of the service token with this key.
    Service(String),
    /// A part of the server.
    Server(&'static str),
}

type Deed = Box<dyn for<'w, 's> FnOnce(&'w mut Workspace<'s>) -> BoxFuture<'w, Result<()>> + Send>;

/// What is still to happen.
#[derive(Default)]
pub(super) struct Agenda {
    deeds: BTreeMap<(Timestamp, usize), (Who, Deed)>,
    entered: usize,
}

impl Workspace<'_> {
    /// At this moment somebody does something: what is to be done later still may follow from it. Nothing happens in the
    /// future, or before what happens now.
    pub(super) fn at<D>(&mut self, at: Timestamp, who: Who, deed: D)
    where
        D: for<'w, 's> FnOnce(&'w mut Workspace<'s>) -> BoxFuture<'w, Result<()>> + Send + 'static,
    {
        let at = at.min(self.now).max(self.moment);
        self.agenda.entered += 1;
        let place = (at, self.agenda.entered);
        self.agenda.deeds.insert(place, (who, Box::new(deed)));
    }

    /// Lets everything happen.
    pub(super) async fn live(&mut self) -> Result<()> {
        while let Some(((at, _), (who, deed))) = self.agenda.deeds.pop_first() {
            self.moment = at;
            self.act(&who)?;
            deed(self).await?;
        }
        Ok(())
    }

    /// From now on somebody else acts, at the same moment.
    pub(super) fn act(&mut self, who: &Who) -> Result<()> {
        let actor = match who {
            Who::Person(role) => Actor::told_of_user(self.person(*role)?.clone()),
            Who::Agent(key) => {
                let token = self.tokens.get(key);
                let token = token.ok_or_else(|| nobody(key))?;
                Actor::told_of_agent(token.clone())
            }
            Who::Service(key) => {
                let token = self.services.get(key);
                let token = token.ok_or_else(|| nobody(key))?;
                Actor::told_of_service(token.clone())
            }
            Who::Server(part) => Actor::system(self.tenant.clone(), part),
        };
        self.tx.as_of(self.moment, actor);
        Ok(())
    }

    fn person(&self, role: UserRole) -> Result<&entity::user::Model> {
        let person = self.users.iter().find(|user| user.role == role);
        person.ok_or_else(|| nobody(&role.to_value()))
    }

    /// The user with this role.
    pub(super) fn user(&self, role: UserRole) -> Result<Id> {
        self.person(role).map(|user| user.id.clone())
    }

    /// A row as it is now, whoever acts.
    pub(super) async fn row<E: Owned>(&mut self, id: &Id) -> Result<E::Model> {
        self.tx.begin_by_itself("seed");
        let row = self.tx.get::<E>(id).await;
        self.tx.end_by_itself();
        row
    }
}

fn nobody(name: &str) -> Error {
    Error::internal(format!("the demo has no {name} yet"))
}
