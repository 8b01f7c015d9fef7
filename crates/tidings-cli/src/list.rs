//! `tidings list`: lists stored events.

mod counts;
mod table;

use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context as _;
use clap::builder::TypedValueParser;
use tidings_event::{EventFilter, EventPage, PageRequest, Paging, Sort, SortKey, SortOrder, Total};

use crate::choice::one_of;
use crate::filter::ListFilterArgs;
use crate::output::{self, Printed};
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
Prints a table; a star marks unread events, and the ids of the system's events begin with `system:`.
Standard error reports how many events match, and the counts of all events by severity: unread ones, or
those with the given --status. With --json it prints one event per line and no counts.

The command reads pages of at most 1,000 events. With the newest first, it does not show events that are
published meanwhile. Sorted by updated_at, an event that changes meanwhile can appear twice or not at all.

Examples:
  tidings list                                       the newest 25 events
  tidings list --status unread --severity error      unread failures
  tidings list --search timeout --order asc          events about a timeout, oldest first
  tidings list --from 2026-08-01T00:00:00Z --limit all --json > august.jsonl";

/// List events, newest first by default
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Maximum number of events, or `all`
    #[arg(long, value_name = "N|all", default_value_t = Limit::AtMost(PageRequest::DEFAULT_SIZE))]
    limit: Limit,
    /// Print each event as a line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sort: SortArgs,
    #[command(flatten)]
    filter: ListFilterArgs,
}

/// The sort order of the list.
#[derive(Clone, Copy, Debug, clap::Args)]
struct SortArgs {
    /// Time to sort by
    #[arg(long, value_name = "BY", default_value = "created_at", value_parser = sort_key())]
    sort: SortKey,
    /// Sort order: `desc` for newest first, `asc` for oldest first
    #[arg(long, value_name = "ORDER", default_value = "desc", value_parser = sort_order())]
    order: SortOrder,
}

impl From<SortArgs> for Sort {
    fn from(args: SortArgs) -> Self {
        Self {
            key: args.sort,
            order: args.order,
        }
    }
}

fn sort_key() -> impl TypedValueParser<Value = SortKey> {
    one_of([SortKey::CreatedAt, SortKey::UpdatedAt], SortKey::as_str)
}

fn sort_order() -> impl TypedValueParser<Value = SortOrder> {
    one_of(
        [SortOrder::Ascending, SortOrder::Descending],
        SortOrder::as_str,
    )
}

/// The maximum number of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    AtMost(u64),
    All,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(number) => number.fmt(f),
            Self::All => f.write_str("all"),
        }
    }
}

/// The error for a text that is not a limit.
#[derive(Debug)]
struct InvalidLimit;

impl std::fmt::Display for InvalidLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("give a number from 1, or `all`")
    }
}

impl std::error::Error for InvalidLimit {}

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        match text {
            "all" => Ok(Self::All),
            number => match number.parse() {
                Ok(0) | Err(_) => Err(InvalidLimit),
                Ok(number) => Ok(Self::AtMost(number)),
            },
        }
    }
}

impl Limit {
    /// The size of the next page after `after` listed events. `None` if the limit is reached.
    fn page_size(self, after: u64) -> Option<u64> {
        let left = match self {
            Self::AtMost(number) => number.saturating_sub(after),
            Self::All => u64::MAX,
        };
        (left > 0).then_some(left.min(PageRequest::MAX_SIZE))
    }
}

/// Lists events until the limit or the end of the list.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let filter = EventFilter::from(args.filter);
    let mut shown = 0;
    let mut request = PageRequest::default()
        .with_sort(args.sort.into())
        .with_total(match args.json {
            true => Total::Left,
            false => Total::Counted,
        });
    let mut first = None;
    while let Some(size) = args.limit.page_size(shown) {
        request.size = size;
        let page = match client.list(filter.clone(), request).await {
            Ok(page) => page,
            Err(error) => {
                output::report(&error);
                return Ok(ExitCode::FAILURE);
            }
        };
        shown += page.events.len() as u64;
        let printed = print(&page, args.json);
        if printed.context("could not write to standard output")? == Printed::ReaderGone {
            return Ok(ExitCode::SUCCESS);
        }
        let next = page.next;
        first.get_or_insert(page);
        match next {
            Some(token) => {
                request.paging = Paging::After(token);
                // The first page's total is enough.
                request.total = Total::Left;
            }
            None => break,
        }
    }
    if let Some(first) = first.filter(|_| !args.json) {
        output::note(counts::line(&first, &filter, shown));
    }
    Ok(ExitCode::SUCCESS)
}

fn print(page: &EventPage, as_json: bool) -> anyhow::Result<Printed> {
    if page.events.is_empty() {
        return Ok(Printed::Yes);
    }
    if !as_json {
        let table = table::of(page, output::terminal_width());
        return Ok(output::print_line(table)?);
    }
    for event in &page.events {
        let json = serde_json::to_string(event).context("could not write the event")?;
        if output::print_line(output::escaped_json(&json))? == Printed::ReaderGone {
            return Ok(Printed::ReaderGone);
        }
    }
    Ok(Printed::Yes)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn args(flags: &[&str]) -> Result<Args, clap::Error> {
        Cli::try_parse_from([&["list"], flags].concat()).map(|cli| cli.args)
    }

    #[test]
    fn limits_page_size_to_the_rest_and_the_maximum() {
        for (limit, after, size) in [
            ("25", 0, Some(25)),
            ("25", 25, None),
            ("1500", 0, Some(1000)),
            ("1500", 1000, Some(500)),
            ("all", 5000, Some(1000)),
        ] {
            let limit: Limit = limit.parse().unwrap();
            assert_eq!(limit.page_size(after), size, "{limit} after {after}");
        }
        assert_eq!(args(&[]).unwrap().limit.to_string(), "25");
    }

    #[test]
    fn rejects_invalid_values() {
        for flag in [
            "--limit=0",
            "--limit=-1",
            "--limit=many",
            "--status=new",
            "--from=yesterday",
            "--to=2026-08-01",
            "--search=",
            "--sort=name",
            "--order=down",
        ] {
            assert_eq!(args(&[flag]).unwrap_err().exit_code(), 2, "{flag}");
        }
    }
}
