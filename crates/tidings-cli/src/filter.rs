//! Filters for the events that a command shows.

use clap::builder::{NonEmptyStringValueParser, TypedValueParser};
use tidings_event::{
    Action, Category, Event, EventFilter, OperationId, OwnerKind, ResourceId, Severity, Status,
    SystemId, Timestamp,
};

use crate::choice::one_of;

/// The heading of the filters in the help.
const HEADING: &str = "Filters; a repeatable one also takes values with commas";

/// Filters that apply to an event as it was published. An event must match every filter given, and one
/// value of each filter that has several values.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct FilterArgs {
    /// Only events of this severity (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = severity())]
    severity: Vec<Severity>,
    /// Only events of this category (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    category: Vec<Category>,
    /// Only events of this action (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    action: Vec<Action>,
    /// Only events about this resource (repeatable)
    #[arg(long, value_name = "UUID", value_delimiter = ',')]
    acted_upon: Vec<ResourceId>,
    /// Only events sent by this instance (repeatable)
    #[arg(long, value_name = "UUID", value_delimiter = ',')]
    system_id: Vec<SystemId>,
    /// Only events of this operation
    #[arg(long, value_name = "UUID")]
    operation_id: Option<OperationId>,
    /// Only your own events, or only those of the system, which every user sees
    #[arg(long, value_name = "KIND", value_parser = owner_kind())]
    owner_kind: Option<OwnerKind>,
}

/// Filters of a list: those of `FilterArgs`, and filters that only stored events can match.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct ListFilterArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Only events that are read, or unread
    #[arg(long, value_name = "STATUS", value_parser = status())]
    status: Option<Status>,
    /// Only events created at this RFC 3339 time or later
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Only events created before this RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// Only events with this text in their description, in upper or lower case
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    search: Option<String>,
}

fn status() -> impl TypedValueParser<Value = Status> {
    one_of([Status::Unread, Status::Read], Status::as_str)
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "write it like `2026-08-01T10:00:00Z` or `2026-08-01T10:00:00+02:00`")
}

fn severity() -> impl TypedValueParser<Value = Severity> {
    one_of(Severity::ALL, Severity::as_str)
}

fn owner_kind() -> impl TypedValueParser<Value = OwnerKind> {
    one_of([OwnerKind::User, OwnerKind::System], OwnerKind::as_str)
}

impl From<FilterArgs> for EventFilter {
    fn from(args: FilterArgs) -> Self {
        let mut filter = Self::default();
        filter.category = args.category;
        filter.action = args.action;
        filter.severity = args.severity;
        filter.acted_upon = args.acted_upon;
        filter.system_id = args.system_id;
        filter.owner_kind = args.owner_kind;
        filter.operation_id = args.operation_id;
        filter
    }
}

impl From<ListFilterArgs> for EventFilter {
    fn from(args: ListFilterArgs) -> Self {
        let mut filter = Self::from(args.filter);
        filter.status = args.status;
        filter.from = args.from;
        filter.to = args.to;
        filter.search = args.search;
        filter
    }
}

/// Checks whether an event belongs to a list with this filter.
pub(crate) fn matches(filter: &EventFilter, event: &Event, owner_kind: OwnerKind) -> bool {
    fn any<T: PartialEq>(list: &[T], value: &T) -> bool {
        list.is_empty() || list.contains(value)
    }
    let EventFilter {
        status,
        category,
        action,
        severity,
        acted_upon,
        system_id,
        owner_kind: wanted_owner,
        operation_id,
        from,
        to,
        search,
        ..
    } = filter;
    any(category, &event.category)
        && any(action, &event.action)
        && any(severity, &event.severity)
        && any(acted_upon, &event.acted_upon)
        && any(system_id, &event.system_id)
        && wanted_owner.is_none_or(|wanted| wanted == owner_kind)
        && operation_id.is_none_or(|operation| operation == event.operation_id)
        && status.is_none_or(|status| status == event.status)
        && from.is_none_or(|from| event.created_at >= from)
        && to.is_none_or(|to| event.created_at < to)
        && search
            .as_ref()
            .is_none_or(|text| folded(&event.description).contains(&folded(text)))
}

/// Folds the case of a text. The server's folding is more exact for a few letters of some scripts.
fn folded(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::sample;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: ListFilterArgs,
    }

    fn filter(flags: &[&str]) -> Result<EventFilter, clap::Error> {
        Cli::try_parse_from([&["x"], flags].concat()).map(|cli| cli.args.into())
    }

    #[test]
    fn each_filter_selects_only_matching_events() {
        let event = sample::event(&json!(null));
        for (matching, other) in [
            ("--severity=error", "--severity=warning"),
            ("--severity=debug,error", "--severity=debug,success"),
            ("--category=connection", "--category=ping"),
            ("--action=ping", "--action=connection"),
            (
                "--acted-upon=0c0ffee0-0000-4000-8000-000000000005",
                "--acted-upon=0c0ffee0-0000-4000-8000-000000000004",
            ),
            (
                "--operation-id=0c0ffee0-0000-4000-8000-000000000004",
                "--operation-id=0c0ffee0-0000-4000-8000-000000000005",
            ),
            ("--owner-kind=user", "--owner-kind=system"),
        ] {
            let lets_through =
                |flags: &[&str]| matches(&filter(flags).unwrap(), &event, OwnerKind::User);
            assert!(lets_through(&[]));
            assert!(lets_through(&[matching]), "{matching}");
            assert!(!lets_through(&[other]), "{other}");
            // An event must match every filter given.
            assert!(!lets_through(&["--severity=error,debug", "--action=x"]));
        }
    }

    #[test]
    fn covers_every_field_of_a_filter() {
        let parts = serde_json::to_value(EventFilter::default()).unwrap();
        // A new field here also needs a check in `matches`.
        assert_eq!(parts.as_object().unwrap().len(), 10);
    }

    #[test]
    fn matches_status_and_times_as_the_list_does() {
        let event = sample::event(&json!(null));
        let at = event.created_at;
        for (filter, expected) in [
            (json!({"status": "unread"}), true),
            (json!({"status": "read"}), false),
            (json!({"from": at}), true),
            (json!({"to": at}), false),
            (json!({"search": "ANSWER"}), true),
            (json!({"search": "other"}), false),
        ] {
            let filter: EventFilter = serde_json::from_value(filter).unwrap();
            let found = matches(&filter, &event, OwnerKind::User);
            assert_eq!(found, expected, "{filter:?}");
        }
    }

    #[test]
    fn usage_error_names_the_valid_values() {
        for (flag, hint) in [
            ("--severity=info", "informational"),
            ("--category=Snake-Case", "snake_case"),
            ("--acted-upon=x", "not a UUID"),
            ("--owner-kind=me", "system"),
            ("--from=yesterday", "write it like `2026-"),
            ("--to=2026-08-01", "write it like `2026-"),
        ] {
            let error = filter(&[flag]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(hint), "{error}");
        }
    }
}
