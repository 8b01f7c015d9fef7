use axum::body::Body;
use axum::http::{Method, Request};
use tidings_server::{BindError, Config, Server};

use crate::app::{Answer, EVENTS, TestApp, event, request};
use crate::wire;

/// A request with exactly these headers.
async fn send(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
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
async fn requests_of_this_machine_are_served() {
    let app = TestApp::start().await;
    for headers in [
        [("host", "localhost:7433")].as_slice(),
        &[("host", "127.0.0.1")],
        &[("host", "[::1]:7433")],
        &[
            ("host", "localhost:7433"),
            ("origin", "http://localhost:7433"),
        ],
    ] {
        assert_eq!(send(&app, headers).await.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn a_foreign_host_is_refused() {
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
async fn the_target_of_a_request_counts_as_its_host() {
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
async fn a_foreign_origin_is_refused() {
    let app = TestApp::start().await;
    let host = ("host", "localhost:7433");
    for origin in [
        "null",
        "",
        "http://evil.example",
        "http://localhost",
        "http://localhost:7434",
        "http://127.0.0.1:7433",
        "https://localhost:7433",
        "http://localhost:7433.evil.example",
        "file://",
    ] {
        let answer = send(&app, &[host, ("origin", origin)]).await;
        answer.error(403, "foreign_origin");
    }
    let own = ("origin", "http://localhost:7433");
    let two = send(&app, &[host, own, ("origin", "http://evil.example")]).await;
    two.error(403, "foreign_origin");
}

#[tokio::test]
async fn every_route_is_guarded() {
    let app = TestApp::start().await;
    let server = app.serve();
    for path in [
        "/",
        "/healthz",
        "/readyz",
        "/nothing",
        EVENTS,
        "/api/system/events/subscribe",
    ] {
        let foreign = hyper::Request::get(path).header("origin", "http://evil.example");
        let answer = wire::read(wire::call(server.address, foreign).await).await;
        answer.error(403, "foreign_origin");
    }
}

#[tokio::test]
async fn a_refused_publisher_stores_nothing() {
    let app = TestApp::start().await;
    let mut request = request(Method::POST, EVENTS, event("x").to_string().into());
    let headers = request.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("origin", "http://evil.example".parse().unwrap());
    app.send(request).await.error(403, "foreign_origin");
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn other_machines_are_not_let_in() {
    let app = TestApp::start().await;
    for listen in ["0.0.0.0:7433", "[::]:7433", "192.168.0.1:7433"] {
        let config = Config {
            listen: listen.parse().unwrap(),
            ..Config::default()
        };
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
async fn a_taken_address_is_named() {
    let app = TestApp::start().await;
    let server = app.serve();
    let config = Config {
        listen: server.address,
        ..Config::default()
    };
    let error = Server::bind(app.engine.clone(), config).unwrap_err();
    assert!(
        error.to_string().contains(&server.address.to_string()),
        "{error}"
    );
}
