//! Compares the output shown in a document with the real one.
//!
//! Ids, times, tags of cursors, page tokens, ports and numbers of `retry:` are equal to any other of
//! their kind. `…` stands for any text, as a line of its own for any lines, and as the
//! key of a JSON object for any further keys.

use anyhow::{Context as _, anyhow, bail, ensure};
use serde_json::Value;
use tidings_event::{Cursor, PageToken, Timestamp};
use uuid::Uuid;

const ANY: &str = "…";

/// Compares JSON. The error names the path of the first difference.
pub(crate) fn check_json(shown: &str, printed: &str) -> anyhow::Result<()> {
    let shown = serde_json::from_str(shown).context("the document does not show JSON")?;
    let printed: Value = serde_json::from_str(printed)
        .with_context(|| format!("the output is not JSON: {printed}"))?;
    compare(&shown, &printed, "$")
        .map_err(|difference| anyhow!("{difference}; it is:\n{printed:#}"))
}

fn compare(shown: &Value, printed: &Value, path: &str) -> anyhow::Result<()> {
    match (shown, printed) {
        (Value::Object(shown), Value::Object(printed)) => {
            for (key, shown) in shown.iter().filter(|(key, _)| *key != ANY) {
                let printed = printed
                    .get(key)
                    .with_context(|| format!("no {path}.{key}"))?;
                compare(shown, printed, &format!("{path}.{key}"))?;
            }
            let unshown = printed.keys().find(|key| !shown.contains_key(*key));
            match unshown {
                Some(key) if !shown.contains_key(ANY) => bail!("{path}.{key} is not shown"),
                _ => Ok(()),
            }
        }
        (Value::Array(shown), Value::Array(printed)) => {
            ensure!(
                shown.len() == printed.len(),
                "{path} has {} items",
                printed.len()
            );
            let mut pairs = shown.iter().zip(printed).enumerate();
            pairs.try_for_each(|(index, (shown, printed))| {
                compare(shown, printed, &format!("{path}[{index}]"))
            })
        }
        (Value::String(shown), Value::String(printed)) if matches(shown, printed) => Ok(()),
        (shown, printed) if shown == printed => Ok(()),
        (shown, printed) => bail!("{path} is shown as {shown} but is {printed}"),
    }
}

/// Compares text, line by line.
pub(crate) fn check_text(shown: &str, printed: &str) -> anyhow::Result<()> {
    let shown: Vec<&str> = shown.lines().collect();
    let printed: Vec<&str> = printed.lines().collect();
    ensure!(
        lines_match(&shown, &printed),
        "printed is:\n{}",
        printed.join("\n")
    );
    Ok(())
}

fn lines_match(shown: &[&str], printed: &[&str]) -> bool {
    match (shown, printed) {
        ([], []) => true,
        ([], _) => false,
        ([any, rest @ ..], _) if any.trim() == ANY => {
            (0..=printed.len()).any(|skipped| lines_match(rest, &printed[skipped..]))
        }
        ([line, rest @ ..], [first, others @ ..]) => {
            matches(line, first) && lines_match(rest, others)
        }
        (_, []) => false,
    }
}

/// Whether the shown lines were printed in this order, with any lines between them.
pub(crate) fn has_lines(shown: &str, printed: &[String]) -> bool {
    let mut printed = printed.iter();
    shown
        .lines()
        .all(|line| printed.any(|printed| matches(line, printed)))
}

/// Whether a printed line or string matches the shown one.
fn matches(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (steady(shown.trim_end()), steady(printed.trim_end()));
    let mut parts = shown.split(ANY);
    let Some(mut rest) = printed.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts = parts.peekable();
    let mut open = false;
    while let Some(part) = parts.next() {
        open = parts.peek().is_none() && part.is_empty();
        let place = if parts.peek().is_none() {
            rest.rfind(part)
        } else {
            rest.find(part)
        };
        match place {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    open || rest.is_empty()
}

/// The text with placeholders for values that differ in each run.
fn steady(text: &str) -> String {
    if let Some(number) = text.strip_prefix("retry: ")
        && number.parse::<u32>().is_ok()
    {
        return "retry: <ms>".to_owned();
    }
    let in_word = |char: char| char.is_ascii_alphanumeric() || ":.-+".contains(char);
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if in_word(first) {
            rest.find(|char| !in_word(char)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, others) = rest.split_at(end);
        steady += &placeholder(word).unwrap_or_else(|| word.to_owned());
        rest = others;
    }
    steady
}

fn placeholder(word: &str) -> Option<String> {
    let bare = word.trim_end_matches([':', '.']);
    let known = if bare.parse::<Uuid>().is_ok() && bare.contains('-') {
        "<id>".to_owned()
    } else if let Ok(cursor) = bare.parse::<Cursor>() {
        format!("{}-{}-<tag>", cursor.own, cursor.system)
    } else if bare.parse::<PageToken>().is_ok() {
        "<next>".to_owned()
    } else if bare.parse::<Timestamp>().is_ok() {
        "<time>".to_owned()
    } else if let Some(port) = bare.strip_prefix("127.0.0.1:")
        && port.parse::<u16>().is_ok()
    {
        "<address>".to_owned()
    } else {
        return None;
    };
    Some(known + &word[bare.len()..])
}

#[test]
fn values_that_differ_in_each_run_equal_their_kind_only() {
    for (shown, printed) in [
        (
            "a 7b1d2c3e-0000-4000-8000-000000000001.",
            "a 0c0ffee0-0000-4000-8000-000000000001.",
        ),
        ("2-1-00000000", "2-1-11111111"),
        (
            "at 2026-08-01T10:00:00Z  x",
            "at 2026-08-01T10:00:00.123Z  x",
        ),
        ("http://127.0.0.1:9081/x", "http://127.0.0.1:12345/x"),
        ("retry: 2731", "retry: 1000"),
        ("a … c …", "a b c d"),
        ("… c", "a b c"),
    ] {
        assert!(matches(shown, printed), "{shown} {printed}");
    }
    for (shown, printed) in [
        ("2-1-00000000", "3-1-00000000"),
        (
            "2026-08-01T10:00:00Z",
            "7b1d2c3e-0000-4000-8000-000000000001",
        ),
        ("retry: 2731", "retry: soon"),
        ("a … d", "a b c"),
        ("a", "a b"),
    ] {
        assert!(!matches(shown, printed), "{shown} {printed}");
    }
}

#[test]
fn json_can_be_left_out_only_at_an_ellipsis() {
    assert!(check_json(r#"{"a":[1],"…":"…"}"#, r#"{"b":2,"a":[1]}"#).is_ok());
    for (shown, printed) in [
        (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1}"#, r#"{"a":2}"#),
        (r#"{"a":1,"…":"…"}"#, r#"{"b":2}"#),
        ("[1]", "[1,2]"),
    ] {
        assert!(check_json(shown, printed).is_err(), "{shown} {printed}");
    }
}

#[test]
fn lines_can_be_left_out_only_at_an_ellipsis() {
    assert!(check_text("a\n…\nd\n", "a\nb\nc\nd\n").is_ok());
    assert!(check_text("a\nd\n", "a\nb\nd\n").is_err());
    assert!(check_text("a\n", "a\nb\n").is_err());
}
