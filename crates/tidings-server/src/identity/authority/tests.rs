use axum::body::Body;
use axum::http::header::ORIGIN;

use super::super::pages::{Pages, sender};
use super::*;

#[test]
fn parses_origins_only_in_the_form_that_browsers_send() {
    for good in [
        "https://app.example.org",
        "http://localhost:8080",
        "https://[::1]:9081",
    ] {
        assert_eq!(good.parse::<Origin>().unwrap().to_string(), good);
    }
    let slash: Origin = "https://app.example.org/".parse().unwrap();
    assert_eq!(slash.to_string(), "https://app.example.org");
    for bad in [
        "",
        "*",
        "null",
        "app.example.org",
        "https://app.example.org/path",
        "https://app.example.org:443",
        "https://APP.example.org",
        "https://user@app.example.org",
        "ftp://app.example.org",
        "file:///tmp",
    ] {
        assert_eq!(bad.parse::<Origin>(), Err(OriginError), "{bad}");
    }
}

fn from(origin: &str, over_tls: bool) -> Result<Sender, ForeignRequest> {
    from_site(origin, over_tls, None)
}

fn from_site(origin: &str, over_tls: bool, site: Option<&str>) -> Result<Sender, ForeignRequest> {
    let mut request = Request::get("/")
        .header(HOST, "events.example:8443")
        .header(ORIGIN, origin);
    if let Some(site) = site {
        request = request.header(SEC_FETCH_SITE, site);
    }
    let mut request = request.body(Body::empty()).unwrap();
    if over_tls {
        request.extensions_mut().insert(OverTls);
    }
    sender(
        Head::from(&request),
        Proxy::Perhaps,
        &Pages {
            public: vec!["https://public.example/tidings".parse().unwrap()],
            allowed: vec!["https://app.example".parse().unwrap()],
        },
    )
}

#[test]
fn trusts_the_browser_about_the_servers_own_pages() {
    for (origin, site, expected) in [
        (
            "https://proxy.example",
            "same-origin",
            Some(Sender::SamePage),
        ),
        (
            "https://app.example",
            "same-origin",
            Some(Sender::AllowedPage),
        ),
        ("https://proxy.example", "same-site", None),
        ("https://proxy.example", "cross-site", None),
        ("https://proxy.example", "none", None),
        ("https://proxy.example", "same-origin, same-origin", None),
        ("https://proxy.example", "", None),
    ] {
        let sender = from_site(origin, false, Some(site)).ok();
        assert_eq!(sender, expected, "{origin}, {site}");
    }
}

#[test]
fn rejects_pages_of_other_origins_unless_allowed() {
    for (origin, over_tls, expected) in [
        ("https://events.example:8443", true, Some(Sender::SamePage)),
        ("https://EVENTS.example:8443", true, Some(Sender::SamePage)),
        ("http://events.example:8443", true, None),
        ("http://events.example:8443", false, Some(Sender::SamePage)),
        ("https://events.example:8443", false, Some(Sender::SamePage)),
        ("https://public.example", false, Some(Sender::SamePage)),
        ("http://public.example", false, None),
        ("https://public.example:8443", false, None),
        ("https://app.example", true, Some(Sender::AllowedPage)),
        ("http://app.example", true, None),
        ("https://app.example.evil", true, None),
        ("https://events.example", true, None),
        ("ws://events.example:8443", true, None),
        ("null", true, None),
        ("", true, None),
    ] {
        let sender = from(origin, over_tls).ok();
        assert_eq!(sender, expected, "{origin}, over TLS: {over_tls}");
    }
}

#[test]
fn rejects_an_http_page_at_a_host_that_is_declared_https() {
    let pages = Pages {
        public: vec!["https://public.example".parse().unwrap()],
        allowed: Vec::new(),
    };
    for (host, origin, is_own) in [
        ("public.example", "https://public.example", true),
        ("PUBLIC.example:443", "https://public.example", true),
        ("public.example", "http://public.example", false),
        ("public.example:443", "http://public.example:443", false),
        // The host can be that of a proxy, and only the proxy knows the scheme.
        ("other.example", "http://other.example", true),
    ] {
        let request = Request::get("/").header(HOST, host).header(ORIGIN, origin);
        let request = request.body(Body::empty()).unwrap();
        let sender = sender(Head::from(&request), Proxy::Perhaps, &pages);
        assert_eq!(sender.is_ok(), is_own, "{origin} at {host}");
    }
}
