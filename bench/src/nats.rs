//! A NATS server that can be killed.

use crate::{Failure, Result, child};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A NATS server on a port of its own.
pub(crate) struct Nats {
    program: PathBuf,
    port: u16,
    child: Child,
}

impl Nats {
    /// Starts one on a free port.
    pub(crate) async fn start() -> Result<Self> {
        let program = child::find("nats-server", "nats-server")?;
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let child = start(&program, port).await?;
        Ok(Self {
            program,
            port,
            child,
        })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it without warning.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.child = start(&self.program, self.port).await?;
        Ok(())
    }
}

async fn start(program: &PathBuf, port: u16) -> Result<Child> {
    let mut child = Command::new(program)
        .args(["-a", "127.0.0.1", "-p", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let log = child.stderr.take().ok_or("nats-server has no log")?;
    let mut lines = BufReader::new(log).lines();
    let ready = async {
        while let Some(line) = lines.next_line().await? {
            if line.contains("Server is ready") {
                return Ok::<_, Failure>(());
            }
        }
        Err("nats-server ended at its start".into())
    };
    timeout(PATIENCE, ready)
        .await
        .unwrap_or_else(|_| Err("nats-server does not get ready".into()))?;
    // It must not wait for somebody to read its log.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(child)
}
