//! An agent: it registers, claims, has its command do each ticket, and hands in what came of it.

use crate::{
    Options, command,
    job::{Held, Job, Kept, Outcome},
    live::follow,
    server::{Refused, Server, once},
};
use anyhow::{Context as _, Result, bail};
use serde::Deserialize as _;
use serde_json::{Value, json};
use std::{process::ExitStatus, time::Duration};
use tokio::{
    join, select,
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};
use tracing::{info, warn};

/// How often it looks for work that it was not told of.
const LOOK: Duration = Duration::from_secs(30);
/// How soon it looks again when what there is was given back, or failed in passing, a moment ago.
const LOOK_SOON: Duration = Duration::from_secs(5);
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(15);

/// Whether it is to stop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    No,
    /// It ends what it does, and leaves.
    Soon,
    /// It gives back what it does, and leaves.
    Now,
}

/// What a claim is answered with.
enum Claimed {
    Job(Box<Job>, String),
    /// Nothing, and when to look again.
    Nothing(Duration),
}

/// An agent with a session.
pub struct Agent {
    server: Server,
    options: Options,
    session: String,
    /// None when it has none, or has it no longer.
    job: watch::Sender<Option<Held>>,
    stop: watch::Sender<Stop>,
    /// There may be work.
    work: Notify,
    /// It should show a sign of life now, and hear what is still its own.
    beat: Notify,
}

impl Agent {
    /// Takes the session of its former life up again, or begins one; hands in what came of that life's work, and gives
    /// back what nobody works on any more.
    pub async fn start(options: Options, stop: watch::Sender<Stop>) -> Result<Self> {
        let server = Server::new(&options.url, options.token.clone())?;
        let file = options.session_file.as_deref();
        let Kept { session, outcome } = file.map(Kept::read).transpose()?.unwrap_or_default();
        let session = match register(&server, &options, session.as_deref()).await {
            Err(refused) if refused.is("NOT_FOUND") => register(&server, &options, None).await,
            answer => answer,
        };
        let (job, work, beat) = (watch::Sender::new(None), Notify::new(), Notify::new());
        let session = session?;
        info!("registered as {session}");
        let agent = Self {
            server,
            options,
            session,
            job,
            stop,
            work,
            beat,
        };
        match outcome {
            Some(outcome) => agent.hand_in(outcome).await?,
            None => agent.keep(None)?,
        }
        let variables = json!({ "session": agent.session });
        let answer = agent.server.ask("Held", variables).await?;
        for held in Vec::<Held>::deserialize(&answer["agentJobs"]["nodes"])? {
            agent
                .give_back(&held, "The agent was started again.")
                .await?;
        }
        Ok(agent)
    }

    /// Works, one ticket at a time, until it is stopped, or not let in any more.
    pub async fn work(&self) -> Result<()> {
        let overdue = async {
            self.stopped(Stop::Now).await;
            sleep(LEAVING).await;
        };
        select! {
            end = self.tickets() => end?,
            error = self.beats() => return Err(error),
            error = follow(&self.server, &self.session, |told| self.hear(told)) => return Err(error),
            () = overdue => bail!("the server is out of reach; what is unsaid is said at the next start"),
        }
        let input = once(json!({ "sessionId": self.session }));
        let leave = timeout(LEAVING, self.server.tell("Leave", input)).await;
        leave.context("the server is out of reach")??;
        info!("left");
        Ok(())
    }

    async fn tickets(&self) -> Result<()> {
        loop {
            let claimed = select! {
                // What it is given all the same it gives back by leaving.
                () = self.stopped(Stop::Soon) => return Ok(()),
                claimed = self.claim() => claimed?,
            };
            match claimed {
                Claimed::Job(job, title) => self.work_on(*job, &title).await?,
                Claimed::Nothing(pause) => select! {
                    () = self.stopped(Stop::Soon) => {}
                    () = self.work.notified() => {}
                    () = sleep(pause) => {}
                },
            }
        }
    }

    async fn claim(&self) -> Result<Claimed> {
        let input = once(json!({ "sessionId": self.session }));
        let answer = match self.server.tell("Claim", input).await {
            // The session has ended, or the ticket was lost before the answer came.
            Err(refused) if refused.is("CONFLICT") => {
                self.register_again().await?;
                return Ok(Claimed::Nothing(Duration::ZERO));
            }
            answer => answer?,
        };
        let claimed = &answer["claimNextTicket"];
        if let Some(job) = Option::deserialize(&claimed["job"])? {
            return Ok(Claimed::Job(job, claimed["ticket"]["title"].to_string()));
        }
        Ok(Claimed::Nothing(match claimed["reason"].as_str() {
            Some("BACKING_OFF") => LOOK_SOON,
            Some("DRAINING") => {
                self.drain();
                LOOK
            }
            _ => LOOK,
        }))
    }

    async fn work_on(&self, job: Job, title: &str) -> Result<()> {
        info!("works on {title}");
        let held = &job.held;
        self.job.send_replace(Some(held.clone()));
        let ended = self.run(&job).await;
        let is_lost = self.job.borrow().is_none();
        let end = match ended {
            Ok((Some(status), output)) if !is_lost => {
                self.hand_in(held.outcome(status, &output)).await
            }
            Ok((None, _)) if !is_lost => self.give_back(held, "The agent was stopped.").await,
            Err(error) if !is_lost && !error.downcast_ref().is_some_and(Refused::is_stale) => {
                // The agent is not let in, or its command cannot be run: no other ticket would do better.
                let _ = self
                    .give_back(held, "The agent cannot run its command.")
                    .await;
                Err(error)
            }
            _ => {
                info!("{title} is somebody else's");
                Ok(())
            }
        };
        self.job.send_replace(None);
        end
    }

