//! Copies a user's events to another system, here a file with one JSON object per line. A file with the
//! cursor lets the bridge continue after a restart.
//!
//! `cargo run -p tidings --example ndjson_bridge -- /tmp/bridge`

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tidings::{Config, Event, OwnerId, ResourceId, Severity, Start, StreamItem, Tidings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("pass a directory")?);
    let tidings = Tidings::open(Config::new(directory.join("data"))).await?;
    let user: OwnerId = "7b1d2c3e-0000-4000-8000-00000000000a".parse()?;
    for number in 1..=2 {
        let event = Event::builder()
            .for_user(user)
            .acted_upon(ResourceId::mint())
            .with_category("backup")
            .with_action("create")
            .with_severity(Severity::Success)
            .with_description(format!("Backup {number} is complete"))
            .build()?;
        tidings.publish(event).await?;
    }
    let copied = bridge(&tidings, user, &directory).await?;
    println!("copied {copied} events");
    tidings.close().await;
    Ok(())
}

/// Copies the events after the saved cursor, until the bridge has caught up.
async fn bridge(tidings: &Tidings, user: OwnerId, to: &Path) -> Result<u32, Box<dyn Error>> {
    let saved = to.join("cursor");
    let start = fs::read_to_string(&saved).map_or(Ok(Start::Earliest), |text| text.parse())?;
    let mut sink = File::options()
        .create(true)
        .append(true)
        .open(to.join("events.ndjson"))?;
    let mut subscription = tidings.subscribe(user, start).await?;
    let mut copied = 0;
    while let Some(item) = subscription.next().await? {
        if let StreamItem::Created { event, .. } = &item {
            writeln!(sink, "{}", serde_json::to_string(event)?)?;
            sink.sync_data()?;
            copied += 1;
        }
        // Saved after the write: a crash in between repeats an event and never loses one.
        fs::write(&saved, item.cursor().to_string())?;
        // A permanent bridge continues here.
        if matches!(item, StreamItem::Live { .. }) {
            break;
        }
    }
    Ok(copied)
}
