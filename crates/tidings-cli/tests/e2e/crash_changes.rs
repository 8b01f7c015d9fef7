//! SIGKILL during bulk changes and retention. Every reader and every count sees the same completed
//! steps, and repeating the change finishes it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tidings_event::Status;

use crate::dice::Dice;
use crate::inbox::Inbox;
use crate::server::{LOCAL_USER, Server, command, event, must_run, soon, tidings};
use crate::stream::Stream;

/// Enough events for ten steps.
const EVENTS: usize = 5_000;

/// The number of events that retention keeps.
const KEPT: usize = 50;

async fn publish_all(server: &Server, random: &mut Rng) {
    for number in 0..EVENTS / 1_000 {
        let batch: Value = (0..1_000)
            .map(|_| {
                let mut event = event(LOCAL_USER, &format!("batch {number}"));
                let severity = random.choice(["error", "warning", "success"]);
                event["severity"] = json!(severity);
                event
            })
            .collect();
        server.must_publish(&batch).await;
    }
    let of_system: Value = (0..200).map(|_| event("system", "system")).collect();
    server.must_publish(&of_system).await;
}

/// Follows the stream from the cursor of `screen`, and kills `server` after `fatal` changes.
async fn kill_among(fatal: usize, server: Server, screen: &mut Inbox, mut stream: Stream) {
    let mut seen = 0;
    while seen < fatal {
        let frame = stream.must_next().await;
        screen.take_frame(&frame);
        seen += frame.data["ids"].as_array().map_or(0, Vec::len);
    }
    server.kill().await;
    // Frames sent before the kill.
    while let Ok(Some(frame)) = stream.next().await {
        screen.take_frame(&frame);
    }
}

/// Checks that a continuing reader, a new reader, the list and the counts agree.
async fn must_agree(server: &Server, screen: &mut Inbox) {
    let mut fresh = Inbox::default();
    fresh.catch_up(server).await;
    fresh.must_agree_with(server).await;
    screen.catch_up(server).await;
    screen.must_agree_with(server).await;
}

async fn live(server: &Server, screen: &mut Inbox) -> Stream {
    let from = screen.cursor.expect("it has read").to_string();
    let mut stream = Stream::connect(server.address, &from)
        .await
        .expect("the server accepts");
    loop {
        let frame = stream.must_next().await;
        screen.take_frame(&frame);
        if frame.name == "live" {
            return stream;
        }
    }
}

#[tokio::test]
async fn killed_bulk_change_is_consistent_and_can_be_finished() {
    let mut random = Dice::of("killed_bulk_change_is_consistent_and_can_be_finished").roll();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut server = Server::start_again(directory.path(), 2).await;
    publish_all(&server, &mut random).await;
    let mut screen = Inbox::default();
    screen.catch_up(&server).await;
    let read = ["--read", "--owner-kind", "user"];
    // The least number of events that each change affects.
    let changes = [
        ("mark", &read[..], EVENTS),
        ("mark", &["--unread", "--all"], EVENTS),
        ("mark", &["--read", "--all"], EVENTS),
        (
            "delete",
            &["--severity", "error,success", "--yes"],
            EVENTS / 2,
        ),
        ("delete", &["--all", "--yes"], EVENTS / 4),
    ];
    for (number, (name, args, changes)) in changes.into_iter().enumerate() {
        let stream = live(&server, &mut screen).await;
        let mut change = command(name, &server, args)
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        kill_among(random.usize(1..changes), server, &mut screen, stream).await;
        let ended = soon("the command to end", change.wait()).await;
        ended.expect("it can be waited for");

        server = Server::start_again(directory.path(), number).await;
        must_agree(&server, &mut screen).await;
        must_run(name, &server, args).await;
        must_agree(&server, &mut screen).await;
        let (_, err) = must_run(name, &server, args).await;
        assert!(err.starts_with("0 "), "{args:?} is incomplete: {err}");
        let states = screen.events.values().map(|(status, _)| *status);
        match args[0] {
            "--unread" => assert!(states.clone().all(|status| status == Status::Unread)),
            "--read" => assert!(states.clone().filter(|s| *s == Status::Unread).count() <= 200),
            _ => {}
        }
    }
    assert_eq!(screen.events.len(), 0);
    server.kill().await;
    must_be_sound(directory.path());
}

/// Checks the counts and lists of a store whose server was killed.
pub(crate) fn must_be_sound(directory: &Path) {
    let audit = tidings::sqlite::audit(directory, Duration::from_secs(60)).expect("readable");
    assert!(audit.complete && audit.wrong.is_empty(), "{audit:?}");
}

#[tokio::test]
async fn killed_retention_is_consistent_and_resumes() {
    let mut random = Dice::of("killed_retention_is_consistent_and_resumes").roll();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut server = Server::start_again(directory.path(), 0).await;
    let mut screen = Inbox::default();
    for number in 0..2 {
        publish_all(&server, &mut random).await;
        must_run("mark", &server, &["--read", "--severity", "warning"]).await;
        screen.catch_up(&server).await;
        server.kill().await;

        server = keeping_little(directory.path()).await;
        let from = screen.cursor.expect("it has read").to_string();
        let stream = Stream::connect(server.address, &from)
            .await
            .expect("the server accepts");
        kill_among(random.usize(1..EVENTS), server, &mut screen, stream).await;
        server = Server::start(directory.path()).await;
        must_agree(&server, &mut screen).await;
        server.kill().await;

        server = keeping_little(directory.path()).await;
        let mut stream = live(&server, &mut screen).await;
        while screen.events.len() > 2 * KEPT || screen.counts.is_none() {
            screen.take_frame(&stream.must_next().await);
        }
        screen.must_agree_with(&server).await;
        server.kill().await;
        server = Server::start_again(directory.path(), number + 1).await;
    }
    server.kill().await;
    must_be_sound(directory.path());
}

/// Starts a server that deletes all but `KEPT` events immediately.
async fn keeping_little(directory: &Path) -> Server {
    let mut command = tidings();
    let kept = KEPT.to_string();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory)
        .args(["--retain-events", &kept, "--retain-system", &kept])
        .args(["--retention-interval", "20ms"]);
    Server::from_command(command).await
}
