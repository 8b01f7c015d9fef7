//! Databases for tests: on the server that `TIDINGS_TEST_POSTGRES` names, else on one that the test process
//! starts for itself.

#[path = "postgres_keeper.rs"]
pub(crate) mod keeper;
#[path = "postgres_programs.rs"]
pub(crate) mod programs;

use std::sync::LazyLock;

use tokio_postgres::NoTls;

use keeper::{Keeper, Run, free_port};
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
    /// None for a server of others.
    _keeper: Option<Keeper>,
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

    /// Starts a server in a temporary directory, which is removed with it.
    fn start() -> Self {
        let programs = Programs::installed()
            .expect("PostgreSQL is installed, or TIDINGS_TEST_POSTGRES is set");
        let directory = tempfile::Builder::new()
            .prefix("tidings-postgres-")
            .tempdir()
            .expect("a temporary directory")
            .keep();
        programs.give(&directory);
        let data = directory.join("data");
        programs.init(&data);
        let port = free_port();
        let run = Run {
            data: &data,
            directory: &directory,
            remains: false,
            port,
            settings: &[
                "full_page_writes=off",
                "max_connections=400",
                "shared_buffers=64MB",
                "max_prepared_transactions=0",
                "log_min_messages=fatal",
            ],
            end: "INT",
        };
        Self {
            base: format!("postgres://postgres@127.0.0.1:{port}"),
            _keeper: Some(run.start(&programs)),
        }
    }
}
