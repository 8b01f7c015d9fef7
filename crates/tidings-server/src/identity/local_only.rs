//! Middleware that protects the routes of an app without authentication.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::authority::{Head, Proxy, is_from_here, is_from_other_page};
use super::pages::{self, Pages};

/// Middleware for your own routes in an app without authentication: responds with 403 to requests that
/// browsers send for web pages of other origins.
///
/// Such a request has another `Origin`, is marked by the browser as cross-site, or has another `Host` if
/// the page has rebound its own name to this machine. [`router`](crate::router) already protects its own
/// routes.
///
/// ```
/// use axum::{Router, middleware, routing::post};
///
/// let routes: Router = Router::new()
///     .route("/api/reports", post(async || "rendered"))
///     .layer(middleware::from_fn(tidings_server::local_only));
/// ```
pub async fn local_only(request: Request, next: Next) -> Response {
    if is_local(Head::from(&request)) {
        next.run(request).await
    } else {
        let text = "only pages of this server and programs that call it as localhost, 127.0.0.1 or [::1] \
                    are answered\n";
        (StatusCode::FORBIDDEN, text).into_response()
    }
}

fn is_local(request: Head<'_>) -> bool {
    let no_other_pages = Pages::default();
    is_from_here(request)
        && !is_from_other_page(request)
        && pages::sender(request, Proxy::Perhaps, &no_other_pages).is_ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::post;
    use axum::{Router, middleware};
    use tower::ServiceExt as _;

    use super::*;

    async fn status(headers: &[(&str, &str)]) -> StatusCode {
        let routes: Router = Router::new()
            .route("/", post(async || "done"))
            .layer(middleware::from_fn(local_only));
        let mut request = Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let Ok(response) = routes.oneshot(request.body(Body::empty()).unwrap()).await;
        response.status()
    }

    #[tokio::test]
    async fn accepts_programs_and_its_own_pages() {
        for headers in [
            &[("host", "localhost:8080")][..],
            &[
                ("host", "127.0.0.1:8080"),
                ("origin", "http://127.0.0.1:8080"),
            ],
            &[("host", "[::1]:8080"), ("sec-fetch-site", "same-origin")],
        ] {
            assert_eq!(status(headers).await, StatusCode::OK, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn rejects_other_origins_and_rebound_names() {
        for headers in [
            &[][..],
            &[("host", "app.example.org")],
            &[
                ("host", "localhost:8080"),
                ("origin", "http://app.example.org"),
            ],
            &[("host", "localhost:8080"), ("origin", "http://localhost:1")],
            &[("host", "localhost:8080"), ("origin", "null")],
            &[("host", "localhost:8080"), ("sec-fetch-site", "cross-site")],
            &[
                ("host", "app.example.org"),
                ("origin", "http://app.example.org"),
            ],
        ] {
            assert_eq!(status(headers).await, StatusCode::FORBIDDEN, "{headers:?}");
        }
    }
}
