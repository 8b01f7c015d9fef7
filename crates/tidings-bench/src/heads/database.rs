//! A PostgreSQL server of this machine's programs.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::postgres_programs::Programs;
use crate::{Bench, cpu};

/// The database of every server.
const DATABASE: &str = "postgres";

/// How often a starting server is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);

/// A server with an empty database. Dropping it ends the server.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    process: Child,
    _directory: TempDir,
}

impl Server {
    pub(super) async fn start(bench: &Bench) -> anyhow::Result<Self> {
        let programs = Programs::find();
        let directory = bench.directory()?;
        let path = directory.path();
        programs.give(path);
        let data = path.join("data");
        programs.init(&data);
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = programs
            .command("postgres", path)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(path)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("PostgreSQL does not start")?;
        let mut server = Self {
            port,
            process,
            _directory: directory,
        };
        loop {
            let ended = server.process.try_wait()?;
            ensure!(ended.is_none(), "PostgreSQL has ended: {ended:?}");
            let mut asked = Command::new(programs.directory.join("pg_isready"));
            asked.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
            if asked.status()?.success() {
                return Ok(server);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{DATABASE}", self.port)
    }

    /// The CPU time of the server's processes so far.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        let parent = self.process.id();
        let mut sum = cpu::of_process(parent)?;
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))
            .context("could not read the server's processes")?;
        for child in children.split_whitespace() {
            // One may have ended meanwhile.
            sum += cpu::of_process(child.parse()?).unwrap_or_default();
        }
        Ok(sum)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its processes end with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
