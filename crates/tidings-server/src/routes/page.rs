//! `GET /`: what this is and how to send the first event.

use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::identity::{self, Head};
use crate::peer::OverTls;
use crate::state::AppState;

const PAGE: &str = include_str!("page.html");

/// How the commands show a token.
const HEADER: &str = " -H \"Authorization: Bearer $TOKEN\"";

/// What to do first where a login is needed.
const LOGIN: &str = "<p>Every request shows a token, which says who you are. Put yours into \
    <code>TOKEN</code> for these commands, and into <code>TIDINGS_TOKEN</code> for the program; on a \
    development server <code>tidings token</code> makes one.</p>\n";

/// Browsers that came over TLS come over TLS for a year (RFC 6797).
const TLS_ONLY: &str = "max-age=31536000";

/// The page has the one style that is written in it, no script, and may be in nobody's frame; who tries
/// the stream in the browser's console may reach this server.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = PAGE.split_once("<style>").map_or("", |(_, rest)| rest);
    let style = style.split_once("</style>").map_or("", |(style, _)| style);
    let hash = STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a policy is ASCII")
});

/// Answers with the page, its commands naming this server.
#[utoipa::path(
    get,
    path = "/",
    summary = "A page that says how to begin",
    responses((status = 200, description = "HTML.", content_type = "text/html", body = String))
)]
pub(crate) async fn page(
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Response, ApiError> {
    let authority = identity::authority(Head::from(&request))?;
    let over_tls = request.extensions().get::<OverTls>().is_some();
    let scheme = if over_tls { "https" } else { "http" };
    let (login, header) = if state.identity.has_login() {
        (LOGIN, HEADER)
    } else {
        ("", "")
    };
    let page = PAGE
        .replace("{{origin}}", &format!("{scheme}://{authority}"))
        .replace("{{login}}", login)
        .replace("{{header}}", header);
    let mut response = Html(page).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if over_tls {
        let tls_only = HeaderValue::from_static(TLS_ONLY);
        headers.insert(STRICT_TRANSPORT_SECURITY, tls_only);
    }
    Ok(response)
}
