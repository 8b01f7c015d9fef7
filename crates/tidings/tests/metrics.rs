//! The metrics of the engine.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tidings::{Config, Draft, Event, Start, StreamItem, Tidings};
use tidings_event::{OwnerId, Severity};
use uuid::Uuid;

fn event(owner: OwnerId) -> Draft {
    Event::builder()
        .from_user(*owner.as_uuid())
        .acted_upon(Uuid::from_u128(7))
        .with_category("deployment")
        .with_action("apply")
        .with_severity(Severity::Success)
        .build()
        .expect("the test's event keeps the rules")
}

/// The value of a line such as `tidings_resets_total{reason="malformed"} 1`.
fn value(registry: &Registry, name: &str) -> Option<f64> {
    let mut text = String::new();
    encode(&mut text, registry).expect("metrics are encoded");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().expect("a number"))
}

#[tokio::test]
async fn counters_follow_publishing_and_streaming() {
    let dir = tempfile::tempdir().expect("a directory");
    let tidings = Tidings::open(Config::new(dir.path()))
        .await
        .expect("an engine opens");
    let mut registry = Registry::default();
    tidings.register_metrics(&mut registry);
    let owner = OwnerId::mint();
    let sent = event(owner);
    tidings
        .publish_batch(vec![sent.clone(), event(owner)])
        .await
        .expect("stored");
    tidings.publish(sent.clone()).await.expect("a repeat");
    let mut conflicting = sent.into_event();
    conflicting.description.push('x');
    tidings.publish(conflicting).await.expect_err("a conflict");

    // One subscriber is behind by two revs, and ten wait for events.
    let mut behind = tidings
        .subscribe(owner, Start::Earliest)
        .await
        .expect("readable");
    let mut waiting = Vec::new();
    for _ in 0..10 {
        let mut reader = tidings
            .subscribe(owner, Start::Now)
            .await
            .expect("readable");
        while !matches!(reader.next().await, Ok(Some(StreamItem::Live { .. }))) {}
        waiting.push(reader);
    }
    drop(
        tidings
            .subscribe(owner, Start::Malformed)
            .await
            .expect("readable"),
    );
    let encoded = value(&registry, "tidings_frames_encoded_total").expect("it is counted");
    tidings.publish(event(owner)).await.expect("stored");
    for reader in &mut waiting {
        assert!(matches!(
            reader.next().await,
            Ok(Some(StreamItem::Created { .. }))
        ));
    }
    let expect = |name: &str, expected: f64| {
        assert_eq!(value(&registry, name), Some(expected), "{name}");
    };
    // Eleven subscribers share one encoding.
    expect("tidings_frames_encoded_total", encoded + 1.0);
    expect("tidings_events_stored_total", 3.0);
    expect("tidings_events_repeated_total", 1.0);
    expect("tidings_publish_requests_total{outcome=\"stored\"}", 3.0);
    expect("tidings_publish_requests_total{outcome=\"conflict\"}", 1.0);
    expect("tidings_commit_events_count", 4.0);
    expect("tidings_commit_events_sum", 3.0);
    expect("tidings_commit_sync_seconds_count", 4.0);
    expect("tidings_subscribers", 11.0);
    expect("tidings_replays_total", 1.0);
    expect("tidings_resets_total{reason=\"malformed\"}", 1.0);
    expect("tidings_live_feeds", 2.0);

    // It is behind by three revs until it has read them.
    assert!(matches!(
        behind.next().await,
        Ok(Some(StreamItem::Ready { .. }))
    ));
    assert!(matches!(
        behind.next().await,
        Ok(Some(StreamItem::Created { .. }))
    ));
    expect("tidings_subscriber_lag_events", 3.0);
    while !matches!(behind.next().await, Ok(Some(StreamItem::Created { cursor, .. })) if cursor.own.get() == 3)
    {
    }
    expect("tidings_replayed_events_total", 2.0);
    expect("tidings_window_bytes", 0.0);
    drop((behind, waiting));
    expect("tidings_subscribers", 0.0);
    expect("tidings_live_feeds", 0.0);
    tidings.close().await;
}
