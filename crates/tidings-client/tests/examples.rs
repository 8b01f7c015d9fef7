//! Runs every example of this crate with a real server.

#[path = "../../tidings/tests/examples/runner.rs"]
mod runner;

use std::fs;

use runner::run;
use tempfile::TempDir;
use tidings::Tidings;
use tidings_server::{Config, LOCAL_USER, Server};
use tokio::task::JoinHandle;

/// A running server, stopped on drop.
struct RunningServer {
    url: String,
    engine: Tidings,
    task: JoinHandle<()>,
    directory: TempDir,
}

impl RunningServer {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be created");
        let config = tidings::Config::new(directory.path().join("data"));
        let engine = Tidings::open(config).await.expect("the engine opens");
        let mut config = Config::default();
        config.listen.set_port(0);
        let server = Server::bind(engine.clone(), config).expect("a port is free");
        Self {
            url: server.url(),
            engine,
            task: tokio::spawn(server.run(std::future::pending())),
            directory,
        }
    }

    fn path(&self, name: &str) -> String {
        let path = self.directory.path().join(name);
        path.to_str().expect("the path is UTF-8").to_owned()
    }

    async fn run(&self, name: &'static str, arguments: &[String]) -> Vec<String> {
        let arguments = [std::slice::from_ref(&self.url), arguments].concat();
        let example = move || {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            run(name, &arguments)
        };
        tokio::task::spawn_blocking(example)
            .await
            .expect("the example succeeds")
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn publish_with_retry_stores_one_event() {
    let server = RunningServer::start().await;
    let output = server.run("publish_with_retry", &[]).await;
    let expected = [
        "stored: true, already there: false",
        "stored: true, already there: true",
    ];
    assert_eq!(output, expected);
    let summary = server.engine.summary(LOCAL_USER).await.expect("readable");
    assert_eq!(summary.total_count, 1);
}

#[tokio::test]
async fn follow_continues_at_the_saved_cursor() {
    let server = RunningServer::start().await;
    let cursor = server.path("cursor");
    for _ in 0..2 {
        server.run("publish_with_retry", &[]).await;
        let output = server
            .run("follow", &[cursor.clone(), "1".to_owned()])
            .await;
        assert_eq!(output, ["error Could not reach the cluster"]);
    }
}

#[tokio::test]
async fn batch_import_reports_invalid_lines() {
    let server = RunningServer::start().await;
    let resource = "7b1d2c3e-0000-4000-8000-000000000001";
    let line = |id: u32, resource: &str| {
        format!(
            "{{\"id\": \"0193f0a0-0000-7000-8000-00000000000{id}\", \"actedUpon\": \"{resource}\", \
             \"category\": \"a\", \"action\": \"b\", \"severity\": \"debug\", \"status\": \"read\"}}"
        )
    };
    let lines = [
        line(1, resource),
        "no event".into(),
        line(2, "cluster-1"),
        line(3, resource),
    ];
    let file = server.path("events.ndjson");
    fs::write(&file, lines.join("\n")).expect("writable");
    for last in [
        "2 imported, 0 already present",
        "0 imported, 2 already present",
    ] {
        let output = server
            .run("batch_import", std::slice::from_ref(&file))
            .await;
        assert_eq!(output.len(), 3, "{output:?}");
        assert!(output[0].starts_with("line 2: "), "{output:?}");
        assert!(
            output[1].starts_with("line 3: rejected with status 400"),
            "{output:?}"
        );
        assert!(output[1].contains("actedUpon"), "{output:?}");
        assert_eq!(output[2], last);
    }
    let summary = server.engine.summary(LOCAL_USER).await.expect("readable");
    assert_eq!((summary.read_count, summary.unread_count), (2, 0));
}
