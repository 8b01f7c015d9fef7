//! Tells a user how a ping of their connection ended, as a backend's handler would.
//!
//! `cargo run -p tidings-client --example publish -- http://127.0.0.1:9081`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::io;

use tidings_client::Client;
use tidings_event::{Cause, Event, ResourceId, Severity};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("http://127.0.0.1:9081");
    let client = Client::new(url.parse()?)?;

    // Fill in what is known, then branch: both outcomes share the operation id.
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
    let event = event.build()?;

    let receipt = client.publish(event.clone()).await?;
    println!("stored {}", receipt.id);

    // The builder has minted the id, so that after a lost answer the event is simply sent again.
    let receipt = client.publish(event).await?;
    println!("stored {}, repeated: {}", receipt.id, receipt.repeated);
    Ok(())
}

fn ping() -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::ConnectionRefused))
}
