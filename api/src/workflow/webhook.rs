//! What other services tell by themselves: the secret that they sign with, and what follows from what they say.
//!
//! A delivery does what it says in one transaction, with the entry that it was received, and once within 24 hours: its name
//! is remembered as the key of a mutation is.

use super::{
    all_of,
    credential::{
        CREDENTIAL, Kept, Opened, create_credential, credential_named, delete_credential, note_use,
        replace_credential, still_holds, unseal,
    },
    reply::{Reply, decide_by_reply},
};
use crate::{
    auth::{WEBHOOK, mint},
    domain::check,
    error::{Error, Result, named},
    integrations::credential_name,
    store::{Request, Scope, Store, Tx},
    vault::Plain,
    webhooks::{Said, Sender, Status},
};
use entity::{
    Id, Timestamp,
    approval::ApprovalChannel,
    auth_token,
    credential::{self, CredentialKind},
    integration_connection::{Entity, IntegrationStatus, Model},
    project_graph, ticket,
};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};
use serde_json::json;
use std::net::IpAddr;

/// A shorter secret could be guessed.
const SHORTEST: usize = 16;

/// The longest that is kept.
const LONGEST: usize = 1000;

const NOT_GENUINE: Error = Error::Unauthenticated(
    "This is not signed as it should be, is from another time, or no connection of this server is here.",
);

/// Keeps the secret that a connection's service signs its webhooks with, in place of the one before. One that is made here is
/// shown once.
///
/// # Errors
/// [`Error::Conflict`] when it is not connected, [`Error::BadUserInput`] when the secret cannot be one.
pub(crate) async fn set_webhook_secret(
    tx: &mut Tx<'_>,
    connection: &Id,
    given: Option<&str>,
) -> Result<Model> {
    // Whoever takes a delivery in holds the workspace first, too.
    tx.lock_workspace().await?;
    let row = tx.get::<Entity>(connection).await?;
    if row.status == IntegrationStatus::Disconnected {
        return Err(Error::Conflict(
            "It is not connected; connect it with connectIntegration first.".to_owned(),
        ));
    }
    let plain = match given {
        Some(given) => chosen(given)?,
        None if Sender::of(row.name) == Sender::Slack => {
            return Err(Error::bad_input(
                "value",
                "is needed: Slack gives each app a signing secret, under Basic Information",
            ));
        }
        None => {
            let secret = mint(WEBHOOK);
            tx.show_once(secret.clone());
            Plain::new(&secret)
        }
    };
    let (kind, name) = (
        CredentialKind::WebhookSecret,
        credential_name(row.name, &row.label),
    );
    let kept = Kept::untried(plain);
    match credential_named(tx, kind, &name).await? {
        Some(before) => replace_credential(tx, &before, kept, CREDENTIAL).await?,
        None => create_credential(tx, kind, name, kept, CREDENTIAL).await?,
    };
    Ok(row)
}

fn chosen(given: &str) -> Result<Plain> {
    let plain = Plain::new(given);
    match is_long_enough(&plain) && plain.expose().chars().count() <= LONGEST {
        true => Ok(plain),
        false => Err(Error::bad_input(
            "value",
            format!("must have {SHORTEST} to {LONGEST} characters"),
        )),
    }
}

fn is_long_enough(secret: &Plain) -> bool {
    secret.expose().chars().count() >= SHORTEST
}

/// Deletes the secret of a connection that is given up.
pub(super) async fn forget_secret(tx: &mut Tx<'_>, connection: &Model) -> Result<()> {
    let name = credential_name(connection.name, &connection.label);
    match credential_named(tx, CredentialKind::WebhookSecret, &name).await? {
        Some(secret) => delete_credential(tx, &secret, CREDENTIAL).await,
        None => Ok(()),
    }
}

/// A connection that may tell something, and the secret that it signs with.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) sender: Sender,
    connection: Model,
    credential: credential::Model,
    opened: Opened,
}

