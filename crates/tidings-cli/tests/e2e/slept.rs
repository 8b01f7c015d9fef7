//! The host slept: its wall clock has advanced, its timers have not.

use std::fs;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clocks::faketime_library;
use crate::server::{Server, event, soon};
use crate::stream::Stream;
use crate::test_dir::TestDir;

const ALICE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";
/// A user without events, so that no delivery wakes the stream.
const BOB: &str = "7b1d2c3e-0000-4000-8000-00000000000b";

/// More events than one delivery holds.
const EVENTS: usize = 500;

/// Publishes all events at once with a long-lived token.
async fn publish(server: &Server, token: &str) {
    let events: Vec<Value> = (0..EVENTS)
        .map(|number| event(ALICE, &number.to_string()))
        .collect();
    let http = reqwest::Client::builder().no_proxy().build();
    let request = http
        .expect("a client is made")
        .post(server.url("/api/system/events"))
        .bearer_auth(token)
        .json(&json!(events));
    let response = soon("a response", request.send()).await;
    let status = response.expect("the connection holds").status();
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn stream_ends_with_its_token_after_the_host_slept() {
    let place = TestDir::new().await;
    let offset = place.path("offset");
    fs::write(&offset, "+0").expect("writable");
    let mut command = place.serve(&[]);
    command
        .env("LD_PRELOAD", faketime_library().await)
        .env("FAKETIME_TIMESTAMP_FILE", &offset)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
    let server = Server::from_command(command).await;
    let hour = place.token(ALICE, &["--expires-in", "1h"]).await;
    let day = place
        .token(
            ALICE,
            &[
                "--expires-in",
                "1d",
                "--scope",
                "events:read",
                "--scope",
                "events:publish",
            ],
        )
        .await;
    let bobs = place.token(BOB, &["--expires-in", "1h"]).await;
    let mut idle = Stream::connect_as(server.address, "", Some(&bobs))
        .await
        .expect("it accepts");
    let mut busy = Stream::connect_as(server.address, "", Some(&hour))
        .await
        .expect("it accepts");
    for stream in [&mut idle, &mut busy] {
        while stream.must_next().await.name != "live" {}
    }

    fs::write(&offset, "+2h").expect("writable");
    publish(&server, &day).await;
    let mut last = String::new();
    for stream in [&mut idle, &mut busy] {
        let frame = stream.must_next().await;
        assert_eq!(frame.name, "expiring", "no event after the end: {frame:?}");
        last = frame.id;
        assert!(stream.next().await.expect("it ends in order").is_none());
    }
    // No event is skipped: with a valid token the stream resumes at its cursor.
    let mut again = Stream::connect_as(server.address, &last, Some(&day))
        .await
        .expect("it accepts");
    assert_eq!(again.must_next().await.name, "ready");
    for number in 0..EVENTS {
        let frame = again.must_next().await;
        assert_eq!(frame.data["description"], number.to_string());
    }
}
