//! `tidings tail` with filters, `list`, `get` and `completions`.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, command, event, output_of, soon, tidings};

/// The lines of a command that must succeed.
async fn lines_of(command: Command) -> Vec<String> {
    let (status, out, err) = output_of(command).await;
    assert!(status.success(), "{err}");
    out.lines().map(str::to_owned).collect()
}

const OPERATION: &str = "0193000a-0000-7000-8000-000000000001";
const RESOURCE: &str = "0193000b-0000-7000-8000-000000000001";

/// A server with four events. Each filter matches some of them.
async fn with_events(directory: &std::path::Path) -> Server {
    let server = Server::start(directory).await;
    let mut events = ["one", "two", "three"].map(|text| event(LOCAL_USER, text));
    events[0]["severity"] = json!("error");
    events[0]["operationId"] = json!(OPERATION);
    events[1]["category"] = json!("connection");
    events[1]["severity"] = json!("warning");
    events[2]["action"] = json!("remove");
    events[2]["actedUpon"] = json!(RESOURCE);
    for event in &events {
        server.must_publish(event).await;
    }
    // Another installation sends the event, so that neither its owner nor its sender shows the owner
    // kind.
    let mut of_system = event("system", "four");
    of_system["systemId"] = json!(OPERATION);
    server.must_publish(&of_system).await;
    server
}

/// Filters and the events they match, in `tail` and in `list`.
const FILTERS: [(&[&str], &[&str]); 9] = [
    (&["--severity", "error"], &["one"]),
    (&["--severity", "error,warning"], &["one", "two"]),
    (
        &["--severity", "error", "--severity", "informational"],
        &["one", "three", "four"],
    ),
    (&["--category", "connection"], &["two"]),
    (&["--action", "remove"], &["three"]),
    (&["--acted-upon", RESOURCE], &["three"]),
    (&["--operation-id", OPERATION], &["one"]),
    (&["--system-id", OPERATION], &["four"]),
    (&["--owner-kind", "user"], &["one", "two", "three"]),
];

#[tokio::test]
async fn tail_and_list_match_the_same_events() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = with_events(directory.path()).await;
    for (filter, expected) in FILTERS {
        let count = expected.len().to_string();
        let tail = [filter, &["--since", "earliest", "--count", &count]].concat();
        // A stream starts with the system's events.
        let mut tailed: Vec<_> = lines_of(command("tail", &server, &tail)).await;
        tailed.sort_by_key(|line| line.ends_with("four"));
        assert_eq!(tailed.len(), expected.len(), "{filter:?}: {tailed:?}");
        let list = [filter, &["--json"]].concat();
        let mut listed = lines_of(command("list", &server, &list)).await;
        listed.reverse();
        assert_eq!(listed.len(), expected.len(), "{filter:?}: {listed:?}");
        for ((tailed, listed), expected) in tailed.iter().zip(&listed).zip(expected) {
            assert!(tailed.ends_with(expected), "{filter:?}: {tailed}");
            let listed: Value = serde_json::from_str(listed).expect("a line is JSON");
            assert_eq!(listed["description"], *expected, "{filter:?}");
        }
    }
    let of_system = ["--owner-kind", "system", "--since", "earliest", "--count"];
    let tailed = lines_of(command("tail", &server, &[&of_system[..], &["1"]].concat())).await;
    assert!(tailed[0].ends_with("four"), "{tailed:?}");
}

