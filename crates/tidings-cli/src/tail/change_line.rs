//! Formats a change as a line of `tail`.

use tidings_event::{Event, EventRef, OwnerKind, StreamItem};

use crate::color::{self, Painter};
use crate::output::escaped;

/// The most ids in a line. A change can have hundreds of events; `--json` prints all ids.
const MAX_IDS: usize = 3;

/// The action and the events of a change. `None` for any other item.
pub(super) fn change_line(item: &StreamItem, painter: Painter) -> Option<String> {
    let (time, word, events): (_, _, Vec<_>) = match item {
        StreamItem::Status { change, .. } => {
            let time = format!("{:.3}", change.updated_at);
            (time, change.status.as_str(), change.events().collect())
        }
        StreamItem::Deleted { deletion, .. } => {
            (String::new(), "deleted", deletion.events().collect())
        }
        StreamItem::Updated { change, .. } => {
            return Some(update_line(&change.event, painter));
        }
        _ => return None,
    };
    let time = painter.paint(color::FAINT, format_args!("{time:24}"));
    Some(format!("{time}  {word:13}  {}", named(&events)))
}

/// The event with its new content.
fn update_line(event: &Event, painter: Painter) -> String {
    let time = painter.paint(color::FAINT, format_args!("{:.3}", event.updated_at));
    let severity = painter.paint(
        color::of_severity(event.severity),
        format_args!("{}", event.severity.as_str()),
    );
    let description = escaped(&event.description);
    format!(
        "{time}  {:13}  {}  {severity}  {description}",
        "updated", event.id
    )
}

fn named(events: &[EventRef]) -> String {
    let shown: Vec<_> = events.iter().take(MAX_IDS).map(as_argument).collect();
    let shown = shown.join(" ");
    match events.len().saturating_sub(MAX_IDS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The event as the other commands take it. An id alone means the user's own event.
fn as_argument(event: &EventRef) -> String {
    match event.owner_kind {
        Some(OwnerKind::System) => event.to_string(),
        Some(OwnerKind::User) | None => event.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tidings_event::{Deletion, EventId, ResetReason, Status, StatusChange};

    use super::*;

    #[test]
    fn prints_a_change_of_many_events_as_one_line() {
        let id: EventId = "0c0ffee0-0000-4000-8000-000000000001".parse().unwrap();
        let cursor = "2-1-00000000".parse().unwrap();
        let status = StreamItem::Status {
            cursor,
            change: StatusChange::new(
                vec![id],
                Status::Read,
                "2026-08-01T10:00:00.123456Z".parse().unwrap(),
            ),
        };
        let deleted = StreamItem::Deleted {
            cursor,
            deletion: Deletion::new(vec![id; 12]),
        };
        let painter = Painter::with_color(false);
        assert_eq!(
            change_line(&status, painter).unwrap(),
            format!("2026-08-01T10:00:00.123Z  read           {id}")
        );
        assert_eq!(
            change_line(&deleted, painter).unwrap(),
            format!("{:24}  deleted        {id} {id} {id} and 9 more", "")
        );
        let of_both = Deletion::new(vec![id; 2]).with_system_ids(Some(vec![id]));
        let of_both = StreamItem::Deleted {
            cursor,
            deletion: of_both,
        };
        assert_eq!(
            change_line(&of_both, painter).unwrap(),
            format!("{:24}  deleted        system:{id} {id}", "")
        );
        let reason = ResetReason::TooOld;
        assert_eq!(
            change_line(&StreamItem::Reset { cursor, reason }, painter),
            None
        );
    }
}
