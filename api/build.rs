//! Builds the GraphiQL page into `OUT_DIR/graphiql-dist`, from where the binary embeds it.
//!
//! Nothing is written outside `OUT_DIR`, and a missing npm or network never fails the build: then
//! the directory holds one plain page that says what to do.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io, thread};

const SOURCES: [&str; 5] = [
    "package.json",
    "package-lock.json",
    "vite.config.js",
    "index.html",
    "src",
];
const FALLBACK: &str = "fallback.html";
const SKIP: &str = "WORKGRAPH_SKIP_GRAPHIQL";
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
const INSTALL: [&str; 9] = [
    "ci",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--include=dev",
    "--prefer-offline",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=30000",
];
const POLL: Duration = Duration::from_millis(50);
const POLLS_PER_STEP: u32 = 4 * 60 * 20;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed={SKIP}");
    for name in SOURCES.into_iter().chain([FALLBACK]) {
        println!("cargo::rerun-if-changed=graphiql/{name}");
    }

    let source = directory("CARGO_MANIFEST_DIR")?.join("graphiql");
    let out = directory("OUT_DIR")?;
    let dist = out.join("graphiql-dist");
    if env::var_os(SKIP).is_some_and(|value| !value.is_empty()) {
        return plain_page(&source, &dist);
    }
    let work = out.join("graphiql");
    let log = out.join("graphiql.log");
    let built = build(&source, &work, &dist, &log);
    remove(&work)?;
    built.or_else(|reason| {
        println!(
            "cargo::warning=GraphiQL was not built ({reason}); a plain page is embedded instead. \
             Install Node.js 20.19 or newer with npm and run `touch api/build.rs && cargo build`, \
             or set {SKIP}=1 to keep the plain page. Log: {}",
            log.display()
        );
        plain_page(&source, &dist)
    })
}

fn directory(variable: &str) -> io::Result<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other(format!("{variable} is not set: run this through cargo")))
}

fn plain_page(source: &Path, dist: &Path) -> io::Result<()> {
    remove(dist)?;
    fs::create_dir_all(dist)?;
    fs::copy(source.join(FALLBACK), dist.join("index.html"))?;
    Ok(())
}

/// Builds in a copy, `work`, so that the source tree gets no packages; they take 250 MB.
fn build(source: &Path, work: &Path, dist: &Path, log: &Path) -> io::Result<()> {
    remove(work)?;
    fs::create_dir_all(work)?;
    for name in SOURCES {
        copy(&source.join(name), &work.join(name))?;
    }
    let log = File::create(log)?;
    let built = work.join("dist");
    npm(&INSTALL, work, &built, &log)?;
    npm(&["run", "build"], work, &built, &log)?;
    remove(dist)?;
    fs::rename(&built, dist)
}

fn npm(arguments: &[&str], work: &Path, built: &Path, log: &File) -> io::Result<()> {
    let step = format!("npm {}", arguments[0]);
    let mut child = Command::new(NPM)
        .args(arguments)
        .current_dir(work)
        .env("NODE_ENV", "production")
        .env("GRAPHIQL_OUT_DIR", built)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .spawn()
        .map_err(|error| io::Error::other(format!("{step}: {error}")))?;
    for _ in 0..POLLS_PER_STEP {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(format!("{step}: {status}"))),
            None => thread::sleep(POLL),
        }
    }
    child.kill()?;
    child.wait()?;
    Err(io::Error::other(format!("{step} took too long")))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
