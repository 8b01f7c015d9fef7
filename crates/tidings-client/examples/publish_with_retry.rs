//! Publishes an event to a server, and repeats the request under the same id until it succeeds. The
//! server stores the event once.
//!
//! `cargo run -p tidings-client --example publish_with_retry -- http://127.0.0.1:9081`

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::io;

use tidings_client::{Backoff, Cause, Client, ClientError, Event, Receipt, ResourceId, Severity};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1);
    let client = Client::new(url.as_deref().unwrap_or("http://127.0.0.1:9081").parse()?)?;

    let event = Event::builder()
        .acted_upon(ResourceId::mint())
        .with_category("connection")
        .with_action("ping");
    let event = match ping() {
        Ok(()) => event
            .with_severity(Severity::Success)
            .with_description("Reached the cluster"),
        Err(error) => event
            .with_severity(Severity::Error)
            .with_description("Could not reach the cluster")
            .with_error(
                Cause::from(error)
                    .with_probable_cause("the cluster is stopped")
                    .with_suggested_remediation("start the cluster, then ping again"),
            ),
    };
    // `build` sets the id, so that every attempt below publishes the same event.
    let event = event.build()?;
    let first = publish(&client, &event).await?;
    println!(
        "stored: {}, already there: {}",
        first.id == event.id,
        first.repeated
    );
    let second = publish(&client, &event).await?;
    println!(
        "stored: {}, already there: {}",
        second.id == event.id,
        second.repeated
    );
    Ok(())
}

/// Repeats the request after errors that can pass, such as a restart of the server.
async fn publish(client: &Client, event: &Event) -> Result<Receipt, ClientError> {
    let mut backoff = Backoff::new();
    for _ in 0..5 {
        match client.publish(event.clone()).await {
            Err(error) if error.is_temporary() => {
                tokio::time::sleep(backoff.failed_with(&error)).await;
            }
            result => return result,
        }
    }
    client.publish(event.clone()).await
}

fn ping() -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::ConnectionRefused))
}
