//! `tidings publish --stdin` with many events, some of them invalid.

use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

fn publish_lines(url: &str) -> Command {
    let mut command = tidings();
    command.args(["publish", "--stdin", "--url", url]);
    command
}

/// Sets a file with this text as the command's standard input.
fn fed(mut command: Command, directory: &Path, text: impl AsRef<[u8]>) -> Command {
    let path = directory.join("input");
    std::fs::write(&path, text).expect("writable");
    let file = std::fs::File::open(&path).expect("readable");
    command.stdin(file);
    command
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn descriptions(events: &[Value]) -> Vec<&str> {
    let descriptions = events.iter().map(|event| event["description"].as_str());
    descriptions.map(|text| text.expect("a text")).collect()
}

#[tokio::test]
async fn reports_every_fault_by_line_and_stores_the_other_lines_in_order() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let good: Vec<_> = (0..1_500)
        .map(|number| event(LOCAL_USER, &format!("event {number}")))
        .collect();
    let taken = server.must_publish(&event(LOCAL_USER, "taken")).await;
    let conflict = json!({"id": taken["id"], "actedUpon": taken["actedUpon"], "category": "a",
                          "action": "b", "severity": "debug"});
    let faulty = json!({"owner": "me", "action": "b", "severity": "info"});
    let mut repaired = event(LOCAL_USER, "repaired");
    repaired["severity"] = json!("info");
    repaired["category"] = json!("Snake-Case");
    let bad = [
        "not json".to_owned(),
        json!({"description": 5}).to_string(),
        format!("{{\"description\":\"{}\"}}", "x".repeat(5_000_000)),
        faulty.to_string(),
        conflict.to_string(),
        repaired.to_string(),
        String::new(),
    ];
    let text = [
        lines(&good[..700]),
        bad.join("\n"),
        "\n".to_owned(),
        lines(&good[700..]),
    ]
    .concat();

    let command = fed(publish_lines(&server.url("")), directory.path(), text);
    let (status, out, err) = output_of(command).await;
    assert_eq!(status.code(), Some(1), "{err}");
    assert_eq!(out, "");
    let report: Vec<_> = err.lines().collect();
    assert_eq!(report.last(), Some(&"1501 stored, 1 repaired, 5 rejected"));
    for (line, fault) in [
        (701, "is not JSON"),
        (702, "actedUpon is missing: give the UUID"),
        (703, "has 5000018 bytes, more than the 4194304 allowed"),
        (704, "actedUpon is missing: give the UUID"),
        (704, "owner `me` is not a UUID: give the user's UUID"),
        (
            705,
            "names another event of this owner: repeat the event unchanged",
        ),
        (
            706,
            "warning: category: `Snake-Case` is stored as `snake_case`",
        ),
        (
            706,
            "warning: severity: `info` is stored as `informational`",
        ),
    ] {
        let named = report
            .iter()
            .any(|text| text.starts_with(&format!("line {line}: ")) && text.contains(fault));
        assert!(named, "line {line}: {fault} is not in {err}");
    }
    assert_eq!(report.len(), 9, "{err}");
    assert!(!err.contains(['\u{1b}', '\r']), "{err:?}");

    let mut tail = tidings();
    tail.args(["tail", "--since", "earliest", "--url", &server.url("")])
        .args(["--count", "1502"]);
    let (_, stored, _) = output_of(tail).await;
    let mut expected = vec!["taken".to_owned()];
    let numbered = |numbers: std::ops::Range<u32>| numbers.map(|number| format!("event {number}"));
    expected.extend(numbered(0..700));
    expected.push("repaired".to_owned());
    expected.extend(numbered(700..1_500));
    let stored: Vec<_> = stored
        .lines()
        .filter_map(|line| line.rsplit("  ").next())
        .collect();
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn counts_repeated_lines_and_prints_stored_events_as_json() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let own_ids = lines(&[event(LOCAL_USER, "one"), event("system", "two")]);
    for expected in [
        "2 stored, 0 rejected",
        "0 stored, 2 already present, 0 rejected",
    ] {
        let mut command = publish_lines(&server.url(""));
        command.arg("--json");
        let (status, out, err) = output_of(fed(command, directory.path(), &own_ids)).await;
        assert!(status.success(), "{err}");
        assert_eq!(err.trim_end(), expected);
        let printed: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect();
        assert_eq!(descriptions(&printed), ["one", "two"]);
    }
    assert_eq!(server.list_all().await.len(), 2);
}

