//! Accepts bodies that are JSON in UTF-8 and declared as JSON.
//!
//! A web page can send `text/plain`, forms and a body without a type to any server without a preflight
//! request. None of these is accepted, so that a page of another origin cannot reach this server (see
//! also `Sec-Fetch-Site` and `Origin`). For every other type the browser asks first, and is refused.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The `Accept` of a refusal.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The `Accept-Encoding` of a refusal.
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
            _ => (ACCEPT, JSON),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check_all(given: &[(&'static str, &str)]) -> Result<(), UnsupportedMedia> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        }
        check(&headers)
    }

    #[test]
    fn accepts_every_declaration_of_json_in_utf8() {
        for good in [
            "application/json",
            "Application/JSON",
            " application/json ",
            "application/json;charset=utf-8",
            "application/json ; charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "application/json; Charset=utf8",
            "application/json;charset = UTF8",
            "application/json; charset='utf-8'",
            "application/json; charset=",
            "application/json; charset=us-ascii",
            "application/json; profile=x",
            "application/json;",
            "application/json; odata.metadata=minimal; charset=utf-8",
            "text/json",
            "application/problem+json",
            "application/vnd.meshery.event+json; charset=utf-8",
        ] {
            assert_eq!(check_all(&[("content-type", good)]), Ok(()), "{good}");
        }
        let twice = [
            ("content-type", "application/json"),
            ("content-type", "text/json"),
        ];
        assert_eq!(check_all(&twice), Ok(()));
    }

    #[test]
    fn rejects_other_types_and_those_of_simple_requests() {
        for bad in [
            "",
            ";",
            "json",
            "text/plain",
            "application/jsonp",
            "application/x-ndjson",
            "application/+json",
            "application/json, text/plain",
            "text/plain; application/json",
            "text/plain, application/x+json",
            "text/plain;x=/a+json",
            "application/x,text/plain+json",
            "text/x+json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
            let given = Some(bad.to_owned());
            let refused = Err(UnsupportedMedia::NotJson { given });
            assert_eq!(check_all(&[("content-type", bad)]), refused, "{bad}");
        }
        for mixed in ["text/plain", "multipart/form-data"] {
            let both = [
                ("content-type", "application/json"),
                ("content-type", mixed),
            ];
            assert!(check_all(&both).is_err());
            assert!(check_all(&[both[1], both[0]]).is_err());
        }
        assert_eq!(
            check_all(&[]),
            Err(UnsupportedMedia::NotJson { given: None })
        );
    }

    #[test]
    fn names_another_character_set_or_compression() {
        for charset in ["latin1", "utf-16", "iso-8859-1", "\"utf-16le\""] {
            let given = format!("application/json; charset={charset}");
            let refused = UnsupportedMedia::Charset {
                given: charset.trim_matches('"').to_owned(),
            };
            assert_eq!(check_all(&[("content-type", &given)]), Err(refused));
        }
        let json = ("content-type", "application/json");
        for encoding in ["gzip", "deflate", "br", "GZIP", "identity, gzip", "x"] {
            let refused = check_all(&[json, ("content-encoding", encoding)]).unwrap_err();
            let given = encoding.to_owned();
            assert_eq!(refused, UnsupportedMedia::Compressed { given });
            assert_eq!(refused.hint().0, ACCEPT_ENCODING);
        }
        for none in ["", "identity", " Identity ,"] {
            assert_eq!(check_all(&[json, ("content-encoding", none)]), Ok(()));
        }
    }

    #[test]
    fn distinguishes_cloud_events_from_other_json() {
        let json = ("content-type", "application/json");
        for event in [
            &[json, ("CE-SpecVersion", "1.0")][..],
            &[json, ("ce-id", "1"), ("Ce-Type", "x")],
            &[json, ("ce-source", "x"), ("ce-type", "x")],
            &[json, ("CE-CloudEventsVersion", "0.1")],
            &[("content-type", "application/cloudevents+json")],
            &[(
                "content-type",
                "application/CloudEvents-Batch+json; charset=utf-8",
            )],
        ] {
            let refused = check_all(event).unwrap_err();
            assert!(
                matches!(refused, UnsupportedMedia::CloudEvent { .. }),
                "{event:?}"
            );
        }
        for other in [
            &[json, ("ce-id", "1")][..],
            &[
                json,
                ("ce-trace", "1"),
                ("ce", "1"),
                ("x-ce-specversion", "1"),
            ],
            &[json, ("cf-ray", "1"), ("certificate", "1")],
        ] {
            assert_eq!(check_all(other), Ok(()), "{other:?}");
        }
    }

    #[test]
    fn detects_wide_and_compressed_bodies_by_their_first_bytes() {
        let check = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            check_text(&mut bytes).map(|()| bytes)
        };
        assert_eq!(check(b"\xef\xbb\xbf{}"), Ok(b"{}".to_vec()));
        for text in [&b""[..], b"{", b"{}", b"\0", b"\xef\xbb", b"\xc3\xa9"] {
            assert_eq!(check(text), Ok(text.to_vec()));
        }
        for wide in [
            &b"\xff\xfe{\0"[..],
            b"\xfe\xff\0{",
            b"{\0}\0",
            b"\0{\0}",
            b"\0\0\0{",
            b"{\0\0\0",
        ] {
            assert_eq!(check(wide), Err(UnsupportedMedia::WideText), "{wide:?}");
        }
        for packed in [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd"] {
            assert!(matches!(
                check(packed),
                Err(UnsupportedMedia::Compressed { .. })
            ));
        }
    }
}
