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
        let rejected = Err(UnsupportedMedia::NotJson { given });
        assert_eq!(check_all(&[("content-type", bad)]), rejected, "{bad}");
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
        let rejected = UnsupportedMedia::Charset {
            given: charset.trim_matches('"').to_owned(),
        };
        assert_eq!(check_all(&[("content-type", &given)]), Err(rejected));
    }
    let json = ("content-type", "application/json");
    for encoding in ["gzip", "deflate", "br", "GZIP", "identity, gzip", "x"] {
        let rejected = check_all(&[json, ("content-encoding", encoding)]).unwrap_err();
        let given = encoding.to_owned();
        assert_eq!(rejected, UnsupportedMedia::Compressed { given });
        assert_eq!(rejected.hint().0, ACCEPT_ENCODING);
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
        let rejected = check_all(event).unwrap_err();
        assert!(
            matches!(rejected, UnsupportedMedia::CloudEvent { .. }),
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
