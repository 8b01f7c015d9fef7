//! Imports events from another system, here a file with one JSON object per line. The server stores the
//! valid events and reports the others by line.
//!
//! `cargo run -p tidings-client --example batch_import -- http://127.0.0.1:9081 events.ndjson`

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::fs;

use tidings_client::{Client, Limits, NewEvent, PastEvent};

/// A server accepts 1,000 events in one batch by default.
const BATCH_EVENTS: usize = 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("pass the URL of the server and a file with one event per line".into());
    };
    let client = Client::new(url.parse()?)?;
    let text = fs::read_to_string(&file)?;
    let limits = Limits::default();
    let mut events = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match NewEvent::read_with_past(line, &limits) {
            Ok((event, past)) => events.push((index + 1, PastEvent::new(event, past))),
            Err(error) => println!("line {}: {error}", index + 1),
        }
    }

    let (mut imported, mut already_present) = (0, 0);
    for batch in events.chunks(BATCH_EVENTS) {
        let past = batch.iter().map(|(_, event)| event.clone());
        let results = client.import_partial(past).await?;
        for ((line, _), result) in batch.iter().zip(results) {
            match result {
                Ok(receipt) if receipt.repeated => already_present += 1,
                Ok(_) => imported += 1,
                Err(error) => {
                    let details = error
                        .rejection()
                        .map(|body| body.long_description.join("; "));
                    println!("line {line}: {error}: {}", details.unwrap_or_default());
                }
            }
        }
    }
    println!("{imported} imported, {already_present} already present");
    Ok(())
}
