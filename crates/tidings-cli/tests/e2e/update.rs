//! `tidings update`: what it sends, prints and reports.

use serde_json::{Value, json};

use crate::server::{LOCAL_USER, Server, command, event, must_run, output_of};

const UNKNOWN: &str = "0193000b-0000-7000-8000-000000000001";

#[tokio::test]
async fn replaces_the_content_and_says_what_it_did() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let published = [
        "--acted-upon=7b1d2c3e-0000-4000-8000-000000000001",
        "--category=deployment",
        "--action=apply",
        "--severity=informational",
        "--description=Deploying",
        "--progress=0",
        "--metadata=region=eu",
    ];
    let (id, _) = must_run("publish", &server, &published).await;
    let id = id.trim();
    let path = format!("/api/system/events/{id}");
    assert_eq!(server.get(&path).await.1["metadata"]["progress"], 0);
    must_run("mark", &server, &["--read", id]).await;

    let half = [
        id,
        "--severity=informational",
        "--progress=50",
        "--sequence=5",
    ];
    let (out, err) = must_run("update", &server, &half).await;
    assert_eq!((out.trim(), err.as_str()), (id, ""));
    let stored = server.get(&path).await.1;
    assert_eq!(stored["metadata"], json!({"progress": 50}));
    assert_eq!(
        (&stored["description"], &stored["status"]),
        (&json!(""), &json!("read"))
    );
    // The same once more is a repeat, and another one with its number is too late.
    let (_, err) = must_run("update", &server, &half).await;
    assert_eq!(err, "");
    let late = [id, "--severity=debug", "--sequence=5"];
    let (_, err) = must_run("update", &server, &late).await;
    assert!(err.contains("5 is stored already"), "{err}");

    let failed = [
        id,
        "--error=no answer",
        "--error-code=k-1",
        "--long-description=after 30 s",
        "--probable-cause=stopped",
        "--suggested-remediation=start it",
        "--description=Not deployed",
        "--sequence=6",
        "--json",
    ];
    let (out, _) = must_run("update", &server, &failed).await;
    let stored: Value = serde_json::from_str(&out).expect("a line is JSON");
    assert_eq!(
        (&stored["severity"], &stored["status"]),
        (&json!("error"), &json!("unread"))
    );
    let cause = &stored["metadata"]["error"];
    assert_eq!(cause["ProbableCause"], json!(["stopped"]), "{cause}");
    assert_eq!(server.get(&path).await.1["description"], "Not deployed");
}

#[tokio::test]
async fn reports_an_event_that_is_not_there_and_bad_flags() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let unknown = [UNKNOWN, "--severity=debug"];
    let (status, out, err) = output_of(command("update", &server, &unknown)).await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert!(err.contains("no event with this id"), "{err}");
    for (flags, fault) in [
        (&[UNKNOWN][..], "--severity"),
        (&["x", "--severity=debug"], "invalid value 'x'"),
        (&[UNKNOWN, "--severity=debug", "--progress=101"], "0..=100"),
        (
            &[
                UNKNOWN,
                "--severity=debug",
                "--progress=1",
                "--metadata=progress=2",
            ],
            "--progress is also in --metadata",
        ),
        (
            &[UNKNOWN, "--severity=debug", "--sequence=-1"],
            "--sequence",
        ),
    ] {
        let (status, _, err) = output_of(command("update", &server, flags)).await;
        assert_eq!(status.code(), Some(2), "{flags:?}: {err}");
        assert!(err.contains(fault), "{flags:?}: {err}");
    }
}

#[tokio::test]
async fn is_a_line_of_tail() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let published = server.must_publish(&event(LOCAL_USER, "Deploying")).await;
    let id = published["id"].as_str().expect("an id");
    let (_, summary) = server.get("/api/system/events/summary").await;
    let since = summary["cursor"].as_str().expect("a cursor");
    let done = [id, "--severity=success", "--description=Deployed\u{202e}"];
    must_run("update", &server, &done).await;
    server.must_publish(&event(LOCAL_USER, "last")).await;
    let tail = ["--since", since, "--count", "1"];
    let (out, _) = must_run("tail", &server, &tail).await;
    let line = out
        .lines()
        .find(|line| line.contains(id))
        .unwrap_or_default();
    assert!(line.contains("  updated "), "{out}");
    assert!(line.contains("success"), "{out}");
    assert!(line.ends_with("Deployed\\u{202e}"), "{out}");
}
