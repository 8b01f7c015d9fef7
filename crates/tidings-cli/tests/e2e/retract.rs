//! `tidings retract`: what it takes back, and what it reports.

use serde_json::Value;

use crate::server::{LOCAL_USER, Server, command, event, must_run, output_of};

const OTHER: &str = "7b1d2c3e-0000-4000-8000-0000000000b0";
const UNKNOWN: &str = "0193000b-0000-7000-8000-000000000001";

async fn published(server: &Server, owner: &str, text: &str) -> String {
    let published = server.must_publish(&event(owner, text)).await;
    published["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn takes_events_back_for_good() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let of_system = published(&server, "system", "wrong for all").await;
    let own = published(&server, LOCAL_USER, "wrong").await;
    let kept = published(&server, LOCAL_USER, "right").await;
    let (out, err) = must_run("retract", &server, &[&own]).await;
    assert_eq!((out.as_str(), err.as_str()), ("", "1 retracted\n"));
    let (_, err) = must_run("retract", &server, &[&of_system, "--system"]).await;
    assert_eq!(err, "1 retracted\n");
    // As lists name it.
    let another = published(&server, "system", "wrong, too").await;
    let named = format!("system:{another}");
    let update = [
        &named,
        "--severity=informational",
        "--description=less wrong",
    ];
    must_run("update", &server, &update).await;
    must_run("retract", &server, &[&named]).await;
    // The command can be repeated.
    must_run("retract", &server, &[&own, "--owner", LOCAL_USER]).await;
    server.kill().await;

    let server = Server::start(directory.path()).await;
    let (_, page) = server.get("/api/system/events").await;
    let ids: Vec<&Value> = page["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| &event["id"])
        .collect();
    assert_eq!(ids, [&Value::from(kept)]);
    must_run("retract", &server, &[&own]).await;
}

#[tokio::test]
async fn reports_each_event_that_is_not_there() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let to_other = published(&server, OTHER, "for another").await;
    // The caller has no such event, and it stays where it is.
    let (status, out, err) = output_of(command("retract", &server, &[&to_other])).await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert!(err.contains(&format!("no event {to_other}")), "{err}");
    assert!(err.ends_with("0 retracted\n"), "{err}");
    let several = [UNKNOWN, &to_other, "--owner", OTHER];
    let (status, _, err) = output_of(command("retract", &server, &several)).await;
    assert_eq!(status.code(), Some(1));
    assert!(
        err.contains(UNKNOWN) && err.ends_with("1 retracted\n"),
        "{err}"
    );
    let misnamed = [&to_other, "--owner", "nobody"];
    let (status, _, err) = output_of(command("retract", &server, &misnamed)).await;
    assert_eq!(status.code(), Some(1));
    assert!(err.contains("owner `nobody` is not a UUID"), "{err}");
    for flags in [
        &["x"][..],
        &[],
        &[UNKNOWN, "--system", "--owner", "system"],
        &[UNKNOWN, "--issuer", "https://id.example"],
        &[&format!("system:{to_other}"), "--owner", OTHER],
        // A variable without a value.
        &[&to_other, "--owner", ""],
        &[&to_other, "--owner", " "],
        &[&to_other, "--subject", "\"\""],
    ] {
        let (status, _, err) = output_of(command("retract", &server, flags)).await;
        assert_eq!(status.code(), Some(2), "{flags:?}: {err}");
    }
}
