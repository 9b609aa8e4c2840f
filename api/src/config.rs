//! Settings: from the command line, the environment or a TOML file, in this order; all checked at the start.

mod file;
mod kept;
mod oidc;
mod signing_key;
mod values;
mod variables;
mod vault_keys;

pub use self::{
    file::with_file,
    oidc::Oidc,
    variables::{unknown_variables, with_environment},
};

use self::values::{Unrepeated, log_filter, origin};
use crate::{
    auth::{OidcSettings, Secret},
    http::{Limits, TrustedDocuments},
    integrations::Addresses,
    mail::{Mail, Sender, SmtpUrl},
    store::{DatabaseUrl, NatsUrl},
    vault::KeyRing,
};
use clap::{
    Arg, Args, Command, ValueEnum,
    builder::BoolishValueParser,
    error::{ContextKind, ContextValue},
};
use std::{net::SocketAddr, path::PathBuf};

/// The setting that an empty variable does not leave unset.
const SECRET: &str = "secret";

/// Who founds workspaces by signing up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Everybody who can reach the server.
    Open,
    /// Nobody.
    Closed,
}

/// Everything that can be set.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// The database: sqlite:FILE, postgres://USER:PASSWORD@HOST/NAME, or over a socket
    /// postgres:///NAME?host=/var/run/postgresql&user=USER
    #[arg(
        long,
        env = "DATABASE_URL",
        value_parser = Unrepeated::<DatabaseUrl>::default(),
        default_value = "sqlite:./workgraph.db",
        global = true,
        hide_env_values = true
    )]
    pub database_url: DatabaseUrl,

    /// How many database connections to hold at most
    #[arg(
        long,
        env = "WORKGRAPH_DATABASE_CONNECTIONS",
        default_value_t = values::connections(),
        value_name = "COUNT",
        global = true
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(4..=1000))]
    pub database_connections: u32,

    /// A NATS server that carries hints between servers: nats://HOST:4222 or tls://USER:PASSWORD@HOST:4222
    #[arg(long, env = "NATS_URL", global = true, hide_env_values = true)]
    #[arg(value_parser = Unrepeated::<NatsUrl>::default())]
    pub nats_url: Option<NatsUrl>,

    /// The address to listen on
    #[arg(
        long,
        env = "WORKGRAPH_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS",
        global = true
    )]
    pub listen: SocketAddr,

    /// The key that signs tokens, at least 32 characters. On a loopback address one is made and kept if none is given
    #[arg(long, env = "WORKGRAPH_SECRET", hide_env_values = true, global = true)]
    #[arg(value_parser = Unrepeated::<Secret>::default())]
    pub secret: Option<Secret>,

    /// The keys that secrets of other services are sealed with, 32 bytes each: the first seals, all open. Without them one is
    /// made and kept beside a SQLite database, and on a loopback address; `workgraph keys new` makes one
    #[arg(
        long,
        env = "WORKGRAPH_KEYS",
        hide_env_values = true,
        value_name = "ID:BASE64,…",
        global = true
    )]
    #[arg(value_parser = Unrepeated::<KeyRing>::default())]
    pub keys: Option<KeyRing>,

    /// Let workspaces' own providers of models be at loopback, private and link-local addresses, as in development
    #[arg(long, env = "WORKGRAPH_ALLOW_PRIVATE_ADDRESSES", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub allow_private_addresses: bool,

    /// Development mode for everyone who can reach the server, not only for browsers on its own machine: the demo, and
    /// its tokens in GraphiQL
    #[arg(long, env = "WORKGRAPH_DEV", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub dev: bool,

    /// Serve although the database role is a superuser or has BYPASSRLS, for whom PostgreSQL's row-level security does
    /// not stand
    #[arg(long, env = "WORKGRAPH_ALLOW_SUPERUSER", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub allow_superuser: bool,

    /// Leave an empty database empty instead of filling it with the demo workspaces, as is done on a loopback address
    #[arg(long, env = "WORKGRAPH_NO_DEMO", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub no_demo: bool,

    /// Leave what the server does by itself to other servers on the same database: reminders, escalations, expiries
    #[arg(long, env = "WORKGRAPH_NO_BACKGROUND", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub no_background: bool,

    /// How often a minute one address may try to sign in, also through a provider; an account may be tried four times as often
    #[arg(
        long,
        env = "WORKGRAPH_SIGN_INS_PER_MINUTE",
        default_value_t = 5,
        value_name = "COUNT",
        global = true
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub sign_ins_per_minute: u64,

    /// Who founds workspaces by signing up: everybody (open) or nobody (closed). If nothing is said, those in development mode
    #[arg(long, env = "WORKGRAPH_SIGN_UP", value_enum, global = true)]
    pub sign_up: Option<SignUp>,

    /// Where people find the dashboard, for links to it: `https://dashboard.example`
    #[arg(
        long,
        env = "WORKGRAPH_PUBLIC_URL",
        value_name = "ADDRESS",
        global = true
    )]
    #[arg(value_parser = values::web_address)]
    pub public_url: Option<String>,

    /// The server that mails invitations and links for new passwords: smtp://USER:PASSWORD@HOST:587 or smtps://…
    #[arg(
        long,
        env = "WORKGRAPH_SMTP_URL",
        global = true,
        hide_env_values = true
    )]
    #[arg(value_parser = Unrepeated::<SmtpUrl>::default())]
    pub smtp_url: Option<SmtpUrl>,

    /// Who that mail comes from: an address, or "Workgraph <workgraph@example.com>"
    #[arg(
        long,
        env = "WORKGRAPH_MAIL_FROM",
        value_name = "ADDRESS",
        global = true
    )]
    pub mail_from: Option<Sender>,

    /// Believe the last address in X-Forwarded-For, because a proxy that sets it stands in front
    #[arg(long, env = "WORKGRAPH_TRUST_FORWARDED_FOR", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub trust_forwarded_for: bool,

    /// Other origins whose pages may use the API, with bearer tokens or their visitors' cookies: scheme, host and port
    #[arg(
        long,
        env = "WORKGRAPH_ALLOWED_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGIN,…",
        global = true
    )]
    #[arg(value_parser = origin)]
    pub allowed_origins: Vec<String>,

    /// Do not answer questions about the schema
    #[arg(long, env = "WORKGRAPH_NO_INTROSPECTION", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub no_introspection: bool,

    /// A manifest of documents that clients send by their documentId: JSON, as Relay, GraphQL Code Generator or Apollo write
    /// it
    #[arg(
        long,
        env = "WORKGRAPH_TRUSTED_DOCUMENTS",
        value_name = "FILE",
        global = true
    )]
    #[arg(value_parser = values::manifest)]
    pub trusted_documents: Option<TrustedDocuments>,

    /// Run no other documents than those of the manifest
    #[arg(long, env = "WORKGRAPH_TRUSTED_ONLY", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub trusted_only: bool,

    /// Do not serve GraphiQL
    #[arg(long, env = "WORKGRAPH_NO_GRAPHIQL", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub no_graphiql: bool,

    /// What to log: error, warn, info, debug, trace, or directives such as workgraph=debug
    #[arg(
        long,
        env = "WORKGRAPH_LOG",
        default_value = "info,sqlx=warn,sea_orm_migration=warn",
        global = true
    )]
    #[arg(value_parser = log_filter)]
    pub log: String,

    /// Log JSON lines instead of text
    #[arg(long, env = "WORKGRAPH_LOG_JSON", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub log_json: bool,

    /// A TOML file with any of these settings, such as listen = "127.0.0.1:9000"
    #[arg(long, env = "WORKGRAPH_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Signing in through a provider")]
    #[expect(
        missing_docs,
        reason = "a comment here would replace the description of every command"
    )]
    pub oidc: Oidc,

    #[command(flatten, next_help_heading = "Addresses of other services")]
    #[expect(
        missing_docs,
        reason = "a comment here would replace the description of every command"
    )]
    pub services: Addresses,

    #[command(flatten, next_help_heading = "Limits")]
    #[expect(
        missing_docs,
        reason = "a comment here would replace the description of every command"
    )]
    pub limits: Limits,
}

