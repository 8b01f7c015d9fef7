//! A subscriber that reads nothing from a real socket.

use serde_json::Value;

use crate::server::{LOCAL_USER, Server, event};
use crate::stream::{Order, Stream};

/// The number of events published while the subscriber sleeps, in batches.
const EVENTS: u64 = 100_000;
const BATCH: u64 = 1_000;

/// The memory that a subscriber can use: the feed's window (1 MiB), a chunk in transit (128 KiB and one
/// event), and HTTP buffers. The rest of the allowance is the server's memory for parsing and storing
/// batches, and allocator overhead.
const ALLOWED_GROWTH_BYTES: u64 = 32 * 1024 * 1024;

#[tokio::test]
async fn stalled_subscriber_uses_little_memory_and_then_receives_all_in_order() {
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
    // The first batches warm up the server's memory.
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
        // The subscriber has fallen behind and is notified.
        while matches!(frame.name.as_str(), "ready" | "live") {
            frame = stream.must_next().await;
        }
        order.check(&frame);
        assert_eq!(frame.data["description"], format!("event {number}"));
    }
    assert_eq!((order.own, order.system), (EVENTS, 0));
}
