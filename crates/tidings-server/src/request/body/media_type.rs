//! Accepts bodies that are JSON in UTF-8 and declared as JSON.
//!
//! A web page can send `text/plain`, forms and a body without a type to any server without a preflight
//! request. None of these is accepted, so that a page of another origin cannot reach this server (see
//! also `Sec-Fetch-Site` and `Origin`). For every other type the browser asks first, and is rejected.

#[cfg(test)]
mod tests;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The `Accept` of a rejection.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The `Accept-Encoding` of a rejection.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The byte order mark, which some systems write before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The headers that every event of `CloudEvents` in binary mode has, and the first of its oldest version.
const CLOUD_EVENT: [&str; 4] = ["ce-specversion", "ce-id", "ce-source", "ce-type"];
const OLD_CLOUD_EVENT: &str = "ce-cloudeventsversion";

/// Why a body is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnsupportedMedia {
    /// It is declared as another type, or without a type.
    NotJson { given: Option<String> },
    /// It is declared as JSON in another character set.
    Charset { given: String },
    /// It is compressed.
    Compressed { given: String },
    /// It is in UTF-16 or UTF-32, whatever it is declared as.
    WideText,
    /// It is a `CloudEvents` event.
    CloudEvent { shown_by: String },
}

impl UnsupportedMedia {
    /// The header that names the accepted formats.
    pub(crate) fn hint(&self) -> (HeaderName, HeaderValue) {
        match self {
            Self::Compressed { .. } => (ACCEPT_ENCODING, IDENTITY),
            Self::NotJson { .. }
            | Self::Charset { .. }
            | Self::WideText
            | Self::CloudEvent { .. } => (ACCEPT, JSON),
        }
    }
}

/// Checks a body by its headers.
pub(super) fn check(headers: &HeaderMap) -> Result<(), UnsupportedMedia> {
    check_encoding(headers)?;
    check_cloud_event(headers)?;
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let Some(given) = types.next() else {
        return Err(UnsupportedMedia::NotJson { given: None });
    };
    if given == JSON && types.next().is_none() {
        return Ok(());
    }
    // Every value must be acceptable, since a proxy can evaluate a different one than this server.
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    all.try_for_each(|given| check_type(&String::from_utf8_lossy(given.as_bytes())))
}

/// Checks a body by its first bytes, and removes a byte order mark.
pub(super) fn check_text(bytes: &mut Vec<u8>) -> Result<(), UnsupportedMedia> {
    let compressed = |given: &str| UnsupportedMedia::Compressed {
        given: given.to_owned(),
    };
    match bytes[..] {
        [0x1f, 0x8b, ..] => Err(compressed("gzip")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(compressed("zstd")),
        // JSON starts with an ASCII character: a zero byte beside it belongs to the same character.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => {
            Err(UnsupportedMedia::WideText)
        }
        _ => {
            if bytes.starts_with(BOM) {
                bytes.drain(..BOM.len());
            }
            Ok(())
        }
    }
}

fn check_encoding(headers: &HeaderMap) -> Result<(), UnsupportedMedia> {
    let given = headers.get_all(CONTENT_ENCODING).iter();
    for given in given.map(|given| String::from_utf8_lossy(given.as_bytes())) {
        let mut codings = given.split(',').map(str::trim);
        if codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
            let given = given.into_owned();
            return Err(UnsupportedMedia::Compressed { given });
        }
    }
    Ok(())
}

/// In binary mode the body is plain JSON, and the headers hold the id. As an event of this API it would
/// lose the id, and every redelivery would be stored again.
fn check_cloud_event(headers: &HeaderMap) -> Result<(), UnsupportedMedia> {
    let mut given = CLOUD_EVENT
        .iter()
        .filter(|name| headers.contains_key(**name));
    let shown_by = match (given.next(), given.next()) {
        (Some(name @ &"ce-specversion"), _) | (Some(name), Some(_)) => *name,
        _ if headers.contains_key(OLD_CLOUD_EVENT) => OLD_CLOUD_EVENT,
        _ => return Ok(()),
    };
    let shown_by = format!("the header {shown_by}");
    Err(UnsupportedMedia::CloudEvent { shown_by })
}

fn check_type(given: &str) -> Result<(), UnsupportedMedia> {
    let mut parts = given.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    if is_cloud_event(&essence) {
        let shown_by = format!("Content-Type {essence}");
        return Err(UnsupportedMedia::CloudEvent { shown_by });
    }
    if !is_json(&essence) {
        let given = Some(given.to_owned());
        return Err(UnsupportedMedia::NotJson { given });
    }
    let charset = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    match charset.map(|(_, charset)| charset.trim_matches([' ', '"', '\''])) {
        Some(charset) if !is_utf8(charset) => Err(UnsupportedMedia::Charset {
            given: charset.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// `application/json`, its old name, and types with the suffix `+json` (RFC 6839). Their content is
/// judged by its fields.
fn is_json(essence: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let written_in_json = |essence: &str| {
        let name = essence
            .strip_prefix("application/")?
            .strip_suffix("+json")?;
        is_token(name).then_some(())
    };
    matches!(essence, "application/json" | "text/json") || written_in_json(essence).is_some()
}

fn is_cloud_event(essence: &str) -> bool {
    let name = essence.strip_prefix("application/cloudevents");
    name.is_some_and(|rest| rest.starts_with(['+', '-']))
}

/// The names of UTF-8 and of its subset ASCII.
fn is_utf8(charset: &str) -> bool {
    ["", "utf-8", "utf8", "utf_8", "us-ascii", "ascii"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name))
}
