//! Browsers: session cookies, and pages of other origins.

use std::num::NonZeroU32;

use axum::http::Method;
use serde_json::json;
use tidings_server::{Config, Scopes};

use crate::app::{EVENTS, TestApp, TestResponse, event};
use crate::login::{ALICE, BOB, HOST, LoginApp, USER, request};

const OWN_PAGE: &str = "https://events.example";
const OTHER_PAGE: &str = "https://app.example";

/// The name of a server's cookie, which contains its installation id.
async fn cookie_name(app: &LoginApp) -> String {
    let begun = begin(app, &app.token(ALICE, USER)).await;
    let (name, _) = cookie(&begun).split_once('=').expect("a pair");
    name.to_owned()
}

/// The cookie as a browser sends it.
fn cookie(response: &TestResponse) -> &str {
    let (pair, _) = response
        .header("set-cookie")
        .split_once(';')
        .expect("a cookie");
    pair
}

async fn begin(app: &LoginApp, token: &str) -> TestResponse {
    let response = app.send(&Method::POST, "/session", Some(token), None).await;
    assert_eq!(response.status, 204, "{response:?}");
    response
}

#[tokio::test]
async fn starts_a_session_with_an_http_only_cookie() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let begun = begin(&app, &token).await;
    let text = begun.header("set-cookie");
    assert!(text.starts_with("__Host-tidings-"), "{text}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
        assert!(text.contains(attribute), "{text}");
    }
    let (_, age) = text.split_once("Max-Age=").unwrap();
    let age: u32 = age.split(';').next().unwrap().parse().unwrap();
    assert!((3_590..=3_600).contains(&age), "{age}");
    let read = request(&Method::GET, EVENTS, None).header("cookie", cookie(&begun));
    assert_eq!(app.send_request(read, None).await.status, 200);
    // The session has the scopes of the token.
    let read = request(&Method::GET, "/metrics", None).header("cookie", cookie(&begun));
    app.send_request(read, None)
        .await
        .error(403, "insufficient_scope");
}

#[tokio::test]
async fn accepts_changes_with_a_cookie_only_from_the_servers_own_pages() {
    let app = LoginApp::with(|config| {
        config.allowed_origins = vec![OTHER_PAGE.parse().unwrap()];
    });
    let app = app.await;
    let begun = begin(&app, &app.token(ALICE, USER)).await;
    let body = event("").to_string();
    let marks = json!({"all": true, "status": "read"}).to_string();
    for (method, path, body) in [
        (Method::POST, EVENTS, Some(body.as_str())),
        (Method::PUT, "/api/events/status", Some(&marks)),
        (Method::DELETE, "/session", None),
    ] {
        for origin in [
            None,
            Some(OTHER_PAGE),
            Some("http://events.example"),
            Some("https://evil.example"),
            Some("null"),
        ] {
            let mut request = request(&method, path, None).header("cookie", cookie(&begun));
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let response = app.send_request(request, body).await;
            response.error(403, "foreign_origin");
        }
        let request = request(&method, path, None)
            .header("cookie", cookie(&begun))
            .header("origin", OWN_PAGE);
        let response = app.send_request(request, body).await;
        assert!(
            response.status.is_success(),
            "{method} {path}: {response:?}"
        );
    }
}

#[tokio::test]
async fn rejects_the_cookie_from_a_page_of_the_same_site() {
    let app = LoginApp::start().await;
    let begun = begin(&app, &app.token(ALICE, USER)).await;
    let paths = [EVENTS.to_owned(), format!("{EVENTS}/subscribe")];
    for (site, status) in [
        ("same-site", 403),
        ("cross-site", 403),
        ("same-origin", 200),
        ("none", 200),
    ] {
        for path in &paths {
            let read = request(&Method::GET, path, None)
                .header("cookie", cookie(&begun))
                .header("sec-fetch-site", site);
            let response = app.send_request(read, None).await;
            assert_eq!(response.status, status, "{site} {path}");
        }
    }
}

