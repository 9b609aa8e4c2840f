//! The outside services a tenant is connected to.

use super::{
    constraints::{length, size},
    prelude::*,
    write::{Once, Write, mutations},
};
use crate::{
    auth::{Action, authorize},
    domain::check,
    error::Error,
    integrations::{self, INTEGRATIONS, Service, Values, Verdict},
    store::{Scope, Tx},
    webhooks,
    workflow::{self, Revocation, Tested},
};
use async_graphql::{Enum, InputObject, Object, SimpleObject};
use entity::{
    Id, Json,
    integration_connection::{self, Entity, IntegrationName, Model},
};
use sea_orm::ActiveEnum;

node! {
    /// A connection to an outside service. A tenant may have several to the same one, told apart by their labels.
    IntegrationConnection in integration_connection (integration_connection, integration_connections) {
        columns {
            id: IdFilter,
            name: EnumFilter<integration_connection::IntegrationName>,
            label: StringFilter,
            status: EnumFilter<integration_connection::IntegrationStatus>,
            last_tested_at: DateTimeFilter,
            last_error: StringFilter,
            connected_by_id: IdFilter,
            connected_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who connected it; null when not connected or the person is gone.
            connected_by: User by connected_by_id,
        }
        many {
            /// Routes that go through this service.
            channel_routes: ChannelRoute by connection_id,
        }
    }
    fields {

        /// The path on this server to which its service sends webhooks, once `setWebhookSecret` has kept what it signs them with.
        async fn webhook_path(&self) -> Nullable<String> {
            Ok(Some(webhooks::path(&self.row()?)))
        }
    }
}

/// A service that can be connected.
pub struct IntegrationService(&'static Service);

/// A service that can be connected, and what it needs.
#[Object]
impl IntegrationService {
    /// The service.
    async fn name(&self) -> Result<IntegrationName> {
        Ok(IntegrationName::try_from_value(&self.0.key.to_owned()).map_err(Error::internal)?)
    }

    /// What people call it.
    async fn title(&self) -> &str {
        self.0.title
    }

    /// What it needs: a value for each.
    async fn fields(&self) -> Vec<IntegrationField> {
        let fields = self.0.fields.iter();
        fields
            .map(|field| IntegrationField {
                key: field.key,
                description: field.about,
                is_secret: field.is_secret,
            })
            .collect()
    }
}

/// Something that a service needs.
#[derive(SimpleObject)]
pub struct IntegrationField {
    /// What `values` call it.
    key: &'static str,
    /// What it is and where it is found, for people.
    description: &'static str,
    /// Whether it is kept encrypted and never shown.
    is_secret: bool,
}

/// The services that can be connected.
#[derive(Default)]
pub struct IntegrationServiceQuery;

#[Object]
impl IntegrationServiceQuery {
    /// The services that can be connected, and what each needs.
    async fn integration_services(&self) -> Vec<IntegrationService> {
        INTEGRATIONS.iter().map(IntegrationService).collect()
    }
}

/// Something that a service needs, as it is given.
#[derive(InputObject, Clone)]
pub struct IntegrationValueInput {
    /// Which field of the service it is, as in `integrationServices`.
    #[graphql(directive = length::apply(1, 100))]
    key: String,
    /// Its value, in 1 to 10000 characters; white space around it is no part of it. Send it as a variable.
    #[graphql(directive = length::apply(1, 10_000))]
    value: String,
}

fn values(name: IntegrationName, given: &[IntegrationValueInput]) -> crate::Result<Values> {
    let service = integrations::integration(name)?;
    let given = given
        .iter()
        .map(|given| (given.key.as_str(), given.value.as_str()));
    Values::new(service, given)
}

/// What a service would be given.
#[derive(InputObject, Clone)]
pub struct TestIntegrationInput {
    /// The service.
    service: IntegrationName,
    /// A value for each of its fields, as in `integrationServices`.
    #[graphql(directive = size::apply(1, 20))]
    values: Vec<IntegrationValueInput>,
}

/// What came of trying a service.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum TestOutcome {
    /// It takes what it was given.
    Accepted,
    /// It does not.
    Rejected,
    /// It could not be asked, or has trouble of its own: nobody knows.
    Unreachable,
}

/// What `testIntegration` answers with.
#[derive(SimpleObject)]
pub struct TestIntegrationPayload {
    /// What came of it.
    outcome: TestOutcome,
    /// Why it was not accepted, for people; null when it was.
    message: Option<String>,
    /// What the service said of the account, as far as it may be shown; empty when it was not accepted.
    shows: Json<serde_json::Value>,
    /// After how many seconds to ask again; null when the service did not say.
    retry_after_seconds: Option<i32>,
}

impl From<Verdict> for TestIntegrationPayload {
    fn from(verdict: Verdict) -> Self {
        let (outcome, message, shows, retry_after) = match verdict {
            Verdict::Accepted(shows) => (TestOutcome::Accepted, None, shows, None),
            Verdict::Rejected(why) => (TestOutcome::Rejected, Some(why), Default::default(), None),
            Verdict::Unreachable(why, retry_after) => (
                TestOutcome::Unreachable,
                Some(why),
                Default::default(),
                retry_after,
            ),
        };
        Self {
            outcome,
            message,
            shows: Json(serde_json::Value::Object(shows)),
            retry_after_seconds: retry_after.and_then(|seconds| i32::try_from(seconds).ok()),
        }
    }
}

