//! Databases for tests: on the server that `TIDINGS_TEST_POSTGRES` names, else on one that the test process
//! starts for itself.

#[path = "postgres_programs.rs"]
pub(crate) mod programs;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::LazyLock;

use tokio_postgres::NoTls;

use programs::Programs;

/// The address of a server on which the tests can create databases, such as `postgres://postgres@localhost`.
const SERVER: &str = "TIDINGS_TEST_POSTGRES";

/// The server, for the life of the process.
static RUNNING: LazyLock<Server> = LazyLock::new(Server::start_or_take);

/// An empty database, which is dropped with this.
#[derive(Debug)]
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// Creates a database.
    pub(crate) fn create() -> Self {
        let name = format!("tidings_test_{}", uuid::Uuid::new_v4().simple());
        execute(RUNNING.url("postgres"), format!("CREATE DATABASE {name}"));
        Self { name }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        RUNNING.url(&self.name)
    }

    /// The values of the first row that a query returns, as text.
    pub(crate) fn query(&self, sql: &str) -> Vec<Option<String>> {
        execute(self.url(), sql.to_owned())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        execute(RUNNING.url("postgres"), drop);
    }
}

/// Executes statements on a connection of their own. A thread of its own, because tests call this within a
/// runtime and without.
pub(crate) fn execute(url: String, sql: String) -> Vec<Option<String>> {
    let work = async move {
        let (client, driver) = tokio_postgres::connect(&url, NoTls)
            .await
            .expect("the server of the tests accepts connections");
        let driver = tokio::spawn(driver);
        let messages = client.simple_query(&sql).await.expect("a valid statement");
        drop(client);
        driver
            .await
            .expect("no panic")
            .expect("an orderly end of the connection");
        let row = messages.into_iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        row.map_or_else(Vec::new, |row| {
            let value = |index| row.get(index).map(str::to_owned);
            (0..row.len()).map(value).collect()
        })
    };
    let thread = std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(work)
    });
    thread.join().expect("the statement is executed")
}

/// A server of PostgreSQL.
#[derive(Debug)]
struct Server {
    /// The address without a database.
    base: String,
    /// The process that ends the server once this process has ended; none for a server of others.
    _keeper: Option<Child>,
}

impl Server {
    fn start_or_take() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a setting of the tests only")]
        match std::env::var(SERVER) {
            Ok(url) => Self {
                base: url.trim_end_matches('/').to_owned(),
                _keeper: None,
            },
            Err(_) => Self::start(),
        }
    }

    fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }

    /// Starts a server in a temporary directory. A shell keeps it: it stops the server and removes the
    /// directory when its input ends, as it does when this process ends in whatever way.
    fn start() -> Self {
        let programs = Programs::installed()
            .expect("PostgreSQL is installed, or TIDINGS_TEST_POSTGRES is set");
        let directory = tempfile::Builder::new()
            .prefix("tidings-postgres-")
            .tempdir()
            .expect("a temporary directory")
            .keep();
        programs.give(&directory);
        programs.init(&directory.join("data"));
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let script = r#"
            "$1/postgres" -D "$2/data" -k "$2" -h 127.0.0.1 -p "$3" -c fsync=off \
                -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB \
                -c max_prepared_transactions=0 -c log_min_messages=fatal 2>"$2/log" &
            server=$!
            until "$1/pg_isready" -q -h 127.0.0.1 -p "$3"; do
                kill -0 $server || exit 1
                sleep 0.05
            done
            echo ready
            while read -r _; do :; done
            kill -INT $server
            wait $server
            rm -rf "$2"
        "#;
        let mut keeper = programs
            .command_of(Path::new("/bin/sh"), &directory)
            .args(["-c", script, "sh"])
            .args([programs.directory.as_os_str(), directory.as_os_str()])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // An interrupt of the terminal ends this process first.
            .process_group(0)
            .spawn()
            .expect("a shell runs");
        let output = keeper.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("the output of the shell");
        if line.trim() != "ready" {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "{log}");
            panic!("the server of the tests does not start");
        }
        Self {
            base: format!("postgres://postgres@127.0.0.1:{port}"),
            _keeper: Some(keeper),
        }
    }
}
