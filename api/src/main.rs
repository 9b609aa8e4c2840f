//! The command line.

mod key_commands;

use self::key_commands::{Keys, see_to_keys};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use entity::user::UserRole;
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};
use workgraph::{
    auth::Secret,
    clock::Clock,
    config::{self, Settings},
    graph, import, server,
    store::{Head, Store},
    vault, workspace,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A multi-tenant GraphQL backend for companies that run an AI workforce.
#[derive(Parser)]
#[command(version, about)]
struct CommandLine {
    #[command(flatten, next_help_heading = "Settings of every command")]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Default)]
enum Command {
    /// Migrate, fill an empty database with the demo, and serve (the default)
    #[default]
    Serve,
    /// Bring the database's schema up to date, and say how many steps that took
    Migrate {
        /// Change nothing, only list the missing steps; the exit status is 1 if there are any
        #[arg(long)]
        status: bool,
    },
    /// Fill an empty database with the demo workspaces; one with data is left alone
    Seed,
    /// Bring in meeting notes, transcripts, skills and subagents from files; once more, only what changed
    Import {
        /// The slug of the workspace that gets the meetings; skills and subagents go to all
        #[arg(long, default_value = "demo")]
        workspace: String,
        /// The slug of the project that gets the meetings
        #[arg(long, default_value = "default")]
        project: String,
        /// Files, and folders to walk through: .md, .vtt, .srt, .txt
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Print the GraphQL schema
    Schema,
    /// Print a bearer token for a workspace's first user with a role
    Token {
        /// The workspace's slug
        #[arg(long, default_value = "demo")]
        workspace: String,
        /// The user's role
        #[arg(long, default_value = "owner")]
        role: RoleName,
        /// How long it is valid, in hours
        #[arg(long, default_value_t = 12, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..=8760))]
        hours: u64,
    },
    /// Found a workspace with its owner and its default project
    CreateWorkspace {
        /// Its name, 1 to 200 characters
        #[arg(long)]
        name: String,
        /// Its slug; made from the name if not given
        #[arg(long)]
        slug: Option<String>,
        /// The owner's e-mail address
        #[arg(long)]
        owner_email: String,
    },
    /// Set a user's password, read from standard input, and end their sessions
    SetPassword {
        /// The workspace's slug
        #[arg(long, default_value = "demo")]
        workspace: String,
        /// The user's e-mail address
        #[arg(long)]
        email: String,
    },
    /// Count anew, from the calls themselves, what a workspace has used of its budgets
    RecountBudgets {
        /// The workspace's slug
        #[arg(long, default_value = "demo")]
        workspace: String,
    },
    /// See to the keys that secrets of other services are sealed with
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Check that a workspace's ledger is complete and unaltered
    VerifyLedger {
        /// The workspace's slug, or "system" for changes to what all workspaces share
        #[arg(long, default_value = "demo")]
        workspace: String,
        /// A head that was noted before, elsewhere: the ledger must have gone on from there. Whoever can write to the
        /// database can also cut off the end of a ledger or write it anew, and only this shows it
        #[arg(long, value_name = "SEQ:HASH")]
        noted: Option<Head>,
    },
}

impl Command {
    /// Whether it makes a database where there is none.
    fn makes_database(&self) -> bool {
        match self {
            Self::Serve
            | Self::Migrate { status: false }
            | Self::Seed
            | Self::Import { .. }
            | Self::CreateWorkspace { .. } => true,
            Self::Schema
            | Self::Migrate { status: true }
            | Self::Token { .. }
            | Self::SetPassword { .. }
            | Self::RecountBudgets { .. }
            | Self::Keys { .. }
            | Self::VerifyLedger { .. } => false,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl From<RoleName> for UserRole {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
            RoleName::Viewer => Self::Viewer,
        }
    }
}

fn main() -> ExitCode {
    let CommandLine { settings, command } = match parse() {
        Ok(parsed) => parsed,
        Err(message) => return fail(&message),
    };
    server::start_logging(&settings.log, settings.log_json);
    let unknown = config::unknown_variables(&CommandLine::command());
    if !unknown.is_empty() {
        tracing::warn!(
            variables = unknown.join(", "),
            "these are no settings and change nothing; see workgraph --help"
        );
    }
    let runtime = match server::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(async { tokio::spawn(run(settings, command.unwrap_or_default())).await })
    {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(message)) => fail(&message),
        Err(panicked) => fail(&panicked.to_string()),
    }
}

/// Reads the command line twice: the first time only to learn which file has more defaults.
fn parse() -> Result<CommandLine, String> {
    let first = config::with_environment(CommandLine::command());
    let config = first
        .try_get_matches()
        .and_then(|matches| CommandLine::from_arg_matches(&matches))
        .ok()
        .and_then(|parsed| parsed.settings.config);
    let command = match config {
        Some(path) => config::with_file(CommandLine::command(), &path)?,
        None => CommandLine::command(),
    };
    let matches = match config::with_environment(command).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => match config::wrong_value(CommandLine::command(), &error) {
            Some(told) => return Err(told),
            None => error.exit(),
        },
    };
    CommandLine::from_arg_matches(&matches).map_err(|error| error.to_string())
}

async fn run(settings: Settings, command: Command) -> Result<(), String> {
    match command {
        Command::Schema => return print(&graph::sdl()),
        Command::Keys { command: Keys::New } => {
            let now = Clock::system().now().inner();
            return print(&format!("{}\n", vault::new_key(now)));
        }
        Command::Serve => return serve(settings).await,
        _ => {}
    }
    if !command.makes_database() && !settings.database_url.may_exist() {
        let message = "there is no database; start the server or run `workgraph migrate` first";
        return Err(format!("{message} ({})", settings.database_url));
    }
    settings.database_url.check().await?;
    let secret = match command {
        Command::Token { .. } => settings.servers_secret()?,
        _ => Secret::unkept(),
    };
    let clock = Clock::system();
    let told = |error: workgraph::Error| format!("{} ({})", error.cause(), settings.database_url);
    let mut store = open(&settings, &secret, &clock).await?;
    match command {
        Command::Seed => store = store.with_vault(settings.vault(&clock)?),
        Command::Keys { .. } => store = store.with_vault(settings.vault_as_it_is(&clock)?),
        _ => {}
    }
    match command {
        Command::Schema | Command::Serve => {}
        Command::Migrate { status: true } => {
            let pending = store.pending_migrations().await.map_err(told)?;
            let lines: String = pending
                .iter()
                .map(|name| format!("missing  {name}\n"))
                .collect();
            store.close().await;
            return match pending.len() {
                0 => print("The schema is up to date.\n"),
                missing => {
                    print(&lines)?;
                    let behind = steps(missing);
                    Err(format!(
                        "the schema is {behind} behind; run `workgraph migrate`"
                    ))
                }
            };
        }
        Command::Migrate { status: false } => {
            let told_of = match workgraph::seed::set_up(&store).await.map_err(told)? {
                0 => "The schema was up to date already.\n".to_owned(),
                taken => format!("The schema is up to date now; it took {}.\n", steps(taken)),
            };
            print(&told_of)?;
        }
        Command::Seed => {
            workgraph::seed::set_up(&store).await.map_err(told)?;
            let seeded = workgraph::seed::seed_if_empty(&store).await.map_err(told)?;
            print(if seeded {
                "The demo is in place.\n"
            } else {
                "The database has data; nothing was changed.\n"
            })?;
        }
        Command::Import {
            workspace,
            project,
            paths,
        } => {
            workgraph::seed::set_up(&store).await.map_err(told)?;
            let options = import::Options {
                workspace,
                project,
                paths,
                progress: true,
            };
            let summary = import::import(&store, &options).await.map_err(told)?;
            store.close().await;
            return report(&summary);
        }
        Command::Token {
            workspace,
            role,
            hours,
        } => {
            let token = server::token(
                &store,
                secret,
                clock,
                &workspace,
                role.into(),
                Duration::from_secs(hours * 3600),
            )
            .await;
            print(&format!("{}\n", token.map_err(told)?))?;
        }
        Command::CreateWorkspace {
            name,
            slug,
            owner_email,
        } => {
            workgraph::seed::set_up(&store).await.map_err(told)?;
            let founded = workspace::found(&store, &name, slug.as_deref(), &owner_email);
            print(&format!("{}\n", founded.await.map_err(told)?))?;
        }
        Command::SetPassword { workspace, email } => {
            let password = io::read_to_string(io::stdin()).map_err(|error| error.to_string())?;
            let password = password.trim_end_matches(['\r', '\n']);
            server::set_password(&store, secret, clock, &workspace, &email, password)
                .await
                .map_err(told)?;
            print("The password is set; sign in with it.\n")?;
        }
        Command::RecountBudgets { workspace } => {
            let recounted = server::recount_budgets(&store, &workspace);
            recounted.await.map_err(told)?;
            print("What was used is counted anew.\n")?;
        }
        Command::Keys { command } => {
            let done = see_to_keys(&store, command).await;
            store.close().await;
            return done;
        }
        Command::VerifyLedger { workspace, noted } => {
            let head = server::verify_ledger(&store, &workspace, noted.as_ref())
                .await
                .map_err(told)?;
            let entries = head.seq;
            print(&format!(
                "{entries} entries, complete and unaltered. Head: {head}\n"
            ))?;
        }
    }
    store.close().await;
    Ok(())
}

/// Takes the address first: whoever starts a second server by mistake changes nothing.
async fn serve(settings: Settings) -> Result<(), String> {
    let address = server::take_address(settings.listen)?;
    settings.database_url.check().await?;
    let secret = settings.signing_secret()?;
    let clock = Clock::system();
    let store = open(&settings, &secret, &clock).await?;
    let store = store.with_vault(settings.vault(&clock)?);
    server::serve(&settings, address, store.clone(), secret, clock).await?;
    store.close().await;
    Ok(())
}

async fn open(settings: &Settings, secret: &Secret, clock: &Clock) -> Result<Store, String> {
    Store::open(
        &settings.database_url,
        settings.database_connections,
        secret,
        clock.clone(),
    )
    .await
    .map_err(|error| error.cause())
}

fn steps(count: usize) -> String {
    match count {
        1 => "1 step".to_owned(),
        many => format!("{many} steps"),
    }
}

/// Tells what an import did; it failed if there was anything it could not read.
fn report(summary: &import::Summary) -> Result<(), String> {
    for problem in &summary.malformed {
        // Standard error may be closed; the exit code still tells.
        let _ = writeln!(io::stderr(), "{problem}");
    }
    print(&format!("{summary}\n"))?;
    match summary.malformed.len() {
        0 => Ok(()),
        many => Err(format!(
            "{many} of the files could not be imported; everything else is in place"
        )),
    }
}

fn print(text: &str) -> Result<(), String> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}

fn fail(message: &str) -> ExitCode {
    // Standard error may be closed; there is nobody left to tell then.
    let _ = writeln!(io::stderr(), "workgraph: {message}");
    ExitCode::FAILURE
}
