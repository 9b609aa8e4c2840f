//! Settings: from the command line, the environment or a TOML file, in this order; all checked at the start.

use crate::{
    auth::Secret,
    http::Limits,
    private_file,
    store::{DatabaseUrl, NatsUrl},
};
use clap::{
    Arg, Args, Command,
    builder::{BoolishValueParser, TypedValueParser},
    error::ErrorKind,
};
use std::{
    env,
    ffi::OsStr,
    fs, io,
    marker::PhantomData,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

/// The setting that an empty variable does not leave unset.
const SECRET: &str = "secret";

/// Everything that can be set.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// The database: sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME
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
        default_value_t = 10,
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

    /// How often a minute one address may try to sign in; an account may be tried four times as often
    #[arg(
        long,
        env = "WORKGRAPH_SIGN_INS_PER_MINUTE",
        default_value_t = 5,
        value_name = "COUNT",
        global = true
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub sign_ins_per_minute: u64,

    /// Believe the last address in X-Forwarded-For, because a proxy that sets it stands in front
    #[arg(long, env = "WORKGRAPH_TRUST_FORWARDED_FOR", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub trust_forwarded_for: bool,

    /// Other origins whose pages may use the API with their visitors' cookies: scheme, host and port
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

    /// Do not serve GraphiQL
    #[arg(long, env = "WORKGRAPH_NO_GRAPHIQL", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub no_graphiql: bool,

    #[command(flatten, next_help_heading = "Limits")]
    #[expect(
        missing_docs,
        reason = "a comment here would replace the description of every command"
    )]
    pub limits: Limits,

    /// What to log: error, warn, info, debug, trace, or directives such as workgraph=debug
    #[arg(
        long,
        env = "WORKGRAPH_LOG",
        default_value = "info,sqlx=warn,sea_orm_migration=warn",
        global = true
    )]
    pub log: String,

    /// Log JSON lines instead of text
    #[arg(long, env = "WORKGRAPH_LOG_JSON", global = true)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub log_json: bool,

    /// A TOML file with any of these settings, such as listen = "127.0.0.1:9000"
    #[arg(long, env = "WORKGRAPH_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// A page's origin, as browsers send it: no path, not even a slash.
fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', ' ', '*']) => {
            Ok(text.to_lowercase())
        }
        _ => Err("must be like https://dashboard.example, without a path".to_owned()),
    }
}

/// Reads a value that may hold a password: an error names the setting, but does not repeat the value.
#[derive(Clone)]
struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Default for Unrepeated<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Unrepeated<T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let text = value.to_str().ok_or_else(|| "is not UTF-8".to_owned());
        let text = text.map(str::trim).and_then(|text| match text {
            "" => Err("is empty; leave it out, or give it a value".to_owned()),
            text => Ok(text),
        });
        text.and_then(T::from_str).map_err(|reason| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value for '{name}': {reason}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// Puts a TOML file's settings under the command line and the environment, as new defaults.
///
/// # Errors
/// When the file cannot be read, or has a key that is no setting.
pub fn with_file(mut command: Command, path: &Path) -> Result<Command, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    for (key, value) in table {
        let id = key.replace('-', "_");
        let known = command
            .get_arguments()
            .any(|argument| argument.get_id() == id.as_str() && id != "config");
        if !known {
            return Err(format!(
                "{}: `{key}` is no setting; see workgraph --help",
                path.display()
            ));
        }
        let value = match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        command = command.mut_arg(id, |argument| argument.default_value(value));
    }
    Ok(command)
}

/// Reads the environment as people write it: an empty variable is one that is not set, and spaces or a newline around a
/// value are no part of it. An empty key stays, to be refused: whoever sets one wants none but theirs.
#[must_use]
pub fn with_environment(command: Command) -> Command {
    command.mut_args(|argument| {
        let value = argument.get_env().and_then(env::var_os);
        let Some(value) = value.as_deref().and_then(OsStr::to_str) else {
            return argument;
        };
        match value.trim() {
            "" if argument.get_id() == SECRET => argument,
            "" => argument.env(None::<&'static str>),
            trimmed if trimmed == value => argument,
            // Under the command line like the variable, and over the file, whose values are defaults already.
            trimmed => {
                let trimmed = trimmed.to_owned();
                let is_shown = !argument.get_action().takes_values();
                argument
                    .env(None::<&'static str>)
                    .hide_default_value(!is_shown)
                    .default_value(trimmed)
            }
        }
    })
}

impl Settings {
    /// Whether this is for trying things out: a loopback address, or the wish for it.
    pub fn is_development(&self) -> bool {
        self.dev || self.listen.ip().is_loopback()
    }

    /// The key that signs tokens: the given one, or on a loopback address one that is made once and kept in a file that
    /// only its owner can read.
    ///
    /// # Errors
    /// When there is none and the address is not a loopback one, or the file cannot be read or written.
    pub fn signing_secret(&self) -> Result<Secret, String> {
        if let Some(secret) = &self.secret {
            return Ok(secret.clone());
        }
        if !self.is_development() {
            return Err(format!(
                "WORKGRAPH_SECRET is not set, and {} can be reached from other machines. Set it to at least 32 random \
                 characters; `openssl rand -hex 32` makes them.",
                self.listen
            ));
        }
        let path = match &self.database_url {
            DatabaseUrl::Sqlite(path) => path.with_added_extension("secret"),
            DatabaseUrl::Postgres { .. } => PathBuf::from("workgraph.secret"),
        };
        kept_secret(&path).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn kept_secret(path: &Path) -> io::Result<Secret> {
    if path.exists() {
        private_file::tighten(path);
    } else {
        // Written aside, so that nobody ever reads half of it. Of several that start at once one is first.
        let key: [u8; 32] = rand::random();
        let aside = path.with_added_extension(std::process::id().to_string());
        private_file::create(&aside, hex::encode(key).as_bytes())?;
        let first = fs::hard_link(&aside, path);
        fs::remove_file(&aside)?;
        match first {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let text = fs::read_to_string(path)?;
    Secret::new(text.trim()).map_err(io::Error::other)
}
