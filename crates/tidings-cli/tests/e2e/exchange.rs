//! `tidings export` and `tidings import`.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::{LOCAL_USER, Server, command, event, must_run, output_of};

/// More than two pages of the list.
const EVENTS: usize = 2_200;

/// A server with events of all kinds, some of them read.
async fn with_events(directory: &Path) -> Server {
    let server = Server::start(directory).await;
    let mut events: Vec<Value> = (0..EVENTS)
        .map(|number| {
            let mut event = event(LOCAL_USER, &format!("event {number} é\u{7f}"));
            event["metadata"] = json!({"number": 1.1e-7, "doc": "https://example.org/"});
            event
        })
        .collect();
    for (number, event) in events.iter_mut().enumerate().take(1_500) {
        // Many of the same moment, on both sides of the end of a page.
        event["createdAt"] = json!(format!("2026-08-0{}T10:00:00.5Z", 1 + number / 700));
    }
    events[7]["severity"] = json!("error");
    for batch in events.chunks(1_000) {
        server.must_publish(&json!(batch)).await;
    }
    let mut of_system = ["one", "two", "three"].map(|text| event("system", text));
    of_system[0]["systemId"] = json!("0193000a-0000-7000-8000-000000000001");
    of_system[1]["createdAt"] = json!("2026-08-01T09:00:00Z");
    server.must_publish(&json!(of_system)).await;
    let id = of_system[0]["id"].as_str().expect("a text");
    must_run("mark", &server, &["--read", id]).await;
    must_run("mark", &server, &["--read", "--search", "event 1"]).await;
    server
}

/// The list, without what differs between installations.
async fn comparable(server: &Server) -> Vec<Value> {
    let mut events = server.list_all().await;
    for event in &mut events {
        if event["owner"] != LOCAL_USER {
            event["owner"] = json!("system");
            // Of a system's event that is when it was marked here.
            event["updatedAt"] = json!(null);
            // Where none was given it is the installation's.
            if event["systemId"] != "0193000a-0000-7000-8000-000000000001" {
                event["systemId"] = json!(null);
            }
        }
    }
    events
}

async fn cursor(server: &Server) -> Value {
    server.get("/api/system/events/summary").await.1["cursor"].take()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[tokio::test]
async fn an_import_makes_the_same_list_and_once_more_changes_nothing() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let one = with_events(&directory.path().join("one")).await;
    let two = Server::start(&directory.path().join("two")).await;
    let file = directory.path().join("events");
    let (out, err) = must_run("export", &one, &[path(&file)]).await;
    let written = EVENTS + 3;
    assert_eq!(
        (out, err),
        (String::new(), format!("{written} events written\n"))
    );
    // As it is in a file, so on standard output.
    let (out, _) = must_run("export", &one, &[]).await;
    let lines = |text: &str| -> Vec<Value> {
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().expect("a line is JSON")
    };
    let text = std::fs::read_to_string(&file).expect("readable");
    assert_eq!(lines(&text), lines(&out));
    assert!(!out.contains('\u{7f}'), "it may be shown on a terminal");

    let (_, err) = must_run("import", &two, &[path(&file)]).await;
    assert_eq!(err, format!("{written} stored, 0 refused\n"));
    assert_eq!(comparable(&two).await, comparable(&one).await);
    let before = cursor(&two).await;
    let (_, err) = must_run("import", &two, &[path(&file)]).await;
    let all_before = format!("{written} stored ({written} of them before), 0 refused\n");
    assert_eq!(err, all_before);
    assert_eq!(cursor(&two).await, before);

    // What was done since is not undone, by an import into either of them.
    let id = lines(&text)[3]["id"].as_str().expect("a text").to_owned();
    for server in [&one, &two] {
        must_run("delete", server, &[&id]).await;
        must_run("mark", server, &["--read", "--severity", "error"]).await;
        let before = cursor(server).await;
        must_run("import", server, &[path(&file)]).await;
        assert_eq!(cursor(server).await, before);
    }
}

#[tokio::test]
async fn a_cut_off_export_can_be_imported_and_gone_on_with() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let one = with_events(&directory.path().join("one")).await;
    let two = Server::start(&directory.path().join("two")).await;
    let file = directory.path().join("events");
    must_run("export", &one, &[path(&file)]).await;
    let whole = std::fs::read(&file).expect("readable");
    let feeds = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    // In the middle of events of the same moment, and in the middle of a line.
    let cut = feeds
        .map(|(place, _)| place)
        .nth(1_000)
        .expect("it has more lines")
        + 40;
    std::fs::write(&file, &whole[..cut]).expect("writable");

    let (status, _, err) = output_of(command("import", &two, &[path(&file)])).await;
    assert_eq!(status.code(), Some(1));
    let report: Vec<_> = err.lines().collect();
    assert!(
        report[0].starts_with("line 1002: is not JSON: EOF"),
        "{err}"
    );
    assert_eq!(report[1], "1001 stored, 1 refused");

    let (status, _, err) = output_of(command("export", &one, &[path(&file)])).await;
    assert_eq!(status.code(), Some(1));
    assert!(err.contains("go on with it by --resume"), "{err}");
    let (_, err) = must_run("export", &one, &[path(&file), "--resume"]).await;
    assert_eq!(err, format!("{} events written\n", EVENTS + 3 - 1_001));
    assert!(std::fs::read(&file).expect("readable") == whole);
    let (_, err) = must_run("export", &one, &[path(&file), "--resume"]).await;
    assert_eq!(err, "0 events written\n");

    must_run("import", &two, &[path(&file)]).await;
    assert_eq!(comparable(&two).await, comparable(&one).await);
}

#[tokio::test]
async fn an_import_names_the_lines_that_are_refused_and_stores_the_others() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let stored = server.must_publish(&event(LOCAL_USER, "before")).await;
    let mut other = event(LOCAL_USER, "after");
    other["id"] = stored["id"].clone();
    let mut odd = event(LOCAL_USER, "odd");
    odd["status"] = json!("done");
    let mut read = event(LOCAL_USER, "read");
    read["status"] = json!("read");
    read["updatedAt"] = json!("2036-08-01T10:00:00Z");
    let file = directory.path().join("events");
    let lines = [&stored, &other, &odd, &read].map(|event| format!("{event}\n"));
    std::fs::write(&file, lines.concat()).expect("writable");
    let (status, _, err) = output_of(command("import", &server, &[path(&file)])).await;
    assert_eq!(status.code(), Some(1));
    let report: Vec<_> = err.lines().collect();
    assert!(report[0].starts_with("line 2: "), "{err}");
    assert!(report[0].contains("taken"), "{err}");
    assert!(report[1].starts_with("line 3: status"), "{err}");
    assert!(report[2].ends_with(", 2 refused"), "{err}");
    let listed = server.list_all().await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["status"], "read");
    assert_eq!(listed[0]["updatedAt"], "2036-08-01T10:00:00Z");
    // Read, and so not counted as new.
    let (_, summary) = server.get("/api/system/events/summary").await;
    assert_eq!(summary["unreadCount"], 1);

    let missing = directory.path().join("missing");
    let (status, _, err) = output_of(command("import", &server, &[path(&missing)])).await;
    assert_eq!(status.code(), Some(1));
    assert!(err.contains("could not open"), "{err}");
}
