//! A workspace while it is being written: its transaction, its times, and the rows that later ones point to.

use super::{
    access, agenda::Agenda, agents, briefs, content::Content, graphs, graphs::Symbol, hours::Hours,
    library, meetings, messages, operations, people, projects, services, tickets, usage,
};
use crate::{
    domain::calendar::Calendar,
    error::{Error, Result},
    store::{Store, Tx},
};
use chrono::TimeDelta;
use entity::{Id, Timestamp, agent_job, agent_token, service_token, user, user::UserRole};
use sea_orm::ActiveEnum;
use std::collections::HashMap;

/// What is written within one transaction, and what is known of it so far.
pub(super) struct Workspace<'s> {
    pub(super) tx: Tx<'s>,
    pub(super) tenant: Id,
    pub(super) slug: &'static str,
    /// When it is written.
    pub(super) now: Timestamp,
    /// The moment of what is being told.
    pub(super) moment: Timestamp,
    pub(super) hours: Hours,
    pub(super) agenda: Agenda,
    /// Hours after which a question expires.
    pub(super) patience: f64,
    /// What everyone is called.
    pub(super) people: Vec<(String, UserRole)>,
    /// Those who have joined.
    pub(super) users: Vec<user::Model>,
    /// The agent tokens that were made, by key.
    pub(super) tokens: HashMap<String, agent_token::Model>,
    /// The service tokens that were made, by key.
    pub(super) services: HashMap<String, service_token::Model>,
    /// The jobs that daemons have.
    pub(super) jobs: HashMap<Id, agent_job::Model>,
    pub(super) symbols: Vec<Symbol>,
    /// What providers were called for.
    pub(super) calls: Vec<usage::Call>,
    ids: HashMap<String, Id>,
}

/// Writes a company into a new workspace, as it lived.
///
/// # Errors
/// If the content does not fit together or the database fails.
pub(super) async fn write(
    store: &Store,
    slug: &'static str,
    content: Content,
    hashes: Vec<String>,
) -> Result<()> {
    let mut company = content.company;
    let tenant = Id(cuid2::create_id());
    let scope = store.system().tenant(tenant.clone(), "seed");
    let tx = scope.begin().await?;
    let now = tx.now();
    let hours = Hours::new(Calendar::of(&company.timezone), now);
    let mut ws = Workspace {
        tx,
        tenant,
        slug,
        now,
        // Nothing comes before it.
        moment: hours.within(raw(now, -24.0 * (company.since + 1.0))),
        hours,
        agenda: Agenda::default(),
        patience: f64::from(company.settings.clarification_timeout_hours),
        people: Vec::new(),
        users: Vec::new(),
        tokens: HashMap::new(),
        services: HashMap::new(),
        jobs: HashMap::new(),
        symbols: Vec::new(),
        calls: Vec::new(),
        ids: HashMap::new(),
    };
    people::tell(&mut ws, &mut company, hashes);
    projects::tell(&mut ws, company.projects);
    for graph in company.graphs {
        graphs::tell(&mut ws, graph)?;
    }
    library::tell_own(&mut ws, company.library, company.playbooks);
    operations::tell(
        &mut ws,
        company.credentials,
        company.connections,
        company.routes,
        company.schedules,
    );
    agents::tell(&mut ws, company.tokens, company.sessions);
    services::tell(&mut ws, company.services);
    agents::tell_legacy(&mut ws, company.legacy);
    for meeting in content.meetings {
        meetings::tell(&mut ws, meeting)?;
    }
    for brief in content.briefs {
        briefs::tell(&mut ws, brief);
    }
    for loose in content.tickets {
        tickets::tell_loose(&mut ws, loose);
    }
    access::tell(&mut ws);
    messages::tell(&mut ws, company.notifications, company.subscriptions);
    ws.live().await?;
    usage::write(&mut ws).await?;
    ws.tx.commit().await?;
    Ok(())
}

impl Workspace<'_> {
    /// So many days ago; a negative number lies ahead. Of what is older than a day the time of day differs a little, each
    /// day otherwise, and what comes before something still does.
    pub(super) fn ago(&self, days: f64) -> Timestamp {
        let sway = 0.08 * (1.25 * (days - 1.0).max(0.0)).sin();
        self.hours.within(raw(self.now, -24.0 * (days + sway)))
    }

    /// So many hours after something happened, as far as it was at work meanwhile.
    pub(super) fn later(&self, at: Timestamp, hours: f64) -> Timestamp {
        self.hours.within(raw(self.hours.around(at), hours))
    }

    /// So many hours from the moment of what is being told.
    pub(super) fn soon(&self, hours: f64) -> Timestamp {
        self.later(self.moment, hours)
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
            .ok_or_else(|| Error::internal(format!("the demo has no {name} yet")))
    }

    /// The row of this kind with this name, if there is a name.
    pub(super) fn some(&self, kind: &str, name: Option<&String>) -> Result<Option<Id>> {
        name.map(|name| self.id(&format!("{kind}:{name}")))
            .transpose()
    }

    /// The address of the user with this role.
    pub(super) fn email(&self, role: UserRole) -> String {
        format!("{}@{}.example", role.to_value(), self.slug)
    }
}

/// So many hours after a moment, whatever the time of day.
pub(super) fn raw(at: Timestamp, hours: f64) -> Timestamp {
    Timestamp::new(at.inner() + TimeDelta::milliseconds((hours * 3_600_000.0) as i64))
}

/// A list's length as a column holds it.
pub(super) fn count<T>(list: &[T]) -> i32 {
    i32::try_from(list.len()).unwrap_or(i32::MAX)
}
