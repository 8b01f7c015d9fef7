//! The headers of a request that decide about its caller; see [`crate::fuzzing`].

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use tidings_event::SystemId;
use url::{Host, Url};

use super::authority::{
    Origin, Proxy, Sender, authority, check_name as named, local_authority, only,
};
use super::pages::sender;
use super::{Head, Pages, Session, SessionCookies, credential};
use crate::problem::invariants::check;

/// How the page that sent the request is related to the server.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The only allowed origin besides the server's own.
const ALLOWED: &str = "https://app.example";

/// The public address of the server.
const PUBLIC: &str = "https://public.example";

/// Five lines with the headers `Host`, `Origin`, `Cookie`, `Authorization` and `Sec-Fetch-Site`. A local
/// host name can mean no other machine, a page is the server's own or of an allowed origin, and a cookie
/// authenticates changes only from the server's own pages.
pub fn caller(data: &[u8]) {
    let mut lines = data.splitn(5, |byte| *byte == b'\n');
    let mut request = Request::new(Body::empty());
    for name in [HOST, ORIGIN, COOKIE, AUTHORIZATION, SITE] {
        let line = lines.next().unwrap_or_default();
        match HeaderValue::from_bytes(line) {
            Ok(value) if !line.is_empty() => request.headers_mut().append(name, value),
            _ => false,
        };
    }
    let (mut parts, _) = request.into_parts();
    check_name(&parts);
    check_sender(&parts);
    check_shown(&mut parts);
    check_setting(&parts);
}

fn text<'a>(parts: &'a Parts, name: &HeaderName) -> Option<&'a str> {
    only(&parts.headers, name)?.to_str().ok()
}

/// Compares each host that is accepted as local with the result of another parser.
fn check_name(parts: &Parts) {
    match authority(Head::from(parts)) {
        Ok(name) => assert_eq!(Some(name), text(parts, &HOST)),
        Err(rejected) => {
            check(rejected.problem());
            let is_left_out = !parts.headers.contains_key(HOST);
            assert_eq!(named(Head::from(parts)).is_ok(), is_left_out);
        }
    }
    let Ok(name) = local_authority(Head::from(parts)) else {
        return;
    };
    let url = Url::parse(&format!("http://{name}/")).expect("it is a host");
    match url.host() {
        Some(Host::Domain(name)) => assert_eq!(name, "localhost"),
        Some(Host::Ipv4(address)) => assert!(address.is_loopback(), "{name}"),
        Some(Host::Ipv6(address)) => assert!(address.is_loopback(), "{name}"),
        None => panic!("{name} has no host"),
    }
}

fn pages() -> Pages {
    Pages {
        public: vec![PUBLIC.parse().expect("a public address")],
        allowed: vec![ALLOWED.parse().expect("an origin")],
    }
}

fn check_sender(parts: &Parts) {
    let head = Head::from(parts);
    let surely = sender(head, Proxy::Surely, &pages());
    let judged = sender(head, Proxy::Perhaps, &pages());
    if let Ok(surely) = &surely {
        assert_eq!(judged.as_ref().ok(), Some(surely), "less is required");
    }
    let origin = text(parts, &ORIGIN);
    match judged {
        Ok(Sender::Unnamed) => assert!(!parts.headers.contains_key(ORIGIN)),
        Ok(Sender::AllowedPage) => assert_eq!(origin, Some(ALLOWED)),
        Ok(Sender::SamePage)
            if says_own_page(parts)
                || origin.is_some_and(|text| text.eq_ignore_ascii_case(PUBLIC)) => {}
        Ok(Sender::SamePage) => {
            let host = text(parts, &HOST).expect("the host equals the origin's");
            let (scheme, named) = origin
                .and_then(|text| text.split_once("://"))
                .expect("both");
            assert!(scheme == "https" || scheme == "http");
            assert!(named.eq_ignore_ascii_case(host));
        }
        Err(rejected) => check(rejected.problem()),
    }
}

/// The cookie names of the installation with the nil id. The corpus uses them.
fn cookies() -> SessionCookies {
    SessionCookies::of(SystemId::NIL)
}

fn check_shown(parts: &mut Parts) {
    parts.method = Method::GET;
    let shown = |parts: &Parts| {
        let shown = credential::shown(parts, &cookies(), &pages());
        shown.map(Cow::into_owned)
    };
    let read = shown(parts);
    parts.method = Method::POST;
    let changed = shown(parts);
    let token = match read {
        Ok(token) => token,
        Err(rejected) => {
            check(rejected.problem());
            assert!(changed.is_err(), "a change requires more");
            return;
        }
    };
    if let Ok(again) = &changed {
        assert_eq!(*again, token);
    }
    if let Some(header) = text(parts, &AUTHORIZATION) {
        assert!(changed.is_ok() && !token.is_empty());
        assert_eq!(
            header.trim_matches(' ').strip_suffix(&token).map(str::len),
            {
                let start = header.len() - header.trim_start_matches(' ').len();
                let end = header.trim_end_matches(' ').len();
                Some(end - start - token.len())
            }
        );
        return;
    }
    let site = text(parts, &SITE);
    assert!(matches!(site, None | Some("same-origin" | "none")));
    assert_eq!(
        changed.is_ok(),
        is_own_page(parts),
        "a cookie comes with any page"
    );
    check_cookie(parts, &token);
}

/// Whether the browser reports that page and request have the same origin.
fn says_own_page(parts: &Parts) -> bool {
    text(parts, &SITE) == Some("same-origin")
}

/// Whether the page is the server's own. It must use TLS, unless the host is this machine.
fn is_own_page(parts: &Parts) -> bool {
    if !parts.headers.contains_key(ORIGIN) {
        return false;
    }
    let Some(origin) = text(parts, &ORIGIN) else {
        return says_own_page(parts);
    };
    if origin.eq_ignore_ascii_case(PUBLIC) {
        return true;
    }
    if origin == ALLOWED {
        return false;
    }
    let head = Head::from(parts);
    // A public address has one scheme.
    if pages().names(head) {
        return says_own_page(parts);
    }
    let Some((scheme, page)) = origin.split_once("://") else {
        return says_own_page(parts);
    };
    let fits = scheme == "https" || scheme == "http" && local_authority(head).is_ok();
    let is_named = authority(head).is_ok_and(|host| page.eq_ignore_ascii_case(host));
    fits && is_named || says_own_page(parts)
}

/// A session cookie contains the token that started the session.
fn check_cookie(parts: &mut Parts, token: &str) {
    let cookies = cookies();
    let session = Session::of(Head::from(&*parts));
    let set = session.begin(&cookies, token, Timestamp::MAX);
    let set = set.to_str().expect("a cookie is ASCII");
    assert!(set.contains("; HttpOnly; SameSite=Strict"));
    let pair = set.split(';').next().expect("it begins with the pair");
    let cookie = HeaderValue::from_str(pair).expect("part of a header is a valid header");
    parts.headers.insert(COOKIE, cookie);
    parts.method = Method::GET;
    let shown = credential::shown(parts, &cookies, &Pages::default());
    assert_eq!(shown.expect("there is a session"), token);
}

/// An allowed origin has only one spelling.
fn check_setting(parts: &Parts) {
    let Some(text) = text(parts, &ORIGIN) else {
        return;
    };
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.to_string().parse(), Ok(origin.clone()));
        assert_eq!(text.trim_end_matches('/'), origin.to_string());
        assert_eq!(origin.to_header(), *origin.to_string());
    }
}