/// Another token in the request does not matter: the cookie's token must be revoked.
#[tokio::test]
async fn ending_a_session_revokes_the_token_of_its_cookie() {
    let app = LoginApp::start().await;
    let in_cookie = app.token(ALICE, USER);
    let begun = begin(&app, &in_cookie).await;
    let other = app.token(ALICE, USER);
    let end = request(&Method::DELETE, "/session", Some(&other))
        .header("cookie", cookie(&begun))
        .header("origin", OWN_PAGE);
    assert_eq!(app.send_request(end, None).await.status, 204);
    app.send(&Method::GET, EVENTS, Some(&in_cookie), None)
        .await
        .error(401, "token_revoked");
    let response = app.send(&Method::GET, EVENTS, Some(&other), None).await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn ending_a_session_rejects_copies_of_its_cookie() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let begun = begin(&app, &token).await;
    let end = request(&Method::DELETE, "/session", None)
        .header("cookie", cookie(&begun))
        .header("origin", OWN_PAGE);
    let ended = app.send_request(end, None).await;
    assert_eq!(ended.status, 204);
    let taken_back = ended.header("set-cookie");
    let name = cookie_name(&app).await;
    assert!(taken_back.starts_with(&format!("{name}=;")), "{taken_back}");
    assert!(taken_back.contains("Max-Age=0"), "{taken_back}");
    let read = request(&Method::GET, EVENTS, None).header("cookie", cookie(&begun));
    app.send_request(read, None)
        .await
        .error(401, "token_revoked");
    app.send(&Method::GET, EVENTS, Some(&token), None)
        .await
        .error(401, "token_revoked");
    // Other tokens of the same user stay valid.
    let other = app.token(ALICE, USER);
    let response = app.send(&Method::GET, EVENTS, Some(&other), None).await;
    assert_eq!(response.status, 200);
    // Ending a session without a cookie is not an error.
    let again = app.send(&Method::DELETE, "/session", None, None).await;
    assert_eq!(again.status, 204);
}

#[tokio::test]
async fn ending_an_ended_session_is_counted_in_metrics() {
    let app = LoginApp::start().await;
    let begun = begin(&app, &app.token(ALICE, USER)).await;
    let admin = app.token(BOB, Scopes::ADMIN);
    for ended in 1..=2 {
        let end = request(&Method::DELETE, "/session", None)
            .header("cookie", cookie(&begun))
            .header("origin", OWN_PAGE);
        assert_eq!(app.send_request(end, None).await.status, 204);
        let scrape = app.send(&Method::GET, "/metrics", Some(&admin), None).await;
        let metrics = String::from_utf8(scrape.body).unwrap();
        let series =
            "tidings_http_requests_total{method=\"DELETE\",route=\"/session\",status=\"204\"}";
        let count = format!("{series} {ended}\n");
        assert!(metrics.contains(&count), "{metrics}");
    }
}

#[tokio::test]
async fn ignores_cookies_of_other_names() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let name = cookie_name(&app).await;
    for cookies in [
        format!(
            "{}={token}",
            name.replace("__Host-tidings", "tidings-session")
        ),
        format!("{}={token}", name.to_lowercase()),
        format!("__Host-tidings={token}"),
        format!("{name}={token}; {name}={token}"),
        format!("other={token}"),
        name.clone(),
    ] {
        let read = request(&Method::GET, EVENTS, None).header("cookie", &cookies);
        let response = app.send_request(read, None).await;
        response.error(401, "token_missing");
    }
    // A cookie does not replace a malformed header.
    let read = request(&Method::GET, EVENTS, Some("x")).header("cookie", format!("{name}={token}"));
    app.send_request(read, None)
        .await
        .error(401, "token_invalid");
    let twice = request(&Method::GET, EVENTS, Some(&token))
        .header("authorization", format!("Bearer {token}"));
    app.send_request(twice, None)
        .await
        .error(401, "token_invalid");
    let basic = request(&Method::GET, EVENTS, None).header("authorization", "Basic eDp5");
    app.send_request(basic, None)
        .await
        .error(401, "token_invalid");
}

