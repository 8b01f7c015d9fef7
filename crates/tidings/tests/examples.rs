//! Runs every example of this crate to its end.

#[path = "examples/runner.rs"]
mod runner;

use runner::run;

#[test]
fn background_jobs_reports_every_outcome() {
    let output = run("background_jobs", &[]);
    assert_eq!(output[0], "a job panicked: true");
    assert_eq!(output[1], "success render: Finished: render");
    assert_eq!(output[2], "error upload: Failed: upload");
    assert!(output[3].starts_with("error notify: "), "{output:?}");
    assert_eq!(output.len(), 4);
}

#[test]
fn long_operation_updates_one_entry() {
    let expected = [
        "new: Upgraded node 1 of 3 (informational)",
        "update: Upgraded node 2 of 3 (informational)",
        "update: Upgraded node 3 of 3 (informational)",
        "update: Upgraded the cluster (success)",
    ];
    assert_eq!(run("long_operation", &[]), expected);
}

#[test]
fn ndjson_bridge_continues_after_a_restart() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().to_str().expect("the path is UTF-8");
    for _ in 0..2 {
        assert_eq!(run("ndjson_bridge", &[path]), ["copied 2 events"]);
    }
    let sink = directory.path().join("events.ndjson");
    let copied = std::fs::read_to_string(sink).expect("the bridge wrote it");
    let ids: std::collections::BTreeSet<_> = copied
        .lines()
        .map(|line| {
            serde_json::from_str::<tidings::Event>(line)
                .expect("an event")
                .id
        })
        .collect();
    assert_eq!((copied.lines().count(), ids.len()), (4, 4));
}

#[test]
fn test_with_temporary_directory_passes() {
    let output = run("test_with_temporary_directory", &[]);
    assert_eq!(output, ["the test passed"]);
}
