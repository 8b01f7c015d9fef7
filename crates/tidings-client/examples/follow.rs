//! Prints the events of an inbox in a terminal as they arrive. The cursor in a file lets the next run
//! continue where this one ended. With a number as third argument, it ends after that many events.
//!
//! `cargo run -p tidings-client --example follow -- http://127.0.0.1:9081 /tmp/cursor`

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::fs;

use tidings_client::{Client, Received, Start, StreamItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("pass the URL of the server and a file for the cursor".into());
    };
    let mut left: Option<u64> = arguments.next().map(|text| text.parse()).transpose()?;

    let start = match fs::read_to_string(&file) {
        Ok(cursor) => cursor.parse()?,
        Err(_) => Start::Earliest,
    };
    let mut subscription = Client::new(url.parse()?)?.subscribe(start);
    while left != Some(0) {
        match subscription.next().await? {
            Received::Item(item) => {
                match &item {
                    StreamItem::Created { event, .. } => {
                        println!("{} {}", event.severity, event.description);
                        left = left.map(|left| left - 1);
                    }
                    StreamItem::Status { change, .. } => {
                        println!("{} marked as {}", change.ids.len(), change.status);
                    }
                    StreamItem::Deleted { deletion, .. } => {
                        println!("{} deleted", deletion.ids.len());
                    }
                    StreamItem::Reset { reason, .. } => {
                        println!("events can be missing here ({reason}): read the list");
                    }
                    _ => {}
                }
                // Saved after the work: an interruption repeats an event and never loses one.
                fs::write(&file, item.cursor().to_string())?;
            }
            Received::Disconnected { error, retry_in } => {
                println!("{error}; connecting again in {retry_in:.1?}");
            }
        }
    }
    Ok(())
}