#[tokio::test]
async fn commands_tell_two_events_with_one_id_apart() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let own = server.must_publish(&event(LOCAL_USER, "own")).await;
    let id = own["id"].as_str().expect("it has an id");
    let mut of_system = event("system", "shared");
    of_system["id"] = json!(id);
    server.must_publish(&of_system).await;
    let of_system = format!("system:{id}");

    let listed = lines_of(command("list", &server, &[])).await;
    let end = |line: &String, id: &str| line.ends_with(&format!(" {id}"));
    assert_eq!(listed.iter().filter(|line| end(line, id)).count(), 1);
    assert_eq!(
        listed.iter().filter(|line| end(line, &of_system)).count(),
        1
    );
    let got = lines_of(command("get", &server, &[&of_system])).await;
    assert!(got.iter().any(|line| line.trim() == "shared"), "{got:?}");

    let mut follow = command("tail", &server, &[]);
    let mut process = follow
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut notices = BufReader::new(process.stderr.take().expect("it is piped")).lines();
    while !soon("tail to be live", notices.next_line())
        .await
        .expect("it can be read")
        .expect("tail is still running")
        .starts_with("up to date")
    {}
    for (arguments, report) in [
        (vec!["mark", "--read", &of_system], "1 marked as read"),
        (
            vec!["mark", "--read", id, &of_system],
            "1 marked as read, 1 already",
        ),
        (vec!["delete", id, &of_system], "2 deleted"),
    ] {
        let (status, _, err) = output_of(command(arguments[0], &server, &arguments[1..])).await;
        assert!(status.success(), "{arguments:?}: {err}");
        assert_eq!(err.lines().last(), Some(report), "{arguments:?}");
    }
    let mut changes = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    let mut change = async || {
        let line = soon("a change", changes.next_line()).await;
        let line = line
            .expect("it can be read")
            .expect("tail is still running");
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        words.into_iter().rev().collect::<Vec<_>>()
    };
    assert_eq!(change().await[..2], [of_system.clone(), "read".to_owned()]);
    assert_eq!(change().await[..2], [id.to_owned(), "read".to_owned()]);
    let deleted = [change().await, change().await];
    let deleted: Vec<_> = deleted.iter().map(|words| words[0].clone()).collect();
    assert_eq!(deleted, [id, &of_system]);
}

#[tokio::test]
async fn tail_filters_only_events() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = with_events(directory.path()).await;
    let args = ["--json", "--since", "earliest", "--severity", "warning"];
    let args = [&args[..], &["--count", "1"]].concat();
    let lines = lines_of(command("tail", &server, &args)).await;
    let items: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    assert_eq!(items.len(), 2, "{items:?}");
    assert!(items[0]["ready"].is_object());
    assert_eq!(items[1]["event"]["description"], "two");
}

#[tokio::test]
async fn list_fetches_pages_and_prints_counts_below_the_table() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let (status, out, err) = output_of(command("list", &server, &[])).await;
    assert!(status.success());
    assert_eq!(out, "");
    assert_eq!(err, "no events; 0 unread in all; 0 read\n");

    let events: Vec<_> = (0..1_001)
        .map(|number| event(LOCAL_USER, &format!("event {number}")))
        .collect();
    for batch in events.chunks(1_000) {
        server.must_publish(&Value::from(batch)).await;
    }
    let (status, out, err) = output_of(command("list", &server, &[])).await;
    assert!(status.success());
    assert_eq!(out.lines().count(), 1 + 25);
    assert_eq!(
        err,
        "25 of 1001 events (--limit for more); 1001 unread in all (1001 informational); 0 read\n"
    );
    let all = lines_of(command("list", &server, &["--limit", "all", "--json"])).await;
    let mut descriptions: Vec<_> = all
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"))
        .map(|event| event["description"].as_str().map(str::to_owned))
        .collect();
    descriptions.sort_unstable();
    descriptions.dedup();
    assert_eq!(descriptions.len(), 1_001);
    let some = lines_of(command("list", &server, &["--limit", "1001", "--json"])).await;
    assert_eq!(some, all);

    let (status, out, err) = output_of(command("list", &server, &["--severity", "alert"])).await;
    assert!(status.success());
    assert_eq!(out, "");
    assert!(err.starts_with("no event matches; 1001 unread"), "{err}");
}

