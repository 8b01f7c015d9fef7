//! An event as a line of `tail`.

use tidings_event::Event;

use crate::cause::CauseView;
use crate::color::{self, Painter};
use crate::output::escaped;

/// An event for people: one line, and one for each thing the user can do.
pub(crate) fn event_lines(event: &Event, painter: Painter) -> String {
    let time = painter.paint(color::FAINT, format_args!("{:.3}", event.created_at));
    let severity = painter.paint(
        color::of_severity(event.severity),
        format_args!("{:<13}", event.severity.as_str()),
    );
    let mut lines = format!(
        "{time}  {severity}  {}/{}  {}",
        event.category,
        event.action,
        escaped(&event.description)
    );
    for remedy in CauseView::of(event)
        .into_iter()
        .flat_map(CauseView::remedies)
    {
        lines += "\n    try: ";
        lines += &escaped(remedy);
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample;

    #[test]
    fn an_event_is_one_line_with_its_remedies_beneath() {
        let event = sample::event(
            &json!({"error": {"SuggestedRemediation": ["start it", "ping\u{9b} again"]}}),
        );
        let plain = "2026-08-01T10:00:00.123Z  error          connection/ping  \
                     no\\n\\u{1b}[2Janswer\n    try: start it\n    try: ping\\u{9b} again";
        assert_eq!(event_lines(&event, Painter::with_color(false)), plain);
        let colored = event_lines(&event, Painter::with_color(true));
        assert!(
            colored.contains("\u{1b}[31merror        \u{1b}[0m  connection/ping"),
            "{colored:?}"
        );
    }
}
