//! Tells a user how background jobs end, even if a job panics.
//!
//! `cargo run -p tidings --example background_jobs`

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::io;

use tidings::{Config, Event, EventFilter, OwnerId, PageRequest, ResourceId, Tidings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let tidings = Tidings::open(Config::new(directory.path())).await?;
    let user = OwnerId::mint();

    for job in ["render", "upload", "notify"] {
        let event = Event::builder()
            .for_user(user)
            .acted_upon(ResourceId::mint())
            .with_category("report")
            .with_action(job);
        let operation = tidings.operation(event);
        let task = tokio::spawn(async move {
            // If this task panics, the operation is dropped, which reports that it was abandoned.
            match run(job) {
                Ok(()) => operation.succeed(format!("Finished: {job}")).await,
                Err(error) => operation.fail(format!("Failed: {job}"), error).await,
            };
        });
        if let Err(panic) = task.await {
            println!("a job panicked: {}", panic.is_panic());
        }
    }

    // `close` commits the report of the abandoned job.
    tidings.close().await;
    let tidings = Tidings::open(Config::new(directory.path())).await?;
    let inbox = tidings.list(user, EventFilter::default(), PageRequest::default());
    for event in inbox.await?.events.iter().rev() {
        println!("{} {}: {}", event.severity, event.action, event.description);
    }
    tidings.close().await;
    Ok(())
}

fn run(job: &str) -> io::Result<()> {
    match job {
        "render" => Ok(()),
        "upload" => Err(io::Error::other(
            "the storage service refused the connection",
        )),
        other => panic!("no code for the job {other}"),
    }
}
