//! Who gives language models to a workspace: their keys are credentials that are tried.

use super::{
    constraints::length,
    integration_connection::{Asked, ask, prepared},
    prelude::*,
    write::{Delete, Once, Write, deletions, mutations},
};
use crate::{
    auth::Action,
    error::Error,
    integrations::{self, Values},
    store::Tx,
    workflow::{self, Tested},
};
use async_graphql::{Enum, InputObject};
use entity::{
    Id,
    credential::{Entity, Model},
};

/// Who gives language models to a workspace.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum AiProvider {
    /// Anthropic.
    Anthropic,
    /// OpenAI.
    Openai,
    /// Google.
    Google,
    /// Another one, or your own, with an API like OpenAI's.
    Custom,
}

impl AiProvider {
    fn key(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai => "openai",
            Self::Google => "google",
            Self::Custom => "custom",
        }
    }
}

/// A provider's key that is to be kept if it is taken.
fn values(key: &str, api_key: &str, base_url: Option<&str>) -> crate::Result<Values> {
    let service =
        integrations::ai_provider(key).ok_or_else(|| Error::internal("a provider that is none"))?;
    let base_url = base_url.map(|url| ("baseUrl", url));
    let takes_url = service.fields.iter().any(|field| field.key == "baseUrl");
    match (takes_url, base_url) {
        (true, None) => Err(Error::bad_input(
            "baseUrl",
            "is needed: say where the provider's API is",
        )),
        (false, Some(_)) => Err(Error::bad_input(
            "baseUrl",
            "is for CUSTOM only; leave it out",
        )),
        (_, base_url) => Values::new(service, [("apiKey", api_key)].into_iter().chain(base_url)),
    }
}

/// What was asked, if the provider takes the key.
fn taken(asked: Asked) -> crate::Result<Values> {
    let (values, verdict) = prepared(asked)?;
    match workflow::accepted(verdict, &values) {
        Ok(_) => Ok(values),
        Err(Error::BadUserInput { reason, .. }) => Err(Error::bad_input("apiKey", reason)),
        Err(error) => Err(error),
    }
}

/// A provider of models.
#[derive(InputObject, Clone)]
pub struct AddAiProviderInput {
    /// Who it is; a workspace has each once.
    provider: AiProvider,
    /// Its API key, in 1 to 10000 characters. Send it as a variable.
    #[graphql(directive = length::apply(1, 10_000))]
    api_key: String,
    /// Where the API of a `CUSTOM` one is, such as `https://models.example.com/v1`; a public address, unless the server's
    /// operator allows others.
    #[graphql(directive = length::apply(1, 2000))]
    base_url: Option<String>,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    asked: Asked,
}

impl Write for AddAiProviderInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let values = values(self.provider.key(), &self.api_key, self.base_url.as_deref());
        let asked = ask(ctx.scope(), values).await;
        Ok(Self { asked, ..self })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        workflow::add_provider(tx, &taken(self.asked)?).await
    }
}

/// Another key of a provider of models.
#[derive(InputObject, Clone)]
pub struct RotateAiProviderInput {
    /// The provider's id: that of its credential.
    id: Id,
    /// Its new API key, in 1 to 10000 characters. Send it as a variable.
    #[graphql(directive = length::apply(1, 10_000))]
    api_key: String,
    /// Where the API of a `CUSTOM` one is now; left out, where it was.
    #[graphql(directive = length::apply(1, 2000))]
    base_url: Option<String>,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    asked: Asked,
}

impl Write for RotateAiProviderInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let row = workflow::known_provider(ctx.scope(), &self.id).await;
        let values = row.and_then(|row| {
            let base_url = self.base_url.as_deref().or(row.base_url.as_deref());
            values(&row.name, &self.api_key, base_url)
        });
        let asked = ask(ctx.scope(), values).await;
        Ok(Self { asked, ..self })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        let stays = self.base_url.is_none();
        workflow::rotate_provider(tx, &self.id, &taken(self.asked)?, stays).await
    }
}

/// Which provider of models is tried.
#[derive(InputObject, Clone)]
pub struct ProbeAiProviderInput {
    /// The provider's id: that of its credential.
    id: Id,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    tested: Option<crate::Result<Tested>>,
}

impl Write for ProbeAiProviderInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let tested = workflow::probe(ctx.scope(), &self.id).await;
        Ok(Self {
            tested: Some(tested),
            ..self
        })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        workflow::note_probe(tx, prepared(self.tested)?, true).await
    }
}

/// Which provider of models goes.
#[derive(InputObject, Clone)]
pub struct RemoveAiProviderInput {
    /// The provider's id: that of its credential.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for RemoveAiProviderInput {
    const ACTION: Action = Action::SetUp;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        workflow::remove_provider(tx, &self.id).await
    }
}

mutations! { AiProviderMutation {
    /// Adds a provider of models, if it takes its key: it is asked first, and nothing is written unless it does.
    add_ai_provider(AddAiProviderInput) -> AddAiProviderPayload { credential: CredentialVault };
    /// Gives a provider of models another key, if it takes it; until then the old one stands.
    rotate_ai_provider(RotateAiProviderInput) -> RotateAiProviderPayload { credential: CredentialVault };
    /// Asks a provider of models whether it takes its key, and writes down what came of it: `HEALTHY`; `FAILING` when it does
    /// not; `DEGRADED` when it failed twice in a row, which the server tries again, ever more seldom, at last every hour.
    probe_ai_provider(ProbeAiProviderInput) -> ProbeAiProviderPayload { credential: CredentialVault };
} }

deletions! { AiProviderDeletionMutation {
    /// Takes a provider of models away, with its key.
    remove_ai_provider(RemoveAiProviderInput) -> RemoveAiProviderPayload;
} }
