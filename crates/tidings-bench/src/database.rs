//! A PostgreSQL server of this machine's programs.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::postgres_programs::Programs;
use crate::{Bench, cpu};

/// The database that every server has.
const DATABASE: &str = "postgres";

/// Why nothing is measured without it.
pub(crate) const MISSING: &str = "Not measured: Debian's package `postgresql` is not installed.";

/// How often a starting server is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);

/// A server with an empty database, on the server's core. Dropping it ends the server.
#[derive(Debug)]
pub(crate) struct DatabaseServer {
    port: u16,
    databases: AtomicU32,
    process: Child,
    _directory: TempDir,
}

impl DatabaseServer {
    /// Starts a server with its default settings; `None` if there is no PostgreSQL on this machine.
    pub(crate) async fn start(bench: &Bench) -> anyhow::Result<Option<Self>> {
        let Some(programs) = Programs::installed() else {
            return Ok(None);
        };
        let directory = bench.directory()?;
        let path = directory.path();
        programs.give(path);
        let data = path.join("data");
        programs.init(&data);
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = programs.command("postgres", path);
        command
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(path)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        let process = bench.cores.start_on_server(|| command.spawn())?;
        let process = process.context("PostgreSQL does not start")?;
        let mut server = Self {
            port,
            databases: AtomicU32::new(0),
            process,
            _directory: directory,
        };
        loop {
            let ended = server.process.try_wait()?;
            ensure!(ended.is_none(), "PostgreSQL has ended: {ended:?}");
            let mut asked = Command::new(programs.directory.join("pg_isready"));
            asked.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
            if asked.status()?.success() {
                return Ok(Some(server));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates another empty database. Returns its address.
    pub(crate) async fn create_database(&self) -> anyhow::Result<String> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("turn{number}");
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await?;
        let driving = tokio::spawn(connection);
        let sql = format!("CREATE DATABASE {name}");
        client.batch_execute(&sql).await?;
        drop(client);
        driving.await?.context("the connection ended badly")?;
        Ok(self.url_of(&name))
    }

    /// The CPU time of the server's processes so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
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

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        // Its processes end with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
