//! The report at the end of a delivery.

use std::process::ExitCode;

use super::{Delivery, Purpose, StopReason};
use crate::output;

/// Reports the results of the lines on standard error.
pub(super) fn write(delivery: &Delivery, ended: Result<(), StopReason>) -> ExitCode {
    for warning in delivery.tally.warnings() {
        output::note(warning);
    }
    for rejection in delivery.tally.rejections() {
        output::note(rejection);
    }
    let complete = ended.is_ok();
    if let Err(stop) = ended {
        match stop {
            StopReason::Server(error) => output::report(&error),
            StopReason::Failed(error) => output::note(format_args!("error: {error:#}")),
            StopReason::Interrupted => output::note("interrupted"),
        }
        let where_it_stopped = match delivery.under_way {
            Some((first, last)) => format!(
                "stopped at line {first}: it is unknown whether lines {first} to {last} are stored; later \
                 lines are not"
            ),
            None => "stopped: later lines are not stored".to_owned(),
        };
        output::note(where_it_stopped);
        if delivery.purpose == Purpose::Import {
            output::note("  try: import the file again; stored events are skipped");
        }
    }
    output::note(delivery.tally.counts());
    if complete && !delivery.tally.has_rejected() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