#[tokio::test]
async fn accepts_empty_input() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let command = fed(publish_lines(&server.url("")), directory.path(), "\n\r\n");
    let (status, out, err) = output_of(command).await;
    assert!(status.success());
    assert_eq!((out.as_str(), err.as_str()), ("", "0 stored, 0 rejected\n"));
}

#[tokio::test]
async fn reports_unknown_lines_if_the_server_stays_unreachable() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut command = publish_lines("http://127.0.0.1:1");
    command.args(["--retries", "0"]);
    let text = lines(&[event(LOCAL_USER, "one"), event(LOCAL_USER, "two")]);
    let (status, _, err) = output_of(fed(command, directory.path(), text)).await;
    assert_eq!(status.code(), Some(1));
    assert!(err.contains("127.0.0.1:1"), "{err}");
    assert!(
        err.contains("it is unknown whether lines 1 to 2 are stored"),
        "{err}"
    );
    assert!(err.ends_with("0 stored, 0 rejected\n"), "{err}");
}

/// A running command whose input the test writes.
struct Feeding {
    process: Child,
}

impl Feeding {
    fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let process = command.spawn().expect("the binary starts");
        Self { process }
    }

    async fn feed(&mut self, text: &str) {
        let input = self.process.stdin.as_mut().expect("its input is open");
        soon("the command to read", input.write_all(text.as_bytes()))
            .await
            .expect("it reads");
    }

    fn interrupt(&self) {
        let pid = self.process.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.and_then(Pid::from_raw).expect("it runs");
        kill_process(pid, Signal::INT).expect("it is there");
    }

    /// Waits for the end of the command. With `close`, closes its input first.
    async fn end(mut self, close: bool) -> (Option<i32>, String) {
        let input = self.process.stdin.take().filter(|_| !close);
        let mut errors = self.process.stderr.take().expect("it is piped");
        let mut text = String::new();
        soon("its report", errors.read_to_string(&mut text))
            .await
            .expect("the report is text");
        let status = soon("its end", self.process.wait()).await;
        drop(input);
        (status.expect("it can be waited for").code(), text)
    }
}

/// Waits on a stream until the server has this many events, so that no request is repeated.
async fn until_stored(server: &Server, number: u64) {
    let mut tail = tidings();
    tail.args(["tail", "--since", "earliest", "--url", &server.url("")])
        .args(["--count", &number.to_string()]);
    let (status, _, err) = output_of(tail).await;
    assert!(status.success(), "{err}");
}

#[tokio::test]
async fn stores_lines_as_they_arrive_and_reports_the_progress_on_interruption() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let mut feeding = Feeding::start(publish_lines(&server.url("")));
    // The lines have no ids.
    let line = json!({"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001", "category": "a",
                      "action": "b", "severity": "debug", "description": "x"});
    feeding.feed(&format!("{line}\n{line}\n")).await;
    until_stored(&server, 2).await;
    feeding.feed("nonsense\n").await;
    feeding.feed(&format!("{line}\n")).await;
    until_stored(&server, 3).await;
    feeding.interrupt();
    let (code, err) = feeding.end(false).await;
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("line 3: is not JSON"), "{err}");
    assert!(err.contains("interrupted\nstopped"), "{err}");
    assert!(err.ends_with(", 1 rejected\n"), "{err}");
    assert_eq!(server.list_all().await.len(), 3);
}

#[tokio::test]
async fn stores_every_line_once_across_server_kills() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let data = directory.path().join("data");
    let mut server = Server::start(&data).await;
    let address = server.address.to_string();
    let mut command = publish_lines(&server.url(""));
    // Retries without a limit, since the test does not measure how long a restart takes.
    command.args(["--retries", "1000"]);
    let mut feeding = Feeding::start(command);
    let mut number = 0;
    let mut more = |count: u64| {
        let lines = (number..number + count).map(|number| {
            // Without an id, a line sent twice would be stored as two events.
            let mut event = event(LOCAL_USER, &number.to_string());
            event.as_object_mut().expect("an object").remove("id");
            format!("{event}\n")
        });
        let text: String = lines.collect();
        number += count;
        text
    };
    for round in 1..=3 {
        feeding.feed(&more(300)).await;
        // Kills the server while lines are being sent.
        until_stored(&server, 300 * (round - 1) + 1).await;
        server.kill().await;
        server = Server::start_at(&data, &address).await;
        until_stored(&server, 300 * round).await;
    }
    let (code, err) = feeding.end(true).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(err.ends_with("900 stored, 0 rejected\n"), "{err}");
    let stored = server.list_all().await;
    let mut numbers: Vec<u64> = descriptions(&stored)
        .iter()
        .map(|text| text.parse().expect("a number"))
        .collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..900));
}
