//! `tidings publish --stdin`: one event a line, as many as come.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::Client;

use super::delivery::{Delivery, Stop};
use super::input;
use super::progress::Progress;
use super::tally::Tally;
use crate::output;
use crate::retry::RetryArgs;

/// Sends the lines of standard input and says what became of them.
pub(super) async fn run(
    client: Client,
    retries: RetryArgs,
    prints: bool,
) -> anyhow::Result<ExitCode> {
    if io::stdin().is_terminal() {
        output::note("reading events, one JSON object a line; Ctrl-D ends");
    }
    let mut pieces = input::pieces(io::stdin()).context("could not read standard input")?;
    let mut delivery = Delivery {
        client,
        retries,
        prints,
        progress: Progress::of_stdin(),
        tally: Tally::default(),
        under_way: None,
    };
    let ended = tokio::select! {
        ended = delivery.deliver(&mut pieces) => ended,
        // Without a handler, the default is to end at once, which is all right too.
        Ok(()) = tokio::signal::ctrl_c() => Err(Stop::Interrupted),
    };
    delivery.progress.end();
    Ok(report(&delivery, ended))
}

fn report(delivery: &Delivery, ended: Result<(), Stop>) -> ExitCode {
    for refusal in delivery.tally.refusals() {
        output::note(refusal);
    }
    let complete = ended.is_ok();
    if let Err(stop) = ended {
        match stop {
            Stop::Server(error) => output::report(&error),
            Stop::Failed(error) => output::note(format_args!("error: {error:#}")),
            Stop::Interrupted => output::note("interrupted"),
        }
        let where_it_stopped = match delivery.under_way {
            Some((first, last)) => format!(
                "stopped at line {first}: lines {first} to {last} may be stored or not, and what \
                 follows is not"
            ),
            None => "stopped: what follows is not stored".to_owned(),
        };
        output::note(where_it_stopped);
    }
    output::note(delivery.tally.counts());
    if complete && !delivery.tally.has_refused() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
