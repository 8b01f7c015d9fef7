//! Who may use the app's own routes; those of Tidings have a guard of the same kind.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Sends away what a web page elsewhere has made a browser send: such a request names another
/// origin, or, where the page has pointed its own name at this machine, another host.
pub(crate) async fn only_from_here(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| is_here(host));
    let is_own =
        |origin: &HeaderValue| host.is_some_and(|host| *origin == format!("http://{host}"));
    if host.is_some() && headers.get_all(ORIGIN).iter().all(is_own) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

/// Whether `host` or `host:port` can only mean this machine.
fn is_here(authority: &str) -> bool {
    authority.parse::<Authority>().is_ok_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

#[test]
fn only_names_of_this_machine_are_here() {
    for here in ["localhost", "localhost:80", "127.0.0.1:8080", "[::1]:8080"] {
        assert!(is_here(here), "{here}");
    }
    for elsewhere in ["", ":80", "localhost.example.org", "10.0.0.1", "[::]:80"] {
        assert!(!is_here(elsewhere), "{elsewhere}");
    }
}
