//! The events that a command changes.

use clap::error::ErrorKind;
use tidings_event::{Cursor, EventFilter, EventRef, Selection};

use crate::filter::ListFilterArgs;

/// The events that `mark` and `delete` change: by id, by filter, or all.
#[derive(Debug, clap::Args)]
pub(crate) struct SelectionArgs {
    /// Ids of events, as `list` and `publish` print them; `system:ID` for an event of the system
    #[arg(value_name = "ID", conflicts_with = "all")]
    ids: Vec<EventRef>,
    /// Select all events
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: ListFilterArgs,
}

/// The selected events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selected {
    /// The events with these ids.
    Ids(Vec<EventRef>),
    /// The matching events; all, if the filter is empty.
    Matching(EventFilter),
}

impl SelectionArgs {
    /// The selection.
    ///
    /// # Errors
    ///
    /// A usage error without a selection, or with several kinds of them.
    pub(crate) fn selected(self) -> Result<Selected, clap::Error> {
        let filter = EventFilter::from(self.filter);
        match (self.ids.is_empty(), self.all, filter.is_empty()) {
            (false, _, true) => Ok(Selected::Ids(self.ids)),
            (true, true, true) | (true, false, false) => Ok(Selected::Matching(filter)),
            (true, false, true) => Err(clap::Error::raw(
                ErrorKind::MissingRequiredArgument,
                "no events selected: give ids, a filter such as --severity, or --all\n",
            )),
            (false, _, false) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "ids and filters exclude each other: give one of them\n",
            )),
            (true, true, false) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "--all and filters exclude each other: give one of them\n",
            )),
        }
    }
}

/// The matching events up to a cursor, so that later ones are not changed unseen.
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
    fn accepts_one_kind_of_selection() {
        let id = ID.parse().unwrap();
        assert_eq!(selected(&[ID, ID]).unwrap(), Selected::Ids(vec![id, id]));
        let of_system = format!("system:{ID}");
        let named = vec![of_system.parse().unwrap()];
        assert_eq!(selected(&[&of_system]).unwrap(), Selected::Ids(named));
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
