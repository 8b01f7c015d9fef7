//! A subscriber that reads nothing, over a real socket.

use serde_json::Value;

use crate::server::{LOCAL_USER, Server, event};
use crate::stream::{Order, Stream};

/// Events published while the subscriber sleeps, in batches.
const EVENTS: u64 = 100_000;
const BATCH: u64 = 1_000;

/// What a subscriber may take of the server's memory: the feed's window (1 MiB), a chunk on its way
/// (128 KiB and one event), HTTP buffers. The rest of what is allowed here is what the server takes
/// without any subscriber for parsing and storing batches, and the allocator's slack.
const ALLOWED_GROWTH_BYTES: u64 = 32 * 1024 * 1024;

#[tokio::test]
async fn a_subscriber_that_reads_nothing_costs_little_and_then_gets_all_in_order() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let mut stream = Stream::connect(server.address, "")
        .await
        .expect("the server accepts");
    assert_eq!(stream.must_next().await.name, "ready");
    assert_eq!(stream.must_next().await.name, "live");

    let batch = |number: u64| -> Value {
        let range = number * BATCH..(number + 1) * BATCH;
        range
            .map(|number| event(LOCAL_USER, &format!("event {number}")))
            .collect()
    };
    // Warm: the first batches make the server take what it needs anyway.
    for number in 0..5 {
        server.must_publish(&batch(number)).await;
    }
    let before = server.resident_bytes();
    for number in 5..EVENTS / BATCH {
        server.must_publish(&batch(number)).await;
    }
    let growth = server.resident_bytes().saturating_sub(before);
    assert!(growth < ALLOWED_GROWTH_BYTES, "grew by {growth} bytes");

    let mut order = Order::default();
    for number in 0..EVENTS {
        let mut frame = stream.must_next().await;
        // It has fallen behind, and is told so.
        while matches!(frame.name.as_str(), "ready" | "live") {
            frame = stream.must_next().await;
        }
        order.check(&frame);
        assert_eq!(frame.data["description"], format!("event {number}"));
    }
    assert_eq!((order.own, order.system), (EVENTS, 0));
}
