//! `tidings export` and `tidings import`.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::lost_responses::message;
use crate::server::{LOCAL_USER, Server, command, event, must_run, output_of, publish, tidings};

/// More than two pages of the list.
const EVENTS: usize = 2_200;

/// Starts a server with events of all kinds, some of them read.
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
        // Many events have the same time, on both sides of a page boundary.
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

/// The list without fields that differ between installations.
async fn comparable(server: &Server) -> Vec<Value> {
    let mut events = server.list_all().await;
    for event in &mut events {
        if event["owner"] != LOCAL_USER {
            event["owner"] = json!("system");
            // A system event's `updatedAt` is the time when a user of this server marked it.
            event["updatedAt"] = json!(null);
            // An event without a `systemId` gets the installation's.
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
async fn import_copies_the_list_and_repeating_it_changes_nothing() {
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
    // Standard output has the same lines as the file.
    let (out, _) = must_run("export", &one, &[]).await;
    let lines = |text: &str| -> Vec<Value> {
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().expect("a line is JSON")
    };
    let text = std::fs::read_to_string(&file).expect("readable");
    assert_eq!(lines(&text), lines(&out));
    assert!(!out.contains('\u{7f}'), "it may be shown on a terminal");

    let (_, err) = must_run("import", &two, &[path(&file)]).await;
    assert_eq!(err, format!("{written} stored, 0 rejected\n"));
    assert_eq!(comparable(&two).await, comparable(&one).await);
    let before = cursor(&two).await;
    let (_, err) = must_run("import", &two, &[path(&file)]).await;
    let all_before = format!("0 stored, {written} already present, 0 rejected\n");
    assert_eq!(err, all_before);
    assert_eq!(cursor(&two).await, before);

    // An import undoes no later change, on either server.
    let id = lines(&text)[3]["id"].as_str().expect("a text").to_owned();
    for server in [&one, &two] {
        must_run("delete", server, &[&id]).await;
        must_run("mark", server, &["--read", "--severity", "error"]).await;
        must_run("mark", server, &["--unread", "--owner-kind", "system"]).await;
        let before = cursor(server).await;
        let (_, err) = must_run("import", server, &[path(&file)]).await;
        let deleted = ", 1 deleted earlier and not restored, 0 rejected\n";
        assert!(err.ends_with(deleted), "{err}");
        assert_eq!(cursor(server).await, before);
    }
}

#[tokio::test]
async fn reports_that_a_republished_event_stays_deleted() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let event = event(LOCAL_USER, "x");
    server.must_publish(&event).await;
    let id = event["id"].as_str().expect("a text");
    must_run("delete", &server, &[id]).await;
    let file = directory.path().join("event");
    for text in [json!([event]), json!(event)] {
        std::fs::write(&file, text.to_string()).expect("writable");
        let (_, err) = must_run("publish", &server, &["--file", path(&file)]).await;
        let said = format!("{id} was deleted and stays deleted\n");
        assert!(err.contains(&said), "{err}");
    }
    let (_, err) = must_run("import", &server, &[path(&file)]).await;
    assert!(err.starts_with("0 stored, "), "{err}");
}

#[tokio::test]
async fn hyphen_means_standard_input_and_output() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    server.must_publish(&event(LOCAL_USER, "x")).await;
    let file = directory.path().join("events");
    let (out, _) = must_run("export", &server, &["-"]).await;
    std::fs::write(&file, out).expect("writable");
    let mut import = command("import", &server, &["-"]);
    import.stdin(std::fs::File::open(&file).expect("readable"));
    let (status, _, err) = output_of(import).await;
    assert!(status.success(), "{err}");
    assert_eq!(err, "0 stored, 1 already present, 0 rejected\n");
}

/// Starts a proxy that publishes more than a page before each request.
async fn busy(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("it accepts");
            let request = message(&mut client).await;
            let events: Value = (0..1_000).map(|_| event(LOCAL_USER, "more")).collect();
            let published = publish(&http, server, &events).await;
            published.expect("the connection holds");
            let mut upstream = TcpStream::connect(server).await.expect("it is there");
            upstream.write_all(&request).await.expect("it reads");
            let response = message(&mut upstream).await;
            let (head, rest) = response.split_at(b"HTTP/1.1 200 OK\r\n".len());
            let response = [head, b"connection: close\r\n", rest].concat();
            client.write_all(&response).await.expect("it reads");
        }
    });
    address
}

