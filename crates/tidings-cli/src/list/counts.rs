//! The counts below a list.

use tidings_event::{EventFilter, EventPage, Status};

/// The line below a list of `shown` events whose first page is `first`.
pub(super) fn line(first: &EventPage, filter: &EventFilter, shown: u64) -> String {
    // Only the first page has a total.
    let matching = first.total_count.unwrap_or(shown);
    let mut line = match (shown, filter.is_empty()) {
        (0, true) => "no events".to_owned(),
        (0, false) => "no event matches".to_owned(),
        _ => format!("{shown} of {matching} {}", noun(matching)),
    };
    if shown > 0 && shown < matching {
        line += " (--limit for more)";
    }
    let status = filter.status.unwrap_or_default();
    let counts = &first.count_by_severity_level;
    let total: u64 = counts.iter().map(|count| count.count).sum();
    let by_severity: Vec<_> = counts
        .iter()
        .map(|count| format!("{} {}", count.count, count.severity))
        .collect();
    line += &format!("; {total} {status} in all");
    if !by_severity.is_empty() {
        line += &format!(" ({})", by_severity.join(", "));
    }
    if status == Status::Unread {
        line += &format!("; {} read", first.read_count);
    }
    line
}

fn noun(number: u64) -> &'static str {
    if number == 1 { "event" } else { "events" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page() -> EventPage {
        serde_json::from_value(json!({
            "events": [], "page": 0, "pageSize": 25, "totalCount": 30, "readCount": 7,
            "countBySeverityLevel": [
                {"severity": "error", "count": 3}, {"severity": "success", "count": 20},
            ],
            "cursor": "30-0-00000000", "systemId": "0c0ffee0-0000-4000-8000-000000000003",
        }))
        .unwrap()
    }

    #[test]
    fn states_shown_and_total_counts() {
        let all = EventFilter::default();
        assert_eq!(
            line(&page(), &all, 25),
            "25 of 30 events (--limit for more); 23 unread in all (3 error, 20 success); 7 read"
        );
        assert_eq!(
            line(&page(), &all, 30),
            "30 of 30 events; 23 unread in all (3 error, 20 success); 7 read"
        );
        let read = EventFilter::default().with_status(Status::Read);
        assert_eq!(
            line(&page(), &read, 0),
            "no event matches; 23 read in all (3 error, 20 success)"
        );
        let mut empty = page();
        (empty.total_count, empty.read_count) = (Some(0), 0);
        empty.count_by_severity_level.clear();
        assert_eq!(line(&empty, &all, 0), "no events; 0 unread in all; 0 read");
    }
}
