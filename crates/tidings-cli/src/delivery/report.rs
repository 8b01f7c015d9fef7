//! What is said at the end.

use std::process::ExitCode;

use super::{Delivery, Purpose, Stop};
use crate::output;

/// Says on standard error what became of the lines.
pub(super) fn write(delivery: &Delivery, ended: Result<(), Stop>) -> ExitCode {
    for warning in delivery.tally.warnings() {
        output::note(warning);
    }
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
        if delivery.purpose == Purpose::Import {
            output::note("  try: import it again; what is stored is passed over");
        }
    }
    output::note(delivery.tally.counts());
    if complete && !delivery.tally.has_refused() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