/// What writes nothing.
#[derive(Default)]
pub struct IntegrationTestMutation;

#[Object]
impl IntegrationTestMutation {
    /// Asks a service whether it takes values that nobody has kept. Writes nothing: what is connected stays as it is.
    async fn test_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to try.")] input: TestIntegrationInput,
    ) -> Nullable<TestIntegrationPayload> {
        let scope = ctx.scope();
        authorize(scope.actor(), Action::SetUp)?;
        let values = values(input.service, &input.values)?;
        Ok(Some(workflow::test_values(scope, &values).await?.into()))
    }
}

/// A service that is connected.
#[derive(InputObject, Clone)]
pub struct ConnectIntegrationInput {
    /// The service.
    service: IntegrationName,
    /// Which of several connections to the service, in at most 100 characters; left out, the one without a label.
    #[graphql(directive = length::apply(0, 100))]
    label: Option<String>,
    /// A value for each of its fields, as in `integrationServices`.
    #[graphql(directive = size::apply(1, 20))]
    values: Vec<IntegrationValueInput>,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    asked: Asked,
}

impl Write for ConnectIntegrationInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let asked = ask(ctx.scope(), values(self.service, &self.values)).await;
        Ok(Self { asked, ..self })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        let (values, verdict) = prepared(self.asked)?;
        let label = match self.label.as_deref() {
            None | Some("") => String::new(),
            Some(label) => check::line("label", label, 1, 100)?,
        };
        let shown = workflow::accepted(verdict, &values)?;
        workflow::connect(tx, self.service, label, &values, shown).await
    }
}

/// Which connection is tried again.
#[derive(InputObject, Clone)]
pub struct RetestIntegrationInput {
    /// The connection's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    tested: Option<crate::Result<Tested>>,
}

impl Write for RetestIntegrationInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let tested = workflow::test_again(ctx.scope(), &self.id).await;
        Ok(Self {
            tested: Some(tested),
            ..self
        })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        let tested = prepared(self.tested)?;
        workflow::note_test(tx, &self.id, tested).await
    }
}

/// Which connection is given up.
#[derive(InputObject, Clone)]
pub struct DisconnectIntegrationInput {
    /// The connection's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    revoked: Option<crate::Result<Revocation>>,
}

impl Write for DisconnectIntegrationInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;
    const PREPARES_ONCE: bool = true;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let revoked = workflow::revoke(ctx.scope(), &self.id).await;
        Ok(Self {
            revoked: Some(revoked),
            ..self
        })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        let revoked = prepared(self.revoked)?;
        workflow::disconnect_integration(tx, &self.id, revoked).await
    }
}

/// What a service was asked before the transaction, and what came of it.
pub(super) type Asked = Option<crate::Result<(Values, Verdict)>>;

/// Asks a service whether it takes these values, unless they are none for it. What fails is answered in the transaction, where it
/// is known whether the request was answered before.
pub(super) async fn ask(scope: &Scope, values: crate::Result<Values>) -> Asked {
    let asked = async {
        let values = values?;
        let verdict = workflow::test_values(scope, &values).await?;
        Ok((values, verdict))
    };
    Some(asked.await)
}

/// With what a connection's service signs its webhooks.
#[derive(InputObject, Clone)]
pub struct SetWebhookSecretInput {
    /// The connection's id.
    id: Id,
    /// The secret, in 16 to 1000 characters; white space around it is no part of it. Slack gives one to each app, its signing
    /// secret; for all others one is made when this is left out. Send it as a variable.
    #[graphql(directive = length::apply(1, 1000))]
    value: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SetWebhookSecretInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        workflow::set_webhook_secret(tx, &self.id, self.value.as_deref()).await
    }
}

/// What came of asking a service before the transaction.
pub(super) fn prepared<T>(asked: Option<crate::Result<T>>) -> crate::Result<T> {
    asked.unwrap_or_else(|| Err(Error::internal("a mutation that was not prepared")))
}

mutations! { IntegrationMutation {
    /// Connects a service, if it takes these values: it is asked first, and nothing is written unless it does. What is
    /// connected already under the same label gets the new values.
    connect_integration(ConnectIntegrationInput) -> ConnectIntegrationPayload {
        integration_connection: IntegrationConnection
    };
    /// Asks a connected service again, and writes down what it said: `CONNECTED`, `ACTION_NEEDED` when it takes its
    /// credential no longer, `ERROR` when it cannot be reached.
    retest_integration(RetestIntegrationInput) -> RetestIntegrationPayload {
        integration_connection: IntegrationConnection
    };
    /// Gives a connection up and deletes its credential; a service that can (Slack) is told to take its token back, and the
    /// ledger says whether it did. One that is not connected stays as it is.
    disconnect_integration(DisconnectIntegrationInput) -> DisconnectIntegrationPayload {
        integration_connection: IntegrationConnection
    };
    /// Keeps what a connection's service signs its webhooks with, in place of the secret before, which counts no longer: a new
    /// secret, to be entered there, or the one that is given there. It goes with the connection.
    set_webhook_secret(SetWebhookSecretInput) -> SetWebhookSecretPayload {
        integration_connection: IntegrationConnection,
        /// The secret that was made: null when one was given, or the answer is repeated.
        once secret
    };
} }
