//! A database that is away for a while.

use std::fs;

use crate::databases::serve;
use crate::postgres_database::keeper::{Keeper, Run, free_port};
use crate::postgres_database::programs::Programs;
use crate::server::{LOCAL_USER, Server, event, soon};
use crate::stream::Stream;

#[tokio::test]
async fn streams_log_an_outage_of_the_database_once() {
    let programs = Programs::installed().expect("PostgreSQL is installed");
    let place = tempfile::tempdir().expect("a directory can be made");
    programs.give(place.path());
    let data = place.path().join("data");
    programs.init(&data);
    let port = free_port();
    let start = || -> Keeper {
        let run = Run {
            data: &data,
            directory: place.path(),
            remains: true,
            port,
            settings: &["shared_buffers=16MB"],
            end: "QUIT",
        };
        run.start(&programs)
    };
    let mut database = start();
    let logs = tempfile::tempdir().expect("a directory can be made");
    let log = logs.path().join("log");
    let mut command = serve(&format!(
        "postgres://postgres@127.0.0.1:{port}/postgres?connect_timeout=1"
    ));
    command.args(["--log", "info"]);
    command.stderr(fs::File::create(&log).expect("writable"));
    let server = Server::from_command(command).await;
    server.must_publish(&event(LOCAL_USER, "before")).await;
    for round in 1..=2 {
        drop(database);
        for _ in 0..3 {
            let mut stream = Stream::connect(server.address, "").await.expect("open");
            let first = stream.next().await.expect("an orderly end");
            assert!(first.is_none(), "{first:?}");
        }
        database = start();
        loop {
            let mut stream = Stream::connect(server.address, "").await.expect("open");
            if stream.next().await.expect("an orderly end").is_some() {
                break;
            }
        }
        let lines = |told: &str, text: &str| {
            let lines = told.lines();
            lines.filter(|line| line.contains(text)).count()
        };
        // The log is written in the background.
        let complete = async {
            loop {
                let told = fs::read_to_string(&log).expect("readable");
                if lines(&told, "streams can read the store again") >= round {
                    return told;
                }
                tokio::task::yield_now().await;
            }
        };
        let told = soon("the end of the outage in the log", complete).await;
        assert_eq!(
            lines(&told, "streams cannot read the store"),
            round,
            "{told}"
        );
        assert_eq!(
            lines(&told, "streams can read the store again"),
            round,
            "{told}"
        );
    }
}
