//! The command that does the work, and the journal that what it prints is written into.

use crate::{
    job::{Held, Job},
    server::{Refused, Server},
};
use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    join, pin,
    process::{ChildStdin, Command},
    select,
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

/// The most characters of an entry, and of the output that is handed in with the result.
const LONGEST: usize = 4000;
/// The most entries of a journal that the server takes.
const MOST_ENTRIES: usize = 2000;
/// So many entries are written at once: a request has at most 256 KiB.
const AT_ONCE: usize = 10;
/// The last one, when there is more to tell.
const FULL: &str = "The journal is full: the rest of what the command prints is not in it.";
/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_secs(1);
/// How long a command may take to end when it is asked to, and its pipes when it has ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// All processes that the command begins, unless they leave its group. They end with it.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        // It fails when all have ended already.
        let _ = self.0.map(|group| kill_process_group(group, signal));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Runs the command, with the job's payload on its standard input, and hands on the lines that it prints. Nothing is
/// answered when it was stopped before it ended.
pub async fn run(
    command: &[String],
    job: &Job,
    lines: mpsc::Sender<String>,
    stopped: impl Future<Output = ()>,
) -> anyhow::Result<Option<ExitStatus>> {
    let (program, arguments) = command.split_first().context("no command is named")?;
    let mut child = Command::new(program)
        .args(arguments)
        // What it runs may be written by a model: the token is not its business.
        .env_remove("WORKGRAPH_AGENT_TOKEN")
        .env("WORKGRAPH_JOB_ID", &job.held.id)
        .env("WORKGRAPH_ATTEMPT", job.held.attempt.to_string())
        .env("WORKGRAPH_ACTION", &job.action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{program} cannot be run"))?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let payload = job.payload.to_string();
    let pipes = async {
        join!(
            give(stdin, payload),
            hand_on(stdout, lines.clone()),
            hand_on(stderr, lines.clone())
        );
    };
    let end = async {
        let status = select! {
            status = child.wait() => status.map(Some),
            () = stopped => {
                group.signal(Signal::TERM);
                timeout(PATIENCE, child.wait()).await.map_or(Ok(()), |end| end.map(drop)).map(|()| None)
            }
        };
        drop(group);
        status
    };
    pin!(pipes, end);
    let status = select! {
        status = &mut end => {
            // A process that left the group may hold them for ever.
            let _ = timeout(PATIENCE, pipes).await;
            status
        }
        () = &mut pipes => end.await,
    };
    status.context("the command is out of sight")
}

async fn give(pipe: Option<ChildStdin>, payload: String) {
    if let Some(mut pipe) = pipe {
        // It need not read it.
        let _ = pipe.write_all(payload.as_bytes()).await;
    }
}

/// Hands on the lines of a pipe, long ones in pieces. A command that prints more than the server takes waits.
async fn hand_on(pipe: Option<impl AsyncRead + Unpin>, lines: mpsc::Sender<String>) {
    let Some(pipe) = pipe else { return };
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut pipe)
        .take(LONGEST as u64)
        .read_until(b'\n', &mut line)
        .await
    {
        let is_shown = |char: &char| !char.is_control() || *char == '\t';
        let text: String = String::from_utf8_lossy(&line)
            .chars()
            .filter(is_shown)
            .collect();
        line.clear();
        if !text.trim().is_empty() && lines.send(text.trim_end().to_owned()).await.is_err() {
            return;
        }
    }
}

/// Writes lines into a job's journal, what comes within a second at once, and answers with the last of them.
pub async fn write(
    server: &Server,
    held: &Held,
    mut lines: mpsc::Receiver<String>,
) -> Result<String, Refused> {
    let mut end = String::new();
    let mut written = 0;
    while let Some(line) = lines.recv().await {
        let mut texts = vec![line];
        let until = Instant::now() + GATHER;
        while texts.len() < AT_ONCE
            && let Ok(Some(line)) = timeout_at(until, lines.recv()).await
        {
            match texts.last_mut() {
                Some(text) if text.len() + line.len() < LONGEST => *text += &format!("\n{line}"),
                _ => texts.push(line),
            }
        }
        for text in &texts {
            end = last(format!("{end}\n{text}")).trim_start().to_owned();
        }
        texts.truncate(MOST_ENTRIES - written);
        let entry = |text: String| {
            written += 1;
            let is_last = written == MOST_ENTRIES;
            let text = if is_last { FULL.to_owned() } else { text };
            json!({ "seq": written, "kind": "OBSERVATION", "text": text })
        };
        let entries: Vec<Value> = texts.into_iter().map(entry).collect();
        if !entries.is_empty() {
            let input = held.input("events", entries.into());
            server.tell("Journal", input).await?;
        }
    }
    Ok(end)
}

/// The end of a text.
fn last(mut text: String) -> String {
    let cut = text.ceil_char_boundary(text.len().saturating_sub(LONGEST));
    text.split_off(cut)
}
