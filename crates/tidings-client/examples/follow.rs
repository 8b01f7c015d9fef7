//! Prints events as they are published, through restarts of the server and of this program: the
//! cursor in a file says where to go on.
//!
//! `cargo run -p tidings-client --example follow -- http://127.0.0.1:9081 /tmp/cursor`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;

use tidings_client::{Client, Followed};
use tidings_event::{Start, StreamItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("give the server's URL and a file for the cursor".into());
    };
    // The first run has no file and starts with what comes from now on.
    let start: Start = fs::read_to_string(&file).unwrap_or_default().parse()?;
    let mut follow = Client::new(url.parse()?)?.subscribe(start);

    loop {
        match follow.next().await? {
            Followed::Item(item) => {
                match &item {
                    StreamItem::Ready { .. } => println!("connected"),
                    StreamItem::Created { event, .. } => {
                        println!("{} {:?}", event.severity, event.description);
                    }
                    StreamItem::Status { change, .. } => {
                        println!("{} marked as {}", change.ids.len(), change.status);
                    }
                    StreamItem::Deleted { deletion, .. } => {
                        println!("{} deleted", deletion.ids.len());
                    }
                    StreamItem::Live { .. } => println!("caught up"),
                    StreamItem::Reset { reason, .. } => {
                        println!("events may be missing here ({reason}): read the list");
                    }
                    StreamItem::Expiring { at, .. } => println!("the token ends at {at}"),
                    _ => {}
                }
                // After the work: an event whose handling was cut short comes again.
                fs::write(&file, item.cursor().to_string())?;
            }
            Followed::Disconnected { error, retry_in } => {
                println!("{error}; trying again in {retry_in:.1?}");
            }
        }
    }
}
