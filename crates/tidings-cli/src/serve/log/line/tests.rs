use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

use super::super::layer::LineLayer;
use super::fields::MAX_VALUE_BYTES;
use super::*;

const HOSTILE: &str = "a\n2026 forged\r\u{1b}[2J\u{9b}\u{7f}\u{202e}\u{2066}\u{2028}\"\\ é😀";

/// Returns the lines that `work` logs.
fn logged(format: LogFormat, work: impl FnOnce()) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let layer = LineLayer::new(Style::plain(format), {
        let lines = Arc::clone(&lines);
        move |line: String| lines.lock().unwrap().push(line)
    });
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, work);
    let lines = lines.lock().unwrap();
    lines.clone()
}

fn log_all() {
    let span = tracing::info_span!(
        "request",
        id = HOSTILE,
        name = "n",
        late = tracing::field::Empty
    );
    let _entered = span.enter();
    span.record("late", 7);
    let inner = tracing::info_span!("step");
    let _inner = inner.enter();
    tracing::info!(
        latency_us = 12_u64,
        wide = u128::MAX,
        signed = -3,
        share = 0.5,
        none = f64::NAN,
        done = true,
        text = HOSTILE,
        shown = %HOSTILE,
        debugged = ?HOSTILE,
        level = "mine",
        "said {HOSTILE}"
    );
    tracing::warn!(target: "else\u{1b}where", message = %HOSTILE);
}

#[test]
fn json_line_has_unique_keys_and_numeric_values() {
    let lines = logged(LogFormat::Json, log_all);
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(escaped(line.trim_end()), line.trim_end());
        // Parsing drops repeated keys, so equal counts show that the line has none.
        assert_eq!(
            value.as_object().unwrap().len(),
            top_level_keys(line),
            "{line}"
        );
    }
    let value: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(value["latency_us"], json!(12));
    assert_eq!(value["signed"], json!(-3));
    assert_eq!(
        (&value["share"], &value["done"]),
        (&json!(0.5), &json!(true))
    );
    assert_eq!(value["none"], json!("NaN"));
    assert!(lines[0].contains(&format!("\"wide\":{}", u128::MAX)));
    assert_eq!(
        (&value["text"], &value["shown"]),
        (&json!(HOSTILE), &json!(HOSTILE))
    );
    assert_eq!(value["level"], "INFO");
    assert_eq!(value["field.level"], "mine");
    assert_eq!(value["message"], format!("said {HOSTILE}"));
    assert!(value["timestamp"].as_str().unwrap().ends_with('Z'));
    let spans = json!([
        {"name": "request", "id": HOSTILE, "field.name": "n", "late": 7},
        {"name": "step"}
    ]);
    assert_eq!(value["spans"], spans);
    assert_eq!(lines[0].matches("\"id\"").count(), 1, "a span stands once");
    let value: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(value["target"], "else\u{1b}where");
}

/// Counts the keys of the outermost object, including repeated keys.
fn top_level_keys(line: &str) -> usize {
    use serde::de::{IgnoredAny, MapAccess, Visitor};
    struct Count;
    impl<'de> Visitor<'de> for Count {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<usize, M::Error> {
            let mut keys = 0;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                keys += 1;
            }
            Ok(keys)
        }
    }
    let mut json = serde_json::Deserializer::from_str(line);
    serde::de::Deserializer::deserialize_map(&mut json, Count).unwrap()
}

#[test]
fn text_line_escapes_line_feeds_and_control_characters() {
    let lines = logged(LogFormat::Text, log_all);
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert!(line.ends_with('\n'));
        let line = line.trim_end();
        assert_eq!(escaped(line), line);
    }
    assert!(lines[0].contains("  INFO request{id="), "{}", lines[0]);
    assert!(
        lines[0].contains("late=7}: step: tidings::"),
        "{}",
        lines[0]
    );
    assert!(lines[0].contains(" latency_us=12 "), "{}", lines[0]);
}

#[test]
fn cuts_a_value_beyond_the_limit() {
    let long = "é".repeat(MAX_VALUE_BYTES);
    let lines = logged(LogFormat::Json, || tracing::info!(long, "cut"));
    let value: Value = serde_json::from_str(&lines[0]).unwrap();
    let rest = format!("… ({MAX_VALUE_BYTES} bytes more)");
    assert!(value["long"].as_str().unwrap().ends_with(&rest));
    assert!(lines[0].len() < 2 * MAX_VALUE_BYTES);
}

#[test]
fn reports_lost_lines_in_the_configured_format() {
    let line = Style::plain(LogFormat::Json).dropped_lines(3);
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&value["level"], &value["lines"]),
        (&json!("WARN"), &json!(3))
    );
    let message = value["message"].as_str().unwrap();
    assert!(message.starts_with("3 log lines were dropped"), "{message}");
}

#[test]
fn an_error_is_logged_with_its_sources() {
    let rejected = std::io::Error::other(HOSTILE);
    let error = tidings::StoreError::Unavailable(rejected.into());
    let text = format!("{error}: {HOSTILE}");
    let log = || tracing::warn!(error = &error as &dyn std::error::Error, "it failed");
    let lines = logged(LogFormat::Json, log);
    let value: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(value["error"], json!(text));
    let lines = logged(LogFormat::Text, log);
    assert!(lines[0].contains(&*escaped(&text)), "{}", lines[0]);
}
