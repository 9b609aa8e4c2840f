//! Works on tickets: claims one after the other, has a command do each, and hands in what came of it.

mod agent;
mod command;
mod job;
mod live;
mod server;

use agent::{Agent, Stop};
use clap::Parser;
use std::{future::pending, io, path::PathBuf, time::Duration};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};
use tracing::info;

/// Works on tickets: claims one after the other, has a command do each, and hands in what came of it.
#[derive(Parser)]
struct Options {
    /// The server's address.
    #[arg(long, env = "WORKGRAPH_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The agent token, as `createAgentToken` showed it.
    #[arg(long, env = "WORKGRAPH_AGENT_TOKEN", hide_env_values = true)]
    token: String,
    /// A repository that it has, as owner/name; once for each.
    #[arg(long = "repo")]
    repos: Vec<String>,
    /// Keeps its session there, to take it up again when it is started anew; a file for each agent.
    #[arg(long, env = "WORKGRAPH_SESSION_FILE")]
    session_file: Option<PathBuf>,
    /// Seconds between two signs of life.
    #[arg(long, default_value_t = 30)]
    heartbeat: u64,
    /// Seconds that the command may go on for when the agent is stopped; then the ticket is given back.
    #[arg(long, default_value_t = 60)]
    grace: u64,
    /// The command, which gets the job's payload as JSON on its standard input.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

impl Options {
    fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_target(false).init();
    // Only the first one counts, and this is it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = Options::parse();
    let grace = Duration::from_secs(options.grace);
    let stop = watch::Sender::new(Stop::No);
    let mut asked = stop.subscribe();
    let work = async {
        let agent = select! {
            agent = Agent::start(options, stop.clone()) => agent?,
            _ = asked.wait_for(|stop| *stop != Stop::No) => return Ok(()),
        };
        agent.work().await
    };
    select! {
        end = work => end,
        end = signals(&stop, grace) => Ok(end?),
    }
}

/// Stops the agent at the first Ctrl-C or SIGTERM, and its command at the next one, or after a while.
async fn signals(stop: &watch::Sender<Stop>, grace: Duration) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    info!("leaves when the command has ended, or is asked to a second time");
    stop.send_replace(Stop::Soon);
    select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = sleep(grace) => {}
    }
    stop.send_replace(Stop::Now);
    pending().await
}
