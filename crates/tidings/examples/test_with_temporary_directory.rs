//! Tests code that publishes events, with a real engine in a temporary directory.
//!
//! `cargo run -p tidings --example test_with_temporary_directory`

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;

use tidings::{
    Cause, Config, Event, EventFilter, OwnerId, PageRequest, PublishError, ResourceId, Severity,
    Tidings,
};

/// The code under test: registers a cluster and tells its user.
async fn register(tidings: &Tidings, user: OwnerId, address: &str) -> Result<(), PublishError> {
    let event = Event::builder()
        .for_user(user)
        .acted_upon(ResourceId::mint())
        .with_category("cluster")
        .with_action("register");
    let event = if address.starts_with("https://") {
        event
            .with_severity(Severity::Success)
            .with_description("Registered the cluster")
    } else {
        let cause = Cause::new("the address is not https")
            .with_suggested_remediation("register the cluster by its https address");
        event.with_severity(Severity::Error).with_error(cause)
    };
    tidings
        .publish(event.build().map_err(PublishError::Invalid)?)
        .await?;
    Ok(())
}

/// A test: call this body from a `#[tokio::test]`.
async fn registration_without_https_tells_the_user_what_to_do() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let tidings = Tidings::open(Config::new(directory.path())).await?;
    let (user, other) = (OwnerId::mint(), OwnerId::mint());

    register(&tidings, user, "http://10.0.0.1").await?;

    let list = |owner| tidings.list(owner, EventFilter::default(), PageRequest::default());
    let [event] = &list(user).await?.events[..] else {
        return Err("expected one event".into());
    };
    assert_eq!(event.severity, Severity::Error);
    let cause = &event.metadata.as_ref().ok_or("no metadata")?["error"];
    assert_eq!(
        cause["SuggestedRemediation"][0],
        "register the cluster by its https address"
    );
    assert!(
        list(other).await?.events.is_empty(),
        "other users see nothing"
    );
    tidings.close().await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    registration_without_https_tells_the_user_what_to_do().await?;
    println!("the test passed");
    Ok(())
}
