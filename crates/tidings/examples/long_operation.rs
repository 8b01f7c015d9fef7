//! Reports the progress of a long operation, and shows it live as a web page would.
//!
//! `cargo run -p tidings --example long_operation`

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;

use tidings::{Config, Event, OwnerId, ResourceId, Start, StreamItem, Subscription, Tidings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let tidings = Tidings::open(Config::new(directory.path())).await?;
    let user = OwnerId::mint();
    let page = tokio::spawn(show(tidings.subscribe(user, Start::Now).await?));

    let event = Event::builder()
        .for_user(user)
        .acted_upon(ResourceId::mint())
        .with_category("cluster")
        .with_action("upgrade");
    let operation = tidings.operation(event);
    for node in 1..=3 {
        upgrade(node).await;
        operation
            .progress(format!("Upgraded node {node} of 3"))
            .await;
    }
    operation.succeed("Upgraded the cluster").await;

    // The subscription delivers what is committed, and then ends.
    tidings.close().await;
    page.await??;
    Ok(())
}

async fn show(mut subscription: Subscription) -> Result<(), tidings::StoreError> {
    let mut operation = None;
    while let Some(item) = subscription.next().await? {
        if let StreamItem::Created { event, .. } = item {
            // All events of an operation share its id, so that a page can replace the previous one.
            let is_update = operation.replace(event.operation_id) == Some(event.operation_id);
            let how = if is_update { "update" } else { "new" };
            println!("{how}: {} ({})", event.description, event.severity);
        }
    }
    Ok(())
}

async fn upgrade(_node: u32) {
    tokio::task::yield_now().await;
}
