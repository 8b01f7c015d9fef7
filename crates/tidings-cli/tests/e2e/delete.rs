//! `tidings delete` and `tidings mark`: their selection and their confirmation.

use serde_json::json;

use crate::server::{LOCAL_USER, Server, command, event, must_run, output_of};

const UNKNOWN: &str = "0193000b-0000-7000-8000-000000000001";

#[tokio::test]
async fn filter_without_a_terminal_requires_yes() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let events: Vec<_> = (0..5).map(|n| event(LOCAL_USER, &n.to_string())).collect();
    server.must_publish(&json!(events)).await;
    for (flags, expected) in [
        (&["--severity", "informational"][..], "5 events match"),
        (&["--all"], "5 events in all"),
    ] {
        let (status, out, err) = output_of(command("delete", &server, flags)).await;
        assert_eq!((status.code(), out.as_str()), (Some(1), ""));
        assert!(err.starts_with(expected), "{err}");
        assert!(err.contains("informational  deployment/apply  4"), "{err}");
        assert!(err.contains("try: --yes"), "{err}");
        assert_eq!(server.list_all().await.len(), 5);
    }
    // Without a match there is nothing to confirm.
    let (_, err) = must_run("delete", &server, &["--severity", "alert"]).await;
    assert_eq!(err, "0 deleted\n");
    let (_, err) = must_run("delete", &server, &["--search", "3", "--yes"]).await;
    assert_eq!(err, "1 deleted\n");
    let (_, err) = must_run("delete", &server, &["--all", "--yes"]).await;
    assert_eq!(err, "4 deleted\n");
    assert_eq!(server.list_all().await.len(), 0);
}

#[tokio::test]
async fn ids_need_no_confirmation_and_missing_ids_are_reported() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let events = [event(LOCAL_USER, "one"), event("system", "two")];
    server.must_publish(&json!(events)).await;
    let ids = [&events[0], &events[1]].map(|event| event["id"].as_str().expect("a text"));
    for (name, flags, done) in [
        ("mark", &["--read"][..], "marked as read"),
        ("mark", &["--unread"], "marked as unread"),
        ("delete", &[], "deleted"),
    ] {
        let both = [flags, &ids].concat();
        let (_, err) = must_run(name, &server, &both).await;
        assert_eq!(err, format!("2 {done}\n"));
        let again = [&both[..], &[UNKNOWN]].concat();
        let (status, _, err) = output_of(command(name, &server, &again)).await;
        assert_eq!(status.code(), Some(1));
        assert_eq!(
            err,
            format!("error: no event {UNKNOWN}\n0 {done}, 2 already\n")
        );
    }
    assert_eq!(server.list_all().await.len(), 0);
}

#[tokio::test]
async fn accepts_a_thousand_repeated_ids() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let events: Vec<_> = (0..1_000).map(|_| event(LOCAL_USER, "x")).collect();
    server.must_publish(&json!(events)).await;
    let mut ids: Vec<_> = events
        .iter()
        .map(|event| event["id"].as_str().expect("a text"))
        .collect();
    let (_, err) = must_run("delete", &server, &ids).await;
    assert_eq!(err, "1000 deleted\n");
    // An id can also be given twice.
    ids.push(ids[7]);
    let (_, err) = must_run("delete", &server, &ids).await;
    assert_eq!(err, "0 deleted, 1000 already\n");
    let other = "0193000b-0000-7000-8000-000000000002";
    ids.insert(3, other);
    ids.push(UNKNOWN);
    let (status, _, err) = output_of(command("delete", &server, &ids)).await;
    assert_eq!(status.code(), Some(1));
    let missing = [other, UNKNOWN].map(|id| format!("error: no event {id}\n"));
    let expected = missing.concat() + "0 deleted, 1000 already\n";
    assert_eq!(err, expected);
}

#[tokio::test]
async fn rejects_missing_and_conflicting_flags() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    for (name, flags) in [
        ("delete", &[][..]),
        ("delete", &["--yes"]),
        ("delete", &["--all", "--severity", "error"]),
        ("delete", &[UNKNOWN, "--severity", "error"]),
        ("mark", &["--all"]),
        ("mark", &["--read", "--unread", "--all"]),
        ("mark", &["--read"]),
        ("export", &["--resume"]),
        ("export", &["-", "--resume"]),
    ] {
        let (status, out, err) = output_of(command(name, &server, flags)).await;
        assert_eq!((status.code(), out.as_str()), (Some(2), ""), "{flags:?}");
        assert!(err.starts_with("error: "), "{err}");
    }
}
