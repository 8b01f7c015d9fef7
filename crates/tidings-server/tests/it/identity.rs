use axum::body::Body;
use axum::http::{Method, Request};
use tidings_server::{BindError, Config, Server};

use crate::app::{EVENTS, TestApp, TestResponse, event, request};
use crate::wire;

/// A request with exactly these headers.
async fn send(app: &TestApp, headers: &[(&str, &str)]) -> TestResponse {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = EVENTS.parse().expect("a path");
    for (name, value) in headers {
        let name: axum::http::HeaderName = name.parse().expect("a name");
        request
            .headers_mut()
            .append(name, value.parse().expect("a value"));
    }
    app.send(request).await
}

#[tokio::test]
async fn serves_requests_of_this_machine() {
    let app = TestApp::start().await;
    for headers in [
        [("host", "localhost:7433")].as_slice(),
        &[("host", "127.0.0.1")],
        &[("host", "[::1]:7433")],
        &[
            ("host", "localhost:7433"),
            ("origin", "http://localhost:7433"),
        ],
        // A proxy on this machine that terminates TLS.
        &[
            ("host", "localhost:8443"),
            ("origin", "https://localhost:8443"),
        ],
        // The same proxy, with the server's own address as the host.
        &[
            ("host", "127.0.0.1:7433"),
            ("origin", "https://localhost:8443"),
            ("sec-fetch-site", "same-origin"),
        ],
    ] {
        assert_eq!(send(&app, headers).await.status, 200, "{headers:?}");
    }
}

/// Such a page cannot read the response, but it can measure the time of a search.
#[tokio::test]
async fn rejects_requests_of_other_sites_without_a_login() {
    let app = TestApp::start().await;
    let host = ("host", "localhost:7433");
    for (site, status) in [
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 200),
        ("none", 200),
    ] {
        for mode in ["no-cors", "navigate", "cors"] {
            let headers = [host, ("sec-fetch-site", site), ("sec-fetch-mode", mode)];
            let response = send(&app, &headers).await;
            assert_eq!(response.status, status, "{site} {mode}");
        }
    }
    let server = app.serve();
    let asked = async |path: &str| {
        let request = Request::get(path).header("sec-fetch-site", "cross-site");
        wire::read(wire::call(server.address, request).await).await
    };
    for path in [
        "/api/system/events?search=x&count=none",
        "/api/system/events/summary",
        "/api/system/events/subscribe",
        "/api/events/types",
        "/metrics",
    ] {
        asked(path).await.error(403, "foreign_origin");
    }
    // People follow links to the page, and the linking page gets no reference to it.
    let page = asked("/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
}

#[tokio::test]
async fn rejects_a_foreign_host() {
    let app = TestApp::start().await;
    for headers in [
        [].as_slice(),
        &[("host", "")],
        &[("host", "evil.example")],
        &[("host", "evil.example:7433")],
        &[("host", "localhost.evil.example")],
        &[("host", "127.0.0.1.evil.example")],
        &[("host", "192.168.0.1:7433")],
        &[("host", "localhost"), ("host", "evil.example")],
        &[("host", "evil.example"), ("host", "localhost")],
    ] {
        send(&app, headers).await.error(403, "foreign_host");
    }
}

#[tokio::test]
async fn checks_the_host_in_the_request_target() {
    let app = TestApp::start().await;
    let target = |uri: &str| {
        let mut request = request(Method::GET, EVENTS, Body::empty());
        *request.uri_mut() = uri.parse().unwrap();
        request
    };
    let own = app
        .send(target("http://localhost:7433/api/system/events"))
        .await;
    assert_eq!(own.status, 200);
    for uri in [
        "http://evil.example/api/system/events",
        "http://127.0.0.1:7433/api/system/events",
    ] {
        app.send(target(uri)).await.error(403, "foreign_host");
    }
}

#[tokio::test]
async fn rejects_a_foreign_origin() {
    let app = TestApp::start().await;
    let host = ("host", "localhost:7433");
    for origin in [
        "null",
        "",
        "http://evil.example",
        "http://localhost",
        "http://localhost:7434",
        "http://127.0.0.1:7433",
        "https://localhost",
        "https://localhost:7434",
        "http://localhost:7433.evil.example",
        "file://",
    ] {
        let response = send(&app, &[host, ("origin", origin)]).await;
        response.error(403, "foreign_origin");
    }
    let own = ("origin", "http://localhost:7433");
    let two = send(&app, &[host, own, ("origin", "http://evil.example")]).await;
    two.error(403, "foreign_origin");
    for site in ["same-site", "cross-site", "none", ""] {
        let other = ("origin", "http://localhost:7434");
        let response = send(&app, &[host, other, ("sec-fetch-site", site)]).await;
        response.error(403, "foreign_origin");
    }
}

