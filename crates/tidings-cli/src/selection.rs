//! Which events a command changes.

use clap::error::ErrorKind;
use tidings_event::{Cursor, EventFilter, EventId, Selection};

use crate::filter::ListFilterArgs;

/// The events that `mark` and `delete` change: by id, by filter, or all.
#[derive(Debug, clap::Args)]
pub(crate) struct SelectionArgs {
    /// The events' ids, as `list` and `publish` print them
    #[arg(value_name = "ID", conflicts_with = "all")]
    ids: Vec<EventId>,
    /// All events
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: ListFilterArgs,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selected {
    /// These.
    Ids(Vec<EventId>),
    /// Those that match, and with an empty filter all.
    Matching(EventFilter),
}

impl SelectionArgs {
    /// Settles what is chosen.
    ///
    /// # Errors
    ///
    /// A usage error when nothing is chosen, or in several ways.
    pub(crate) fn selected(self) -> Result<Selected, clap::Error> {
        let filter = EventFilter::from(self.filter);
        match (self.ids.is_empty(), self.all, filter.is_empty()) {
            (false, _, true) => Ok(Selected::Ids(self.ids)),
            (true, true, true) | (true, false, false) => Ok(Selected::Matching(filter)),
            (true, false, true) => Err(clap::Error::raw(
                ErrorKind::MissingRequiredArgument,
                "give the ids of events, or a filter such as --severity, or --all\n",
            )),
            (false, _, false) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "ids and filters cannot be given together\n",
            )),
            (true, true, false) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "--all and filters cannot be given together\n",
            )),
        }
    }
}

/// The events that match and are not newer than what the user has seen.
pub(crate) fn matching(filter: EventFilter, up_to: Cursor) -> Selection {
    if filter.is_empty() {
        let up_to = Some(up_to);
        Selection::All { up_to }
    } else {
        let filter = Box::new(filter);
        Selection::Filter { filter, up_to }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use tidings_event::Severity;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: SelectionArgs,
    }

    const ID: &str = "7b1d2c3e-0000-4000-8000-000000000001";

    fn selected(flags: &[&str]) -> Result<Selected, clap::Error> {
        Cli::try_parse_from([&["x"], flags].concat())?
            .args
            .selected()
    }

    #[test]
    fn events_are_chosen_in_one_way() {
        let id = ID.parse().unwrap();
        assert_eq!(selected(&[ID, ID]).unwrap(), Selected::Ids(vec![id, id]));
        let all = EventFilter::default();
        assert_eq!(selected(&["--all"]).unwrap(), Selected::Matching(all));
        let errors = EventFilter::default().with_severity([Severity::Error]);
        let matching = selected(&["--severity=error"]).unwrap();
        assert_eq!(matching, Selected::Matching(errors));
        for flags in [
            &[][..],
            &["x"],
            &[ID, "--all"],
            &[ID, "--severity=error"],
            &["--all", "--status=read"],
        ] {
            assert_eq!(selected(flags).unwrap_err().exit_code(), 2, "{flags:?}");
        }
    }
}
