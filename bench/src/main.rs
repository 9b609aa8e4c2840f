//! `cargo run -p bench --release -- NAME`: see the README.

use bench::{
    Database, Program, Result, agents,
    chaos::{self, Plan},
    measure::{self, ClaimPlan, Pages, Target},
};
use clap::{Args, Parser, Subcommand};
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

/// Load for the real program.
#[derive(Parser)]
#[command(about)]
struct CommandLine {
    #[command(flatten)]
    given: Given,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Given {
    /// The program under test; the one built beside this if not given
    #[arg(long, global = true)]
    program: Option<PathBuf>,
    /// A PostgreSQL server to make databases on, postgres://user@host/postgres; SQLite if not given
    #[arg(long, env = "TEST_DATABASE_URL", global = true)]
    database_url: Option<String>,
    /// SQLite, whatever the environment says
    #[arg(long, global = true)]
    sqlite: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Proves that nothing is lost while everything breaks
    Chaos {
        /// Goes on until so many events were written
        #[arg(long, default_value_t = 20_000)]
        events: u64,
        /// Hints go over NATS, and only there
        #[arg(long)]
        nats: bool,
        /// How many mutations a request has at most
        #[arg(long, default_value_t = 50)]
        roots: usize,
        /// How many tenants there are
        #[arg(long, default_value_t = 8)]
        tenants: usize,
    },
    /// Proves that work is done once while servers and agents die at every step of it
    Agents {
        /// How often servers are killed at every step in turn
        #[arg(long, default_value_t = 5)]
        volleys: usize,
        /// How many agents there are in the storm
        #[arg(long, default_value_t = 24)]
        agents: usize,
        /// For how many seconds servers and agents then die at random
        #[arg(long, default_value_t = 120)]
        seconds: u64,
    },
    /// Memory of idle subscribers, and one event to all of them
    Subscribers,
    /// From the commit to the clients
    Latency,
    /// How long it takes to be told of 10,000 missed events
    CatchUp,
    /// What followers cost those who write
    Writers,
    /// How much one tenant can write, and how much of it arrives
    Ceiling,
    /// How long agents wait for their next ticket
    Claims {
        /// How many tickets are ready in the workspace
        #[arg(long, default_value_t = 100_000)]
        tickets: usize,
        /// How many agents it has
        #[arg(long, default_value_t = 200)]
        agents: usize,
        /// For how many seconds each case is measured
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// Only cases with this in their name
        #[arg(long, default_value = "")]
        only: String,
    },
    /// The dashboard's pages, beside a server that was written by hand for them
    Pages {
        /// That server, built from bench/limit
        #[arg(long)]
        limit: PathBuf,
        /// How many rows there are: 1 makes 100,000 tickets
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// For how many seconds each page is asked for, in each of two rounds
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Only pages with this in their name
        #[arg(long, default_value = "")]
        only: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let CommandLine { given, command } = CommandLine::parse();
    let (text, code) = match run(&given, command).await {
        Ok((text, true)) => (text, ExitCode::SUCCESS),
        Ok((text, false)) => (text, ExitCode::FAILURE),
        Err(failure) => (failure.to_string(), ExitCode::FAILURE),
    };
    // Nobody is left to be told that nobody reads.
    let _ = writeln!(io::stdout(), "{text}");
    code
}

/// What there is to say, and whether it is good.
async fn run(given: &Given, command: Command) -> Result<(String, bool)> {
    let program = Program::find(given.program.as_deref())?;
    let database = match &given.database_url {
        Some(url) if !given.sqlite => Database::Postgres(url.clone()),
        _ => Database::Sqlite,
    };
    let target = Target { program, database };
    let table = match command {
        Command::Chaos {
            events,
            nats,
            roots,
            tenants,
        } => {
            let plan = Plan {
                program: target.program,
                database: target.database,
                nats,
                tenants,
                writers: 64,
                subscribers: 200,
                roots,
                kill_every: 2000..5000,
                stay: 6000,
                time: Duration::ZERO,
                events,
            };
            let report = chaos::run(&plan).await?;
            return Ok((report.to_string(), report.holds()));
        }
        Command::Agents {
            volleys,
            agents,
            seconds,
        } => {
            let plan = agents::Plan {
                program: target.program,
                database: target.database,
                volleys,
                agents,
                tickets: 60,
                briefs: 5,
                storm: Duration::from_secs(seconds),
                kill_every: 20..300,
            };
            let report = agents::run(&plan).await?;
            return Ok((report.to_string(), report.holds()));
        }
        Command::Subscribers => measure::subscribers(&target).await?,
        Command::Latency => measure::latency(&target).await?,
        Command::CatchUp => measure::catch_up(&target).await?,
        Command::Writers => measure::writers(&target).await?,
        Command::Ceiling => measure::ceiling(&target).await?,
        Command::Claims {
            tickets,
            agents,
            seconds,
            only,
        } => {
            let plan = ClaimPlan {
                tickets,
                agents,
                time: Duration::from_secs(seconds),
                only,
            };
            measure::claims(&target, &plan).await?
        }
        Command::Pages {
            limit,
            scale,
            seconds,
            only,
        } => {
            let pages = Pages {
                limit: Program::find(Some(&limit))?,
                scale,
                time: Duration::from_secs(seconds),
                only,
            };
            measure::pages(&target, &pages).await?
        }
    };
    Ok((table, true))
}