#[tokio::test]
async fn rejects_a_token_that_is_too_long_for_a_cookie() {
    let app = LoginApp::start().await;
    let expires = jiff::Timestamp::now() + std::time::Duration::from_secs(60);
    let mut request = tidings_server::MintRequest::new(ALICE, USER, expires);
    request.issuer = Some("x".repeat(4_000));
    let token = tidings_server::mint(&app.secret, &request).unwrap();
    let response = app
        .send(&Method::POST, "/session", Some(&token), None)
        .await;
    response.error(413, "too_large");
}

#[tokio::test]
async fn a_local_session_needs_no_tls() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let begin = axum::http::Request::post("/session")
        .header("host", "localhost:9081")
        .header("authorization", format!("Bearer {token}"));
    let begun = app.send_request(begin, None).await;
    let text = begun.header("set-cookie");
    assert!(text.starts_with("tidings-session-"), "{text}");
    assert!(!text.contains("Secure"), "{text}");
    let read = axum::http::Request::get(EVENTS)
        .header("host", "localhost:9081")
        .header("cookie", cookie(&begun));
    assert_eq!(app.send_request(read, None).await.status, 200);
}

/// Cookies ignore ports: a browser sends the cookies of every server on a host to all of them.
#[tokio::test]
async fn ignores_the_session_of_another_server_on_the_host() {
    let (one, other) = (LoginApp::start().await, LoginApp::start().await);
    let ours = begin(&one, &one.token(ALICE, USER)).await;
    // The other server signed it with the same key, for another user.
    let theirs = begin(&other, &other.token(BOB, USER)).await;
    let (name, _) = cookie(&theirs).split_once('=').expect("a pair");
    let theirs = format!("{name}={}", one.token(BOB, USER));
    let read = |cookies: &str| request(&Method::GET, EVENTS, None).header("cookie", cookies);
    let response = one.send_request(read(&theirs), None).await;
    response.error(401, "token_missing");
    let both = format!("{theirs}; {}", cookie(&ours));
    let publish = request(&Method::POST, EVENTS, None)
        .header("cookie", &both)
        .header("origin", OWN_PAGE);
    let published = one
        .send_request(publish, Some(&event("").to_string()))
        .await;
    assert_eq!(published.status, 201, "{published:?}");
    assert_eq!(published.json()["owner"], ALICE.to_string());
}

#[tokio::test]
async fn limits_the_rate_of_ending_sessions() {
    let app = LoginApp::with(|config| {
        config.limits.request_rate = NonZeroU32::new(1);
    });
    let app = app.await;
    let name = format!("{}=", cookie_name(&app).await);
    let mut rejected = None;
    // The burst covers ten seconds, and one request per second is added.
    for _ in 0..100 {
        let end = request(&Method::DELETE, "/session", None)
            .header("cookie", format!("{name}{}", app.token(ALICE, USER)))
            .header("origin", OWN_PAGE);
        let response = app.send_request(end, None).await;
        if response.status != 204 {
            rejected = Some(response);
            break;
        }
    }
    let rejected = rejected.expect("a hundred are more than the burst");
    rejected.error(429, "rate_limited");
    // The browser still removes its cookie.
    assert!(rejected.header("set-cookie").starts_with(&name));
    // Another user is not affected.
    let end = request(&Method::DELETE, "/session", None)
        .header("cookie", format!("{name}{}", app.token(BOB, USER)))
        .header("origin", OWN_PAGE);
    assert_eq!(app.send_request(end, None).await.status, 204);
}