#[tokio::test]
async fn export_ends_while_events_are_published() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    server.must_publish(&event(LOCAL_USER, "first")).await;
    let url = format!("http://{}", busy(server.address).await);
    let mut export = tidings();
    export.args(["export", "--url", &url]);
    let (status, out, err) = output_of(export).await;
    assert!(status.success(), "{err}");
    // Includes the events published before the request for the newest event.
    assert_eq!(out.lines().count(), 1_001);
}

#[tokio::test]
async fn resumed_export_adds_late_events_and_no_duplicates() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let at = |moment: &str| {
        let mut event = event(LOCAL_USER, moment);
        event["createdAt"] = json!(format!("2026-08-01T10:{moment}Z"));
        event
    };
    let events = ["00:00", "05:00", "05:30"].map(at);
    server.must_publish(&json!(events)).await;
    let file = directory.path().join("events");
    must_run("export", &server, &[path(&file)]).await;
    server
        .must_publish(&json!(["05:10", "05:40"].map(at)))
        .await;
    let (_, err) = must_run("export", &server, &[path(&file), "--resume"]).await;
    assert_eq!(err, "2 events written\n");
    let (_, err) = must_run("export", &server, &[path(&file), "--resume"]).await;
    assert_eq!(err, "0 events written\n");
    let text = std::fs::read_to_string(&file).expect("readable");
    assert_eq!(text.lines().count(), 5);
}

#[tokio::test]
async fn truncated_export_can_be_imported_and_resumed() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let one = with_events(&directory.path().join("one")).await;
    let two = Server::start(&directory.path().join("two")).await;
    let file = directory.path().join("events");
    must_run("export", &one, &[path(&file)]).await;
    let whole = std::fs::read(&file).expect("readable");
    let feeds = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    // Cuts between events of the same time, within a line.
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
    assert_eq!(report[1], "1001 stored, 1 rejected");

    let (status, _, err) = output_of(command("export", &one, &[path(&file)])).await;
    assert_eq!(status.code(), Some(1));
    assert!(err.contains("continue it with --resume"), "{err}");
    let (_, err) = must_run("export", &one, &[path(&file), "--resume"]).await;
    let report: Vec<_> = err.lines().collect();
    assert!(
        report[0].contains("its incomplete last line (39 B): {\"owner\":\""),
        "{err}"
    );
    assert_eq!(report[1], format!("{} events written", EVENTS + 3 - 1_001));
    assert!(std::fs::read(&file).expect("readable") == whole);
    let (_, err) = must_run("export", &one, &[path(&file), "--resume"]).await;
    assert_eq!(err, "0 events written\n");

    must_run("import", &two, &[path(&file)]).await;
    assert_eq!(comparable(&two).await, comparable(&one).await);
}

#[tokio::test]
async fn import_reports_rejected_and_repaired_lines_and_stores_the_others() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let stored = server.must_publish(&event(LOCAL_USER, "before")).await;
    let mut other = event(LOCAL_USER, "after");
    other["id"] = stored["id"].clone();
    let mut odd = event(LOCAL_USER, "odd");
    odd["status"] = json!("archived");
    odd["severity"] = json!("");
    let mut lost = event(LOCAL_USER, "about nothing");
    lost["actedUpon"] = json!("");
    let mut read = event(LOCAL_USER, "read");
    read["status"] = json!("read");
    read["updatedAt"] = json!("2036-08-01T10:00:00Z");
    let file = directory.path().join("events");
    let lines = [&stored, &other, &odd, &lost, &read].map(|event| format!("{event}\n"));
    std::fs::write(&file, lines.concat()).expect("writable");
    let (status, _, err) = output_of(command("import", &server, &[path(&file)])).await;
    assert_eq!(status.code(), Some(1));
    let report: Vec<_> = err.lines().collect();
    assert!(report[0].starts_with("line 3: warning: severity"), "{err}");
    assert!(report[1].starts_with("line 3: warning: status"), "{err}");
    assert!(report[2].starts_with("line 2: "), "{err}");
    assert!(
        report[2].contains("names another event of this owner"),
        "{err}"
    );
    assert!(report[3].starts_with("line 4: actedUpon"), "{err}");
    assert!(report[4].ends_with(", 1 repaired, 2 rejected"), "{err}");
    let listed = server.list_all().await;
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0]["status"], "read");
    assert_eq!(listed[0]["updatedAt"], "2036-08-01T10:00:00Z");
    // A read event does not count as unread.
    let (_, summary) = server.get("/api/system/events/summary").await;
    assert_eq!(summary["unreadCount"], 2);

    let missing = directory.path().join("missing");
    let (status, _, err) = output_of(command("import", &server, &[path(&missing)])).await;
    assert_eq!(status.code(), Some(1));
    assert!(err.contains("could not open"), "{err}");
}
