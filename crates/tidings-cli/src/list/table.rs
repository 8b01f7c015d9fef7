//! Formats events as a table.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use tidings_event::{Event, Status};

use crate::output::escaped;

/// The longest description in a table, in characters. `get` and `--json` print the whole description.
const DESCRIPTION_CHARS: usize = 120;

/// The minimum width even on a narrow terminal, so that a description stays readable.
const DESCRIPTION_MIN_WIDTH: u16 = 24;

/// Formats one event per row. With a width, long descriptions wrap to fit it.
pub(super) fn of(events: &[Event], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "CREATED",
        "",
        "SEVERITY",
        "WHAT",
        "DESCRIPTION",
        "ID",
    ]);
    for event in events {
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
            event.id.to_string(),
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

    use super::*;
    use crate::sample;

    #[test]
    fn prints_a_row_per_event_and_escapes_control_characters() {
        let mut read = sample::event(&json!(null));
        read.status = Status::Read;
        read.description = "x".repeat(500);
        let table = of(&[sample::event(&json!(null)), read], None);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 3, "{table}");
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
        assert!(lines[2].contains(&format!(" {}… ", "x".repeat(DESCRIPTION_CHARS))));
    }

    #[test]
    fn narrow_table_wraps_only_the_description() {
        let mut event = sample::event(&json!(null));
        event.description = "a description of several words that does not fit".into();
        let table = of(&[event], Some(100));
        assert!(
            table.contains("0c0ffee0-0000-4000-8000-000000000001"),
            "{table}"
        );
        assert!(table.contains("connection/ping"), "{table}");
        assert!(table.lines().count() > 2, "{table}");
    }
}
