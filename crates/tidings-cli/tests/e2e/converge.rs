//! Several screens of a user, one of them offline for a while, end with the same inbox as the list.

use std::process::Stdio;

use serde_json::{Value, json};
use tidings_event::Cursor;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::inbox::Inbox;
use crate::server::{LOCAL_USER, Server, command, event, must_run, soon};

/// A running `tidings tail --json`, and the inbox it has printed.
struct Screen {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    inbox: Inbox,
}

impl Screen {
    /// Continues from the cursor of `inbox`.
    fn on(server: &Server, inbox: Inbox) -> Self {
        let since = inbox
            .cursor
            .map_or_else(|| "earliest".to_owned(), |cursor| cursor.to_string());
        let mut process = command("tail", server, &["--json", "--since", &since])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let output = process.stdout.take().expect("standard output is piped");
        Self {
            _process: process,
            lines: BufReader::new(output).lines(),
            inbox,
        }
    }

    /// Reads until the counts are known and the stream has reached `cursor`.
    async fn until(&mut self, cursor: Option<Cursor>) {
        let reached = |inbox: &Inbox| {
            let behind = |cursor: Cursor| {
                inbox
                    .cursor
                    .is_none_or(|at| at.own < cursor.own || at.system < cursor.system)
            };
            inbox.counts.is_some() && !cursor.is_some_and(behind)
        };
        while !reached(&self.inbox) {
            let line = soon("a line of tail", self.lines.next_line()).await;
            let line = line.expect("the output is text").expect("tail continues");
            self.inbox.take_line(&line);
        }
    }
}

async fn cursor(server: &Server) -> Cursor {
    let (_, summary) = server.get("/api/system/events/summary").await;
    serde_json::from_value(summary["cursor"].clone()).expect("a summary has its cursor")
}

#[tokio::test]
async fn online_and_offline_screens_agree_with_the_list() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let severities = ["error", "warning", "debug", "success"];
    let mut events: Vec<Value> = (0..40)
        .map(|number| event(LOCAL_USER, &format!("event {number}")))
        .collect();
    for (event, severity) in events.iter_mut().zip(severities.iter().cycle()) {
        event["severity"] = json!(severity);
    }
    let of_system = [event("system", "first"), event("system", "second")];
    server.must_publish(&json!(events)).await;
    server.must_publish(&json!(of_system)).await;

    let mut screens = [
        Screen::on(&server, Inbox::default()),
        Screen::on(&server, Inbox::default()),
    ];
    let mut off = Screen::on(&server, Inbox::default());
    off.until(None).await;
    let off = off.inbox;
    for screen in &mut screens {
        screen.until(None).await;
    }

    let id = |event: &Value| event["id"].as_str().expect("it has an id").to_owned();
    let (one, system_one, system_two) = (id(&events[0]), id(&of_system[0]), id(&of_system[1]));
    for (name, args, done) in [
        (
            "mark",
            &["--read", "--severity", "warning"][..],
            "10 marked as read",
        ),
        ("mark", &["--read", &one, &system_one], "2 marked as read"),
        ("mark", &["--unread", &one], "1 marked as unread"),
        ("delete", &["--severity", "debug", "--yes"], "10 deleted"),
        ("delete", &[&system_two], "1 deleted"),
        ("delete", &["--search", "EVENT 1", "--yes"], "8 deleted"),
    ] {
        let (_, err) = must_run(name, &server, args).await;
        assert_eq!(err.trim_end(), done, "{args:?}");
    }
    server.must_publish(&event("system", "third")).await;
    let end = cursor(&server).await;

    let mut back = Screen::on(&server, off);
    back.until(Some(end)).await;
    back.inbox.must_agree_with(&server).await;
    for screen in &mut screens {
        screen.until(Some(end)).await;
        screen.inbox.must_agree_with(&server).await;
    }
    let (listed, _) = must_run("list", &server, &["--limit", "all", "--json"]).await;
    assert_eq!(listed.lines().count(), back.inbox.events.len());
}
