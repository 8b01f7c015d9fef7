//! Formats events as a table.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use tidings_event::{EventPage, EventRef, OwnerKind, Status};

use crate::output::escaped;

/// The longest description in a table, in characters. `get` and `--json` print the whole description.
const DESCRIPTION_CHARS: usize = 120;

/// The minimum width even on a narrow terminal, so that a description stays readable.
const DESCRIPTION_MIN_WIDTH: u16 = 24;

/// Formats one event per row. With a width, long descriptions wrap to fit it.
pub(super) fn of(page: &EventPage, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "CREATED",
        "",
        "SEVERITY",
        "WHAT",
        "DESCRIPTION",
        "ID",
    ]);
    for event in &page.events {
        let unread = match event.status {
            Status::Unread => "*",
            Status::Read => "",
        };
        table.add_row([
            format!("{event:.0}", event = event.created_at),
            unread.to_owned(),
            event.severity.to_string(),
            format!("{}/{}", event.category, event.action),
            description(&event.description),
            match page.owner_kind(event) {
                OwnerKind::User => event.id.to_string(),
                // An id alone means the user's own event before the system's.
                kind @ OwnerKind::System => EventRef::of(kind, event.id).to_string(),
            },
        ]);
    }
    table.set_constraints([
        ColumnConstraint::ContentWidth,
        ColumnConstraint::ContentWidth,
        ColumnConstraint::ContentWidth,
        ColumnConstraint::ContentWidth,
        ColumnConstraint::LowerBoundary(Width::Fixed(DESCRIPTION_MIN_WIDTH)),
        // Unwrapped, so that the id can be copied.
        ColumnConstraint::ContentWidth,
    ]);
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table.trim_fmt()
}

fn description(text: &str) -> String {
    let mut start: String = text.chars().take(DESCRIPTION_CHARS).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    escaped(&start).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidings_event::{Event, SystemId};

    use super::*;
    use crate::sample;

    fn page(events: Vec<Event>, system_id: SystemId) -> EventPage {
        let mut page = EventPage::new("2-1-00000000".parse().unwrap(), system_id);
        page.events = events;
        page
    }

    #[test]
    fn prints_a_row_per_event_and_escapes_control_characters() {
        let mut read = sample::event(&json!(null));
        read.status = Status::Read;
        read.description = "x".repeat(500);
        let mut of_system = sample::event(&json!(null));
        let system = SystemId::mint();
        of_system.owner = Some(system.into());
        let events = vec![sample::event(&json!(null)), read, of_system];
        let table = of(&page(events, system), None);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 4, "{table}");
        let words: Vec<_> = lines[1].split_whitespace().collect();
        assert_eq!(
            words,
            [
                "2026-08-01T10:00:00Z",
                "*",
                "error",
                "connection/ping",
                "no\\n\\u{1b}[2Janswer",
                "0c0ffee0-0000-4000-8000-000000000001",
            ]
        );
        assert!(!lines[2].contains('*'));
        assert!(lines[3].ends_with(" system:0c0ffee0-0000-4000-8000-000000000001"));
        assert!(lines[2].contains(&format!(" {}… ", "x".repeat(DESCRIPTION_CHARS))));
    }

    #[test]
    fn narrow_table_wraps_only_the_description() {
        let mut event = sample::event(&json!(null));
        event.description = "a description of several words that does not fit".into();
        let table = of(&page(vec![event], SystemId::mint()), Some(100));
        assert!(
            table.contains("0c0ffee0-0000-4000-8000-000000000001"),
            "{table}"
        );
        assert!(table.contains("connection/ping"), "{table}");
        assert!(table.lines().count() > 2, "{table}");
    }
}
