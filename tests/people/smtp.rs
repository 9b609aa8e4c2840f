//! A mail server as small as its protocol allows, which behaves as a test wants.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It takes every letter.
    Taking,
    /// It says nothing at all.
    Silent,
    /// It refuses every receiver, with this code, and repeats what it was told.
    Refusing(u16),
    /// It takes every letter, and hangs up before it says so.
    HangingUp,
}

/// A mail server.
pub struct MailServer {
    pub address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    mood: Mutex<Mood>,
    letters: Mutex<Vec<Received>>,
    visits: Mutex<u32>,
}

/// A letter that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub to: String,
    /// Its head and its text, without the encoding of the way.
    pub text: String,
}

impl Received {
    /// A line of its head.
    pub fn head(&self, name: &str) -> &str {
        let line = self
            .text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    /// What stands behind the `#` of its link to this page.
    pub fn token(&self, page: &str) -> String {
        let link = format!("{}{page}#", crate::support::ALLOWED_ORIGIN);
        let (_, rest) = self
            .text
            .split_once(&link)
            .unwrap_or_else(|| panic!("no {link} in {}", self.text));
        rest.split_whitespace().next().expect("a token").to_owned()
    }
}

impl MailServer {
    /// Listens on a port of its own.
    pub async fn start(mood: Mood) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), mood).await
    }

    /// Listens where another one did before.
    pub async fn at(address: SocketAddr, mood: Mood) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            mood: Mutex::new(mood),
            letters: Mutex::default(),
            visits: Mutex::default(),
        });
        let accepting = tokio::spawn({
            let state = state.clone();
            async move {
                let mut visitors = tokio::task::JoinSet::new();
                while let Ok((connection, _)) = listener.accept().await {
                    *lock(&state.visits) += 1;
                    let state = state.clone();
                    visitors.spawn(async move {
                        // Whoever hangs up has said what there was to say.
                        let _ = serve(connection, &state).await;
                    });
                }
            }
        });
        Self {
            address,
            state,
            accepting,
        }
    }

    /// Behaves otherwise from now on.
    pub fn turn(&self, mood: Mood) {
        *lock(&self.state.mood) = mood;
    }

    /// Breaks all connections, and takes no more.
    pub async fn go_down(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }

    /// The letters that came so far.
    pub fn letters(&self) -> Vec<Received> {
        lock(&self.state.letters).clone()
    }

    /// How often somebody came.
    pub fn visits(&self) -> u32 {
        *lock(&self.state.visits)
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(connection: TcpStream, state: &State) -> std::io::Result<()> {
    let mood = *lock(&state.mood);
    if mood == Mood::Silent {
        std::future::pending::<()>().await;
    }
    let mut connection = BufReader::new(connection);
    connection.write_all(b"220 test\r\n").await?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let word = line
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let said = match (word.as_str(), mood) {
            ("EHLO", _) => "250-test\r\n250 AUTH PLAIN".to_owned(),
            ("AUTH", _) => "235 welcome".to_owned(),
            ("RCPT", Mood::Refusing(code)) => format!("{code} not {}", line.trim()),
            ("RCPT", _) => {
                line.trim().clone_into(&mut to);
                "250 yes".to_owned()
            }
            ("DATA", _) => {
                connection.write_all(b"354 go on\r\n").await?;
                let text = data(&mut connection).await?;
                lock(&state.letters).push(Received {
                    to: to.clone(),
                    text,
                });
                if mood == Mood::HangingUp {
                    return Ok(());
                }
                "250 taken".to_owned()
            }
            ("QUIT", _) => {
                return connection.write_all(b"221 bye\r\n").await;
            }
            _ => "250 yes".to_owned(),
        };
        connection
            .write_all(format!("{said}\r\n").as_bytes())
            .await?;
    }
}

/// A letter up to its last dot, out of quoted-printable where it is in that.
async fn data(connection: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await? == 0 || line == ".\r\n" {
            break;
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
    let text = text.replace("\r\n ", " ");
    if !text.contains("quoted-printable") {
        return Ok(text);
    }
    let mut parts = text.replace("=\r\n", "");
    for code in ["3D", "20", "E2", "26"] {
        let char = u8::from_str_radix(code, 16).expect("hex");
        parts = parts.replace(&format!("={code}"), &char::from(char).to_string());
    }
    Ok(parts)
}
