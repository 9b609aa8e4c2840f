//! A workspace while it is being written: its transaction, its times, and the rows that later ones point to.

use super::{
    access, agents, briefs, content::Content, graphs::Symbol, library, meetings, messages,
    operations, people, projects, tickets, usage,
};
use crate::{
    error::{Error, Result},
    store::{Store, Tx},
};
use chrono::TimeDelta;
use entity::{Id, Timestamp, user::UserRole};
use sea_orm::ActiveEnum;
use std::collections::HashMap;

/// What is written within one transaction, and what is known of it so far.
pub(super) struct Workspace<'s> {
    pub(super) tx: Tx<'s>,
    pub(super) slug: &'static str,
    /// Hours after which a question expires.
    pub(super) patience: f64,
    /// What everyone is called.
    pub(super) people: Vec<(String, UserRole)>,
    /// The graph's content hash by project.
    pub(super) graph_hashes: HashMap<Id, String>,
    pub(super) symbols: Vec<Symbol>,
    /// What providers were called for.
    pub(super) calls: Vec<usage::Call>,
    /// What people can decide on by a reply to a message.
    pub(super) replies: Vec<access::Reply>,
    ids: HashMap<String, Id>,
}

/// Writes a company into a new workspace.
///
/// # Errors
/// If the content does not fit together or the database fails.
pub(super) async fn write(
    store: &Store,
    slug: &'static str,
    content: Content,
    hashes: Vec<String>,
) -> Result<()> {
    let scope = store.system().tenant(Id(cuid2::create_id()), "seed");
    let tx = scope.begin().await?;
    let mut ws = Workspace {
        tx,
        slug,
        patience: f64::from(content.company.settings.clarification_timeout_hours),
        people: Vec::new(),
        graph_hashes: HashMap::new(),
        symbols: Vec::new(),
        calls: Vec::new(),
        replies: Vec::new(),
        ids: HashMap::new(),
    };
    let mut company = content.company;
    people::write(&mut ws, &mut company, hashes).await?;
    projects::write(&mut ws, company.projects).await?;
    for graph in company.graphs {
        super::graphs::write(&mut ws, graph).await?;
    }
    library::write_own(&mut ws, company.library, company.playbooks).await?;
    operations::write(
        &mut ws,
        company.credentials,
        company.connections,
        company.routes,
        company.schedules,
    )
    .await?;
    agents::write(&mut ws, company.tokens, company.sessions).await?;
    for meeting in content.meetings {
        meetings::write(&mut ws, meeting).await?;
    }
    for brief in content.briefs {
        briefs::write(&mut ws, brief).await?;
    }
    for loose in content.tickets {
        tickets::write_loose(&mut ws, loose).await?;
    }
    agents::write_legacy(&mut ws, company.legacy).await?;
    access::write(&mut ws).await?;
    messages::write(&mut ws, company.notifications, company.subscriptions).await?;
    usage::write(&mut ws).await?;
    ws.tx.commit().await?;
    Ok(())
}

impl Workspace<'_> {
    /// So many days ago; a negative number lies ahead.
    pub(super) fn ago(&self, days: f64) -> Timestamp {
        later(self.tx.now(), -24.0 * days)
    }

    /// So many hours after a moment, yet not in the future.
    pub(super) fn past(&self, at: Timestamp, hours: f64) -> Timestamp {
        later(at, hours).min(self.tx.now())
    }

    /// Remembers a row under a name such as `project:storefront`.
    pub(super) fn remember(&mut self, name: String, id: &Id) {
        self.ids.insert(name, id.clone());
    }

    /// The row with this name.
    pub(super) fn id(&self, name: &str) -> Result<Id> {
        self.ids
            .get(name)
            .cloned()
            .ok_or_else(|| Error::internal(format!("the demo has no {name}")))
    }

    /// The row of this kind with this name, if there is a name.
    pub(super) fn some(&self, kind: &str, name: Option<&String>) -> Result<Option<Id>> {
        name.map(|name| self.id(&format!("{kind}:{name}")))
            .transpose()
    }

    /// The user with this role.
    pub(super) fn user(&self, role: UserRole) -> Result<Id> {
        self.id(&format!("user:{}", role.to_value()))
    }

    /// The address of the user with this role.
    pub(super) fn email(&self, role: UserRole) -> String {
        format!("{}@{}.example", role.to_value(), self.slug)
    }

    /// Who acted, as the ledger writes it: a user, or a part of the system.
    pub(super) fn actor(&self, role: Option<UserRole>, component: &str) -> String {
        role.map_or_else(
            || format!("system:{component}"),
            |role| format!("user:{}", self.email(role)),
        )
    }
}

/// So many hours after a moment.
pub(super) fn later(at: Timestamp, hours: f64) -> Timestamp {
    Timestamp::new(at.inner() + TimeDelta::milliseconds((hours * 3_600_000.0) as i64))
}

/// A list's length as a column holds it.
pub(super) fn count<T>(list: &[T]) -> i32 {
    i32::try_from(list.len()).unwrap_or(i32::MAX)
}