impl Line {
    /// The line that an address names, whosever it is. Where there is none, as much is asked.
    ///
    /// # Errors
    /// If the database fails, or its turn does not come.
    pub(crate) async fn find(
        store: &Store,
        sender: &str,
        connection: Option<Id>,
        address: Option<IpAddr>,
    ) -> Result<Option<Self>> {
        let system = store.entrance(address);
        let sender = Sender::named(sender);
        let connection = connection.unwrap_or_else(|| "nobodys".into());
        let found = system.connection_in_use(&connection).await?;
        let found = found.filter(|found| Some(Sender::of(found.name)) == sender);
        let (tenant, name) = match &found {
            Some(found) => (
                found.tenant_id.clone(),
                credential_name(found.name, &found.label),
            ),
            None => ("nobodys".into(), String::new()),
        };
        let secret = system.webhook_secret(&tenant, &name).await?;
        let (Some(sender), Some(connection), Some(credential)) = (sender, found, secret) else {
            return Ok(None);
        };
        match unseal(store.vault().keys(), &credential) {
            // It was kept for something else, or before it signed anything here.
            Ok(opened) if !is_long_enough(&opened.plain) => Ok(None),
            Ok(opened) => Ok(Some(Self {
                sender,
                connection,
                credential,
                opened,
            })),
            Err(error) => {
                // A stranger is not told that there is one.
                let (tenant, id) = (&credential.tenant_id, &credential.id);
                tracing::error!(%tenant, %id, cause = %error.cause(), "a secret of webhooks does not open");
                Ok(None)
            }
        }
    }

    /// The secret that deliveries are signed with.
    pub(crate) fn secret(&self) -> &Plain {
        &self.opened.plain
    }

    /// Whose it is.
    pub(crate) fn tenant(&self) -> &Id {
        &self.connection.tenant_id
    }

    /// What tells it apart from all others.
    pub(crate) fn key(&self) -> String {
        format!("webhook {}", self.connection.id)
    }

    /// The connection, as it stays until the transaction ends, if it still may tell what was signed with this secret.
    async fn hold(&self, tx: &mut Tx<'_>) -> Result<Model> {
        tx.workspace().await?;
        let row = match tx.hold::<Entity>(&self.connection.id).await {
            Err(Error::NotFound { .. }) => return Err(NOT_GENUINE),
            row => row?,
        };
        let holds = match still_holds(tx, &self.credential, &self.opened).await {
            Err(Error::NotFound { .. }) => false,
            holds => holds?,
        };
        if row.status == IntegrationStatus::Disconnected || !holds {
            return Err(NOT_GENUINE);
        }
        note_use(tx, &self.credential).await?;
        Ok(row)
    }
}

/// What a delivery that is not genuine is told, and one for a connection that there is not.
pub(crate) fn not_genuine() -> Error {
    NOT_GENUINE
}

/// What came of a delivery.
#[derive(Clone, Debug)]
pub(crate) enum Received {
    /// It was taken in; in words.
    Taken(String),
    /// It came before.
    Repeated,
    /// Nothing follows from it, for this reason.
    Ignored(String),
}

/// Takes a delivery in: a reply in the scope of whom it was asked, with the row of its token, all else in one of the server's own.
///
/// # Errors
/// What may be otherwise when it is sent again; [`Error::Unauthenticated`] when its connection was given up meanwhile.
pub(crate) async fn receive(
    scope: &Scope,
    line: &Line,
    name: &str,
    said: &Said,
    token: Option<&Id>,
) -> Result<Received> {
    let mut tx = scope.begin().await?;
    tx.check_account().await?;
    // The sender's name for it is all that tells it apart: what it says does not count.
    let request = Request::new(
        &format!("{} {name}", line.key()),
        line.sender.component(),
        &json!(null),
    );
    if tx.answered(&request).await?.is_some() {
        return Ok(Received::Repeated);
    }
    let of_line = line.clone();
    let connection = tx.by_itself(line.sender.component(), |tx| {
        Box::pin(async move { of_line.hold(tx).await })
    });
    let connection = connection.await?;
    let did = match said {
        Said::Hello => Did::Taken("It said hello.".to_owned()),
        Said::Pushed { repository, at } => pushed(&mut tx, repository, *at).await?,
        Said::Moved(status) => moved(&mut tx, status).await?,
        Said::Reply {
            decision,
            reason,
            identity,
            ..
        } => {
            let reply = Reply {
                decision: *decision,
                reason: reason.clone(),
                identity: identity.clone(),
                message_link: None,
            };
            replied(&mut tx, token, reply).await?
        }
        Said::Nothing(why) => Did::Nothing((*why).to_owned()),
        Said::Challenge(_) => {
            Did::Nothing("It is answered, and nothing follows from it.".to_owned())
        }
    };
    let did = match did {
        Did::Taken(did) => did,
        Did::Noted(why) => {
            tx.commit_answering(Some(request), &connection.id).await?;
            return Ok(Received::Ignored(why));
        }
        Did::Nothing(why) => return Ok(Received::Ignored(why)),
    };
    tx.begin_by_itself(line.sender.component());
    let about =
        json!({ "before": null, "after": { "sender": line.sender.name(), "delivery": name } });
    tx.note_with::<Entity>(&connection, "webhook.received", about);
    tx.explain(did.clone());
    tx.end_by_itself();
    tx.commit_answering(Some(request), &connection.id).await?;
    Ok(Received::Taken(did))
}