#[tokio::test]
async fn list_searches_and_sorts() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = with_events(directory.path()).await;
    let listed = async |args: &[&str]| -> Vec<String> {
        let lines = lines_of(command("list", &server, &[args, &["--json"]].concat())).await;
        let events = lines.iter().map(|line| serde_json::from_str::<Value>(line));
        events
            .map(|event| event.expect("a line is JSON")["description"].to_string())
            .collect()
    };
    assert_eq!(
        listed(&["--search", "T", "--order", "asc"]).await,
        ["\"two\"", "\"three\""]
    );
    let mark = ["--read", "--search", "one"];
    lines_of(command("mark", &server, &mark)).await;
    assert_eq!(listed(&["--status", "read"]).await, ["\"one\""]);
    let by_change = listed(&["--sort", "updated_at"]).await;
    assert_eq!(by_change[..2], ["\"one\"", "\"four\""]);
    let by_change = listed(&["--sort", "updated_at", "--order", "asc", "--limit", "1"]).await;
    assert_eq!(by_change, ["\"two\""]);
    assert!(listed(&["--to", "2020-01-01T00:00:00Z"]).await.is_empty());
}

#[tokio::test]
async fn tail_prints_changes_regardless_of_the_filter() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = with_events(directory.path()).await;
    let args = ["--read", "--search", "two"];
    lines_of(command("mark", &server, &args)).await;
    lines_of(command(
        "delete",
        &server,
        &["--severity", "error", "--yes"],
    ))
    .await;
    let mut of_interest = event(LOCAL_USER, "five");
    of_interest["severity"] = json!("alert");
    server.must_publish(&of_interest).await;
    let args = ["--since", "earliest", "--severity", "alert", "--count", "1"];
    let lines = lines_of(command("tail", &server, &args)).await;
    let words: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_whitespace().find(|word| !word.ends_with('Z')))
        .collect();
    assert_eq!(words, ["read", "deleted", "alert"], "{lines:?}");
}

#[tokio::test]
async fn get_prints_every_field_and_escapes_control_characters() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let mut sent = event(LOCAL_USER, "no answer\n\u{1b}[2Jfrom it");
    sent["severity"] = json!("error");
    sent["metadata"] = json!({
        "doc": "https://example.org/ping",
        "node": {"name": "a"},
        "error": {"ProbableCause": ["stopped"], "SuggestedRemediation": ["start\u{9b} it"]},
    });
    server.must_publish(&sent).await;
    let id = sent["id"].as_str().expect("a text");
    let shown = lines_of(command("get", &server, &[id])).await;
    for expected in [
        "error  deployment/apply  unread",
        "  \\u{1b}[2Jfrom it",
        "  stopped",
        "  start\\u{9b} it",
        "docs        https://example.org/ping",
        "      \"name\": \"a\"",
    ] {
        assert!(
            shown.iter().any(|line| line == expected),
            "{expected}: {shown:#?}"
        );
    }
    let json = lines_of(command("get", &server, &[id, "--json"])).await;
    let event: Value = serde_json::from_str(&json[0]).expect("a line is JSON");
    assert_eq!(event["description"], sent["description"]);

    let (status, out, err) = output_of(command("get", &server, &[RESOURCE])).await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert!(err.contains(&format!("no event {RESOURCE}")), "{err}");
    let (status, _, err) = output_of(command("get", &server, &["x"])).await;
    assert_eq!(status.code(), Some(2), "{err}");
}

#[tokio::test]
async fn completions_include_commands_and_flags() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let mut completions = tidings();
        completions.args(["completions", shell]);
        let script = lines_of(completions).await.join("\n");
        for word in ["doctor", "suggested-remediation", "owner-kind"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    let mut unknown = tidings();
    unknown.args(["completions", "tcsh"]);
    assert_eq!(output_of(unknown).await.0.code(), Some(2));
}

#[tokio::test]
async fn help_lists_exit_codes_and_usage_errors_return_theirs() {
    let mut help = tidings();
    help.arg("--help");
    let help = lines_of(help).await.join("\n");
    for expected in ["Exit codes: 0", "doctor", "completions"] {
        assert!(help.contains(expected), "{help}");
    }
    for args in [
        &["unknown"][..],
        &["list", "--limit", "0"],
        &["tail", "--count", "0"],
        &["publish", "--stdin", "--file", "x"],
        &[
            "publish",
            "--acted-upon",
            "x",
            "--doc",
            "a",
            "--metadata",
            "doc=b",
        ],
    ] {
        let mut command = tidings();
        command.args(args);
        let (status, out, err) = output_of(command).await;
        assert_eq!((status.code(), out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.starts_with("error: "), "{err}");
    }
}
