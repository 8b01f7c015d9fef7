//! The inbox of a user after each outcome of an operation.

use std::future::poll_fn;

use serde_json::Value;
use tempfile::TempDir;
use tidings_event::{Event, EventFilter, OwnerId, PageRequest, SortKey, SortOrder};
use uuid::Uuid;

use super::*;
use crate::config::Config;

const USER: OwnerId = OwnerId::from_uuid(Uuid::from_u128(2));

fn started() -> EventBuilder {
    Event::builder()
        .from_user(USER)
        .acted_upon(Uuid::from_u128(1))
        .with_category("report")
        .with_action("render")
}

async fn open(directory: &TempDir) -> Tidings {
    let config = Config::new(directory.path());
    Tidings::open(config).await.unwrap()
}

/// The events on disk after the engine was closed, the oldest first.
async fn stored_after_close(tidings: Tidings, directory: &TempDir) -> Vec<Event> {
    tidings.close().await;
    drop(tidings);
    let tidings = open(directory).await;
    let mut request = PageRequest::default();
    request.sort.key = SortKey::CreatedAt;
    request.sort.order = SortOrder::Ascending;
    let page = tidings.list(USER, EventFilter::default(), request).await;
    page.unwrap().events
}

fn cause(event: &Event) -> &Value {
    &event.metadata.as_ref().unwrap()["error"]
}

#[tokio::test]
async fn progress_and_outcome_share_the_operation() {
    let directory = TempDir::new().unwrap();
    let tidings = open(&directory).await;
    let operation = tidings.operation(started());
    assert!(operation.progress("Rendering").await.is_some());
    let receipt = operation.succeed("Rendered").await.unwrap();
    let events = stored_after_close(tidings, &directory).await;
    let severities: Vec<_> = events.iter().map(|event| event.severity).collect();
    assert_eq!(severities, [Severity::Informational, Severity::Success]);
    assert_eq!(events[0].operation_id, events[1].operation_id);
    assert_eq!(
        (events[1].id, &*events[1].description),
        (receipt.id, "Rendered")
    );
}

#[tokio::test]
async fn a_failure_carries_its_cause() {
    let directory = TempDir::new().unwrap();
    let tidings = open(&directory).await;
    let error = std::io::Error::other("no template");
    let operation = tidings.operation(started());
    assert!(operation.fail("Could not render", error).await.is_some());
    let events = stored_after_close(tidings, &directory).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].severity, Severity::Error);
    assert_eq!(cause(&events[0])["ShortDescription"][0], "no template");
}

#[tokio::test]
async fn a_panic_is_reported() {
    let directory = TempDir::new().unwrap();
    let tidings = open(&directory).await;
    let operation = tidings.operation(started());
    let work = tokio::spawn(async move {
        operation.progress("Rendering").await;
        panic!("a fault");
    });
    assert!(work.await.unwrap_err().is_panic());
    let events = stored_after_close(tidings, &directory).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].severity, Severity::Error);
    assert_eq!(cause(&events[1])["Code"], "operation_panicked");
    assert_eq!(events[0].operation_id, events[1].operation_id);
}

#[tokio::test]
async fn an_aborted_task_is_reported() {
    let directory = TempDir::new().unwrap();
    let tidings = open(&directory).await;
    let operation = tidings
        .operation(started())
        .with_abandoned("Could not render", Cause::new("stopped"));
    let work = tokio::spawn(async move {
        let _operation = operation;
        std::future::pending::<()>().await;
    });
    work.abort();
    assert!(work.await.unwrap_err().is_cancelled());
    let events = stored_after_close(tidings, &directory).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].description, "Could not render");
    assert_eq!(cause(&events[0])["ShortDescription"][0], "stopped");
}

#[tokio::test]
async fn an_operation_dropped_outside_a_runtime_is_reported() {
    let directory = TempDir::new().unwrap();
    let tidings = open(&directory).await;
    let operation = tidings.operation(started());
    let thread = std::thread::spawn(move || drop(operation));
    thread.join().unwrap();
    let events = stored_after_close(tidings, &directory).await;
    assert_eq!(events.len(), 1);
    assert_eq!(cause(&events[0])["Code"], "operation_cancelled");
}

#[tokio::test]
async fn an_outcome_whose_future_is_dropped_is_stored_once() {
    let directory = TempDir::new().unwrap();
    let tidings = open(&directory).await;
    for polls in 0..2 {
        let mut finish = Box::pin(tidings.operation(started()).succeed("Rendered"));
        for _ in 0..polls {
            poll_fn(|context| {
                assert!(finish.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
        }
    }
    let events = stored_after_close(tidings, &directory).await;
    let outcomes: Vec<_> = events.iter().map(|event| event.severity).collect();
    // A future that was never polled was never given the outcome.
    assert_eq!(outcomes, [Severity::Error, Severity::Success]);
}

#[tokio::test]
async fn an_event_that_breaks_the_rules_or_comes_after_the_end_is_not_stored() {
    let directory = TempDir::new().unwrap();
    let tidings = open(&directory).await;
    assert!(tidings.publish_or_log(Event::builder()).await.is_none());
    let event = started().with_severity(Severity::Success);
    assert!(tidings.publish_or_log(event.clone()).await.is_some());
    let late = tidings.clone();
    assert_eq!(stored_after_close(tidings, &directory).await.len(), 1);
    assert!(late.publish_or_log(event).await.is_none());
}