    /// How the command ended, or that it was stopped, and the last of what it printed.
    async fn run(&self, job: &Job) -> Result<(Option<ExitStatus>, String)> {
        let start = once(job.held.input("jobId", job.held.id.clone().into()));
        self.server.tell("Start", start).await?;
        let stopped = async {
            let mut held = self.job.subscribe();
            select! {
                () = self.stopped(Stop::Now) => {}
                _ = held.wait_for(Option::is_none) => {}
            }
        };
        let (lines, printed) = mpsc::channel(256);
        let journal = async {
            let end = command::write(&self.server, &job.held, printed).await;
            if end.is_err() {
                self.lose(&job.held);
            }
            end
        };
        let command = command::run(&self.options.command, job, lines, stopped);
        let (ended, written) = join!(command, journal);
        Ok((ended?, written?))
    }

    /// Hands in what came of a job. Until the server has it, it is kept for the next start.
    async fn hand_in(&self, outcome: Outcome) -> Result<()> {
        let (mutation, input) = (outcome.mutation.clone(), outcome.input.clone());
        self.keep(Some(outcome))?;
        match self.server.tell(&mutation, input.clone()).await {
            Ok(_) => info!("handed in: {mutation}"),
            Err(refused) if refused.is("UNAUTHENTICATED") => return Err(refused.into()),
            Err(refused) if refused.is_stale() => info!("the ticket is somebody else's"),
            Err(refused) => {
                warn!("the outcome is not taken: {refused}");
                let mut fail = once(json!({ "error": format!("It is not taken: {refused}") }));
                fail["jobId"] = input["jobId"].clone();
                fail["attempt"] = input["attempt"].clone();
                let _ = self.server.tell("Fail", fail).await;
            }
        }
        self.keep(None)
    }

    async fn give_back(&self, held: &Held, why: &str) -> Result<()> {
        let input = once(held.input("reason", why.into()));
        match self.server.tell("Release", input).await {
            Err(refused) if !refused.is_stale() => return Err(refused.into()),
            _ => info!("gave a ticket back: {why}"),
        }
        Ok(())
    }

    /// Shows signs of life until it is refused.
    async fn beats(&self) -> anyhow::Error {
        loop {
            if let Err(error) = self.beat().await {
                return error;
            }
            select! {
                () = self.beat.notified() => {}
                () = sleep(self.options.heartbeat()) => {}
            }
        }
    }

    async fn beat(&self) -> Result<()> {
        let held = self.job.borrow().clone();
        let jobs: Vec<_> = held.iter().map(|held| &held.id).collect();
        let variables = json!({ "session": self.session, "jobs": jobs });
        let answer = match self.server.ask("Beat", variables).await {
            // The session ended while the server was out of reach. The next beat tells what was lost with it.
            Err(refused) if refused.is("CONFLICT") => {
                self.register_again().await?;
                self.beat.notify_one();
                return Ok(());
            }
            answer => answer?,
        };
        let alive = &answer["agentHeartbeat"];
        if !alive["agentSession"]["drainingAt"].is_null() {
            self.drain();
        }
        if let Some(held) = held.filter(|held| alive["lostJobIds"] == json!([held.id])) {
            self.lose(&held);
        }
        Ok(())
    }

    /// Hears what the server tells. It is told for the sake of speed: what counts are claims and signs of life.
    fn hear(&self, told: &Value) {
        let (work, command) = (&told["workAvailable"], &told["agentCommands"]);
        if told.is_null() || !work["ticketId"].is_null() {
            self.work.notify_one();
        }
        if told.is_null() {
            self.beat.notify_one();
        }
        if !command["session"]["drainingAt"].is_null() {
            self.drain();
        }
        let is_over = ["DONE", "FAILED", "CANCELLED", "PENDING"]
            .contains(&command["job"]["status"].as_str().unwrap_or_default());
        if let Ok(job) = Held::deserialize(&command["job"])
            && is_over
        {
            self.lose(&job);
        }
    }

    /// Knows that a job is not its own any more, which stops the command.
    fn lose(&self, lost: &Held) {
        self.job
            .send_if_modified(|job| job.take_if(|job| job == lost).is_some());
    }

    fn drain(&self) {
        let is_new = |stop: &mut Stop| {
            let before = std::mem::replace(stop, (*stop).max(Stop::Soon));
            before == Stop::No
        };
        if self.stop.send_if_modified(is_new) {
            info!("is asked to leave");
        }
    }

    /// Waits until it is to stop, at least so fast.
    async fn stopped(&self, least: Stop) {
        let mut stop = self.stop.subscribe();
        let _ = stop.wait_for(|stop| *stop >= least).await;
    }

    async fn register_again(&self) -> Result<()> {
        register(&self.server, &self.options, Some(&self.session)).await?;
        Ok(())
    }

    fn keep(&self, outcome: Option<Outcome>) -> Result<()> {
        let session = Some(self.session.clone());
        match &self.options.session_file {
            Some(file) => Kept { session, outcome }.write(file),
            None => Ok(()),
        }
    }
}

async fn register(
    server: &Server,
    options: &Options,
    session: Option<&str>,
) -> Result<String, Refused> {
    let mut input = once(json!({ "repos": options.repos, "maxActiveJobs": 1 }));
    if let Some(session) = session {
        input["sessionId"] = session.into();
    }
    let answer = server.tell("Register", input).await?;
    let id = answer["registerAgent"]["agentSession"]["id"].as_str();
    Ok(id.unwrap_or_default().to_owned())
}