#[tokio::test]
async fn treats_a_public_address_as_its_own() {
    let app = TestApp::with(|config| {
        config.public_urls = vec!["https://events.example/tidings".parse().unwrap()];
    })
    .await;
    let host = ("host", "events.example");
    let own = ("origin", "https://events.example");
    for headers in [
        [host].as_slice(),
        &[("host", "events.example:443")],
        &[host, own],
        &[("host", "127.0.0.1:7433"), own],
        &[
            ("host", "localhost:7433"),
            ("origin", "http://localhost:7433"),
        ],
    ] {
        assert_eq!(send(&app, headers).await.status, 200, "{headers:?}");
    }
    for (headers, code) in [
        ([("host", "events.example:80")].as_slice(), "foreign_host"),
        (&[("host", "evil.example")], "foreign_host"),
        (&[host, ("host", "localhost")], "foreign_host"),
        (
            &[host, ("origin", "https://events.example:444")],
            "foreign_origin",
        ),
        (
            &[host, ("origin", "https://evil.example")],
            "foreign_origin",
        ),
    ] {
        send(&app, headers).await.error(403, code);
    }
}

#[tokio::test]
async fn also_serves_everything_below_the_public_path() {
    let app = TestApp::with(|config| {
        config.public_urls = vec!["https://events.example/a/tidings/".parse().unwrap()];
    })
    .await;
    let server = app.serve();
    for path in ["/", "/healthz", "/tidings.js", EVENTS, "/metrics?x=1"] {
        for path in [path.to_owned(), format!("/a/tidings{path}")] {
            assert_eq!(wire::get(server.address, &path).await.status, 200, "{path}");
        }
    }
    let response = wire::get(server.address, "/a/tidings?status=unread").await;
    assert_eq!(response.status, 308);
    assert_eq!(response.header("location"), "tidings/?status=unread");
    for path in ["/tidings/", "/a/tidingsx/", "/a/tidings//healthz"] {
        let response = wire::get(server.address, path).await;
        response.error(404, "route_not_found");
    }
}

#[tokio::test]
async fn guards_every_route_with_user_data() {
    let app = TestApp::start().await;
    let server = app.serve();
    for path in [
        "/nothing",
        "/metrics",
        "/metrics/",
        EVENTS,
        "/api/system/events/",
        "/api/system/events/subscribe",
    ] {
        let foreign = hyper::Request::get(path).header("origin", "http://evil.example");
        let response = wire::read(wire::call(server.address, foreign).await).await;
        response.error(403, "foreign_origin");
    }
}

#[tokio::test]
async fn serves_open_resources_under_any_host_and_to_any_page() {
    let app = TestApp::start().await;
    let server = app.serve();
    let page = String::from_utf8(wire::get(server.address, "/").await.body).unwrap();
    let script = page
        .split("src=\".")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(script.starts_with("/assets/"), "{script}");
    for path in [
        "/",
        "/tidings.js",
        "/openapi.json",
        "/healthz",
        "/readyz",
        script,
    ] {
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("host", "events.example.org"),
            ("host", "10.0.0.5:9081"),
            ("host", ""),
        ] {
            let asked = hyper::Request::get(path).header(name, value);
            let response = wire::read(wire::call(server.address, asked).await).await;
            assert_eq!(response.status, 200, "{path} {name}: {value}");
            // Scripts of other pages still cannot read it.
            let policy = response.header("cross-origin-resource-policy");
            assert_eq!(policy, "same-origin", "{path}");
        }
    }
    let change = hyper::Request::post("/healthz").header("origin", "http://evil.example");
    let response = wire::read(wire::call(server.address, change).await).await;
    response.error(403, "foreign_origin");
}

#[tokio::test]
async fn a_rejected_publisher_stores_nothing() {
    let app = TestApp::start().await;
    let mut request = request(Method::POST, EVENTS, event("x").to_string().into());
    let headers = request.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("origin", "http://evil.example".parse().unwrap());
    app.send(request).await.error(403, "foreign_origin");
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn does_not_listen_for_other_machines_without_a_login() {
    let app = TestApp::start().await;
    for listen in ["0.0.0.0:7433", "[::]:7433", "192.168.0.1:7433"] {
        let mut config = Config::default();
        config.listen = listen.parse().unwrap();
        let error = Server::bind(app.engine.clone(), config).unwrap_err();
        assert!(matches!(error, BindError::NotLoopback(_)), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(listen) && text.contains("127.0.0.1:7433"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn names_an_address_in_use() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut config = Config::default();
    config.listen = server.address;
    let error = Server::bind(app.engine.clone(), config).unwrap_err();
    assert!(
        error.to_string().contains(&server.address.to_string()),
        "{error}"
    );
}