/// What was done, in words.
enum Did {
    /// What the ledger tells of.
    Taken(String),
    /// Something that it need not tell of: services send much that changes nothing.
    Noted(String),
    /// Nothing, for this reason.
    Nothing(String),
}

/// Notes that the code graphs of a repository may no longer show it. Nobody builds them anew yet.
async fn pushed(tx: &mut Tx<'_>, repository: &str, at: Option<Timestamp>) -> Result<Did> {
    let Ok(repository) = check::repository("repository", repository) else {
        return Ok(Did::Nothing("It names no repository.".to_owned()));
    };
    let at = moment(tx, at);
    let graphs = tx.rows::<project_graph::Entity>(|place| {
        all_of(place.reads(project_graph::Column::RepoLabel, &repository))
    });
    let graphs = graphs.await?;
    if graphs.is_empty() {
        return Ok(Did::Nothing(format!("No code graph is of {repository}.")));
    }
    // One that was sent late tells of what is known.
    let older: Vec<_> = { graphs.into_iter() }
        .filter(|graph| graph.pushed_at.is_none_or(|known| known < at))
        .collect();
    if older.is_empty() {
        return Ok(Did::Nothing(format!(
            "A later push to {repository} is known."
        )));
    }
    let changes = project_graph::ActiveModel {
        pushed_at: Set(Some(at)),
        ..Default::default()
    };
    let graphs = tx.update_each::<project_graph::Entity, _>(&older, changes, "graph.pushed");
    let number = graphs.await?.len();
    Ok(Did::Taken(format!(
        "{repository} was pushed to: {number} code graphs."
    )))
}

/// Keeps the state of the issue that a ticket is mirrored in.
async fn moved(tx: &mut Tx<'_>, said: &Status) -> Result<Did> {
    use ticket::Column::{ExternalKey, ExternalSystem};
    let key = check::line("key", &said.key, 1, 100);
    let status = check::line("status", &said.status, 1, 100);
    let (Ok(key), Ok(status)) = (key, status) else {
        return Ok(Did::Nothing(
            "Its key or its status cannot be kept.".to_owned(),
        ));
    };
    let at = moment(tx, said.at);
    let mirrored = tx.rows::<ticket::Entity>(|place| {
        all_of(place.column(ExternalSystem).eq(said.system.to_value()))
            .add(place.column(ExternalKey).eq(key.as_str()))
    });
    let Some(before) = mirrored.await?.pop() else {
        return Ok(Did::Nothing(format!("No ticket is mirrored in {key}.")));
    };
    if before.external_synced_at.is_some_and(|known| known >= at) {
        return Ok(Did::Nothing(format!(
            "What {key} is at a later moment is known."
        )));
    }
    let known_at = ticket::ActiveModel {
        external_synced_at: Set(Some(at)),
        ..Default::default()
    };
    if before.external_status.as_ref() == Some(&status) {
        tx.update_untold(&before, known_at).await?;
        return Ok(Did::Noted(format!("{key} is {status}, as it was.")));
    }
    let changes = ticket::ActiveModel {
        external_status: Set(Some(status.clone())),
        ..known_at
    };
    tx.update(&before, changes, "ticket.mirrored").await?;
    Ok(Did::Taken(format!("{key} is {status}.")))
}

/// What a service says of when it was; it does not know what is to come.
fn moment(tx: &Tx<'_>, said: Option<Timestamp>) -> Timestamp {
    said.map_or(tx.now(), |at| Ord::min(at, tx.now()))
}

/// Decides as a reply from Slack says, in the name of whom it was asked.
async fn replied(tx: &mut Tx<'_>, token: Option<&Id>, reply: Reply) -> Result<Did> {
    let found = match token {
        Some(id) => tx.find::<auth_token::Entity>(id).await?,
        None => None,
    };
    let Some(token) = found.filter(|row| row.channel == Some(ApprovalChannel::Slack)) else {
        return Ok(Did::Nothing(
            "This server has sent no such token by Slack, or whom it was sent to is gone."
                .to_owned(),
        ));
    };
    let decision = named(reply.decision);
    let outcome = decide_by_reply(tx, &token.id, reply).await?;
    let stands = format!(
        "{} {} is {}.",
        outcome.subject_type, outcome.subject, outcome.status
    );
    Ok(match token.answer {
        // It was pressed twice.
        Some(_) => Did::Nothing(format!("It was replied {decision} before: {stands}")),
        None => Did::Taken(format!("It was replied {decision}: {stands}")),
    })
}
