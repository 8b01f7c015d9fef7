//! The server's own page, and the web components for other pages.

mod files;

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, Request, State};
use axum::http::header::{
    ALLOW, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, RouteError};
use crate::identity::Identity;
use crate::peer::OverTls;
use crate::state::AppState;

use files::{Caching, File};

/// The tag that the page is built with, and its replacement on a server with authentication.
const WITHOUT_LOGIN: &str = "<meta name=\"tidings-login\" content=\"none\" />";
const WITH_LOGIN: &str = "<meta name=\"tidings-login\" content=\"token\" />";

/// Browsers that connect over TLS use TLS only for a year (RFC 6797).
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

/// The page loads resources of this server only: no inline script or style, and HTML from its templates
/// only. No page can embed it in a frame. Code in the browser's console can connect to this server.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types lit-html",
);

static PAGE: LazyLock<[File; 2]> = LazyLock::new(|| {
    let page = files::read("index.html").expect("a page is built in");
    let page = String::from_utf8_lossy(&page).into_owned();
    let with_login = page.replace(WITHOUT_LOGIN, WITH_LOGIN);
    assert_ne!(
        page, with_login,
        "the page says whether there is authentication"
    );
    [page, with_login].map(|page| File::new("index.html", page.into_bytes()))
});

/// Returns the page.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/",
    summary = "Get the page of the Notification Center",
    responses(
        (status = 200, description = "HTML.", content_type = "text/html", body = String),
        (status = 304, description = "The file has not changed since the `ETag` in `If-None-Match`.")
    )
))]
pub(crate) async fn page(State(state): State<Arc<AppState>>, request: Request) -> Response {
    let [without_login, with_login] = &*PAGE;
    let page = match state.authenticator.identity {
        Identity::Local => without_login,
        Identity::Tokens(_) => with_login,
    };
    let mut response = page.respond(request.headers(), Caching::Never);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    // A page that opened this one in a window must not keep a reference to it.
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, SAME_ORIGIN);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if request.extensions().get::<OverTls>().is_some() {
        headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    response
}

/// Answers health checks with `OPTIONS /`, the default of `HAProxy`.
pub(crate) async fn page_options() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [(ALLOW, "GET,HEAD,OPTIONS")])
}

/// Returns the script that defines the elements `tidings-bell` and `tidings-inbox`.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/tidings.js",
    summary = "Get the web components, for other pages",
    responses(
        (status = 200, description = "A JavaScript module.", content_type = "text/javascript", body = String),
        (status = 304, description = "The file has not changed since the `ETag` in `If-None-Match`.")
    )
))]
pub(crate) async fn components(headers: HeaderMap) -> Result<Response, ApiError> {
    let file = files::built("tidings.js").ok_or(RouteError::NotFound)?;
    Ok(file.respond(&headers, Caching::Never))
}

/// Returns a file of the page or the components.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/assets/{file}",
    summary = "Get a file of the page",
    params(("file" = String, Path, description = "The name of the file, which changes with its content.")),
    responses(
        (status = 200, description = "The file.", content_type = "text/javascript", body = String),
        (status = 304, description = "The file has not changed since the `ETag` in `If-None-Match`.")
    )
))]
pub(crate) async fn asset(
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = files::built(&format!("assets/{file}")).ok_or(RouteError::NotFound)?;
    Ok(file.respond(&headers, Caching::ForEver))
}
