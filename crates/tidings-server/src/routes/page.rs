//! `GET /`: what this is and how to send the first event.

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse};

use crate::error::ApiError;
use crate::identity;

const PAGE: &str = include_str!("page.html");

/// The page has styles of its own, and nothing else; who tries the stream in the browser's console may
/// reach this server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers with the page, its commands naming this server.
#[utoipa::path(
    get,
    path = "/",
    summary = "A page that says how to begin",
    responses((status = 200, description = "HTML.", content_type = "text/html", body = String))
)]
pub(crate) async fn page(request: Request) -> Result<impl IntoResponse, ApiError> {
    let authority = identity::authority(&request)?;
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Html(PAGE.replace("{{authority}}", authority))))
}
