use axum::body::Body;
use axum::http::header::HOST;

use super::*;

#[test]
fn parses_a_public_url_of_an_origin_and_a_plain_path() {
    for (good, written) in [
        ("https://events.example.org", "https://events.example.org"),
        ("https://events.example.org/", "https://events.example.org"),
        (
            "https://EXAMPLE.org:443/a/b-1/",
            "https://example.org/a/b-1",
        ),
        (
            "http://localhost:8443/tidings",
            "http://localhost:8443/tidings",
        ),
        ("http://[::1]:80", "http://[::1]"),
    ] {
        assert_eq!(good.parse::<PublicUrl>().unwrap().to_string(), written);
    }
    for bad in [
        "",
        "events.example.org",
        "/tidings",
        "ftp://example.org",
        "https://",
        "https://example.org?a=b",
        "https://example.org/#a",
        "https://user@example.org",
        "https://example.org/a//b",
        "https://example.org/a b",
        "https://example.org/a%20b",
        "https://example.org/a:b",
    ] {
        assert_eq!(bad.parse::<PublicUrl>(), Err(PublicUrlError), "{bad}");
    }
}

fn pages(urls: &[&str]) -> Pages {
    Pages {
        public: urls.iter().map(|url| url.parse().unwrap()).collect(),
        allowed: Vec::new(),
    }
}

#[test]
fn accepts_a_host_with_or_without_the_default_port() {
    let pages = pages(&["https://events.example.org", "http://[::1]:8080/x"]);
    for (host, named) in [
        ("events.example.org", true),
        ("EVENTS.example.org:443", true),
        ("[::1]:8080", true),
        ("events.example.org:80", false),
        ("events.example.org.evil", false),
        ("[::1]", false),
        ("", false),
    ] {
        let request = Request::get("/").header(HOST, host);
        let request = request.body(Body::empty()).unwrap();
        assert_eq!(pages.names(Head::from(&request)), named, "{host}");
    }
}

#[test]
fn strips_only_the_public_path() {
    let pages = pages(&["https://a.example", "https://b.example/x/tidings"]);
    for (path, expected) in [
        ("/x/tidings/", "/"),
        ("/x/tidings/api/events?a=b", "/api/events?a=b"),
        ("/x/tidings//api", "//api"),
        ("/x/tidings/x/tidings/", "/x/tidings/"),
        ("/x/tidingsapi", "/x/tidingsapi"),
        ("/X/tidings/", "/X/tidings/"),
        ("/api/events", "/api/events"),
        ("http://b.example/x/tidings/a?b", "http://b.example/a?b"),
        ("*", "*"),
    ] {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(pages.enter(&mut request), PathTarget::Here, "{path}");
        assert_eq!(request.uri().to_string(), expected, "{path}");
    }
    for (path, expected) in [("/x/tidings", "tidings/"), ("/x/tidings?a", "tidings/?a")] {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(
            pages.enter(&mut request),
            PathTarget::Slash(expected.to_owned())
        );
    }
}