#[tokio::test]
async fn limits_the_rate_of_ending_an_ended_session() {
    let app = LoginApp::with(|config| {
        config.limits.request_rate = NonZeroU32::new(1);
    });
    let app = app.await;
    let cookie = format!("{}={}", cookie_name(&app).await, app.token(BOB, USER));
    let mut statuses = Vec::new();
    for _ in 0..100 {
        let end = request(&Method::DELETE, "/session", None)
            .header("cookie", &cookie)
            .header("origin", OWN_PAGE);
        statuses.push(app.send_request(end, None).await.status.as_u16());
    }
    assert_eq!(statuses[0], 204);
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn has_no_sessions_without_a_login() {
    let app = TestApp::start().await;
    let server = app.serve();
    for method in [Method::POST, Method::DELETE] {
        let request = hyper::Request::builder().method(method).uri("/session");
        let response = crate::wire::call(server.address, request).await;
        crate::wire::read(response)
            .await
            .error(404, "route_not_found");
    }
}

fn allow_other(config: &mut Config) {
    config.allowed_origins = vec![OTHER_PAGE.parse().expect("an origin")];
}

#[tokio::test]
async fn pages_of_allowed_origins_can_send_a_token() {
    let app = LoginApp::with(allow_other).await;
    let path = format!("{EVENTS}/subscribe");
    let asks = request(&Method::OPTIONS, &path, None)
        .header("origin", OTHER_PAGE)
        .header("access-control-request-method", "GET")
        .header(
            "access-control-request-headers",
            "authorization,last-event-id",
        );
    let leave = app.send_request(asks, None).await;
    assert!(leave.status.is_success(), "{leave:?}");
    assert_eq!(leave.header("access-control-allow-origin"), OTHER_PAGE);
    let allowed = leave.header("access-control-allow-headers");
    assert!(allowed.contains("authorization") && allowed.contains("last-event-id"));
    // Cookies authenticate requests of the server's own pages only.
    assert_eq!(leave.header("access-control-allow-credentials"), "");

    let token = app.token(ALICE, USER);
    let read = request(&Method::GET, EVENTS, Some(&token)).header("origin", OTHER_PAGE);
    let response = app.send_request(read, None).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("access-control-allow-origin"), OTHER_PAGE);
    assert!(response.header("vary").to_lowercase().contains("origin"));
    // The page can read the error.
    let read = request(&Method::GET, EVENTS, None).header("origin", OTHER_PAGE);
    let rejected = app.send_request(read, None).await;
    rejected.error(401, "token_missing");
    assert_eq!(rejected.header("access-control-allow-origin"), OTHER_PAGE);
}

#[tokio::test]
async fn rejects_pages_of_other_origins() {
    for app in [LoginApp::start().await, LoginApp::with(allow_other).await] {
        let token = app.token(ALICE, Scopes::ALL);
        for origin in ["https://evil.example", "https://app.example.evil", "null"] {
            let read = request(&Method::GET, EVENTS, Some(&token)).header("origin", origin);
            let response = app.send_request(read, None).await;
            response.error(403, "foreign_origin");
            assert_eq!(response.header("access-control-allow-origin"), "");
            let asks = request(&Method::OPTIONS, EVENTS, None)
                .header("origin", origin)
                .header("access-control-request-method", "GET");
            let response = app.send_request(asks, None).await;
            assert_eq!(response.header("access-control-allow-origin"), "");
        }
    }
}

#[tokio::test]
async fn rejects_a_malformed_host() {
    let app = LoginApp::start().await;
    for host in ["<script>", "a b", "evil/", "x\"y", &"a".repeat(300)] {
        let list = axum::http::Request::get(EVENTS).header("host", host);
        let response = app.send_request(list, None).await;
        response.error(403, "foreign_host");
    }
    // HTTP/1.0 clients can omit it.
    for host in ["", HOST] {
        let list = axum::http::Request::get(EVENTS).header("host", host);
        let response = app.send_request(list, None).await;
        response.error(401, "token_missing");
    }
}