/// What is wrong with a setting's value, and a right one; nothing if it is another error.
#[must_use]
pub fn wrong_value(mut command: Command, error: &clap::Error) -> Option<String> {
    let ContextValue::String(named) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    command.build();
    let argument = command
        .get_arguments()
        .find(|argument| argument.to_string() == *named)?;
    let variable = argument.get_env()?.to_str()?;
    let reason = reason(error);
    Some(format!(
        "{reason}. Write for example {variable}={}",
        example(argument, &reason)
    ))
}

/// The one line that says what is wrong.
fn reason(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let line = rendered.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// A value that a setting may have: its default, if it has one and not another kind of value was meant.
fn example(argument: &Arg, reason: &str) -> String {
    let means_postgres = ["expected postgres://", "sslmode"];
    if means_postgres.iter().any(|sign| reason.contains(sign)) {
        return "postgres://workgraph:PASSWORD@localhost/workgraph".to_owned();
    }
    if !argument.get_action().takes_values() {
        return "true".to_owned();
    }
    if let [default, ..] = argument.get_default_values() {
        return default.to_string_lossy().into_owned();
    }
    match argument.get_id().as_str() {
        SECRET => "$(openssl rand -hex 32)",
        "keys" => "$(workgraph keys new)",
        "nats_url" => "nats://127.0.0.1:4222",
        "allowed_origins" => "https://dashboard.example",
        "trusted_documents" => "documents.json",
        "sign_up" => "open",
        "public_url" => "https://dashboard.example",
        "smtp_url" => "smtp://USER:PASSWORD@mail.example:587",
        "mail_from" => "workgraph@example.com",
        "oidc_issuer" => "https://login.example",
        "oidc_client_secret" => "SECRET",
        "oidc_newcomers" => "known",
        "oidc_default_role" => "viewer",
        "oidc_roles" => "staff=member,leads=admin",
        "oidc_callback_url" => "https://dashboard.example/auth/oidc/callback",
        _ => "workgraph.toml",
    }
    .to_owned()
}

impl Settings {
    /// Whether this is for trying things out: a loopback address without a proxy in front, or the wish for it.
    pub fn is_development(&self) -> bool {
        self.dev || self.listen.ip().is_loopback() && !self.trust_forwarded_for
    }

    /// Whether everybody may found a workspace; without a word, those in development mode.
    pub fn sign_up(&self) -> Option<bool> {
        self.sign_up.map(|who| who == SignUp::Open)
    }

    /// The provider that people sign in through, if there is one.
    ///
    /// # Errors
    /// When something is missing of what that takes.
    pub fn oidc(&self) -> Result<Option<OidcSettings>, String> {
        self.oidc.settings(self.public_url.as_deref())
    }

    /// What mails, if anything does.
    ///
    /// # Errors
    /// When something is missing of what that takes.
    pub fn mail(&self) -> Result<Option<Mail>, String> {
        let Some(server) = &self.smtp_url else {
            return Ok(None);
        };
        let needs = |what: &str| {
            format!("WORKGRAPH_SMTP_URL is set, and so that letters can be written {what}")
        };
        let from = self.mail_from.clone().ok_or_else(|| {
            needs("WORKGRAPH_MAIL_FROM must be, for example WORKGRAPH_MAIL_FROM=workgraph@example.com")
        })?;
        if self.public_url.is_none() {
            return Err(needs(
                "WORKGRAPH_PUBLIC_URL must be, for example WORKGRAPH_PUBLIC_URL=https://dashboard.example",
            ));
        }
        Ok(Some(Mail::new(server.clone(), from)))
    }
}
