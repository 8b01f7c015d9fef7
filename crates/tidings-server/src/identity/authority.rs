//! The host name that a request uses for this server, and the origin of the page that sent it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri};
use url::Url;

use super::ForeignRequest;
use super::local::is_local;
use crate::peer::OverTls;

/// The longest name and port of a host: that of a domain (RFC 1035 §2.3.4), and a port.
const MAX_AUTHORITY_BYTES: usize = 255 + ":65535".len();

/// The origin (RFC 6454) of web pages whose scripts can use this server, such as `https://app.example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub(super) Box<str>);

/// The text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an origin: give scheme, host and, unless it is the usual one, port, such as \
     https://app.example.org, without a path"
)]
#[non_exhaustive]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError)?;
        let written = url.origin().ascii_serialization();
        // Browsers send exactly this form. Another spelling would never match.
        let same = written == text || format!("{written}/") == text;
        if same && matches!(url.scheme(), "http" | "https") {
            Ok(Self(written.into()))
        } else {
            Err(OriginError)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Origin {
    /// Whether the value of an `Origin` header is this origin.
    pub(super) fn is(&self, sent: &str) -> bool {
        *self.0 == *sent
    }

    /// The value of the `Origin` header that a browser sends.
    pub(crate) fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("an origin is ASCII")
    }
}

/// The parts of a request that decide about its caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> From<&'a Request> for Head<'a> {
    fn from(request: &'a Request) -> Self {
        Self {
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// The host and port that a request uses for this server, in `Host` and in the target if that is absolute.
/// Both must agree, since a proxy could have used either. The name consists of letters, digits and
/// `-._:[]`, so it is safe to show in a page.
pub(crate) fn authority(request: Head<'_>) -> Result<&str, ForeignRequest> {
    let target = request.uri.authority().map(|target| target.as_str());
    let headers = request.headers.get_all(HOST).iter().map(header_text);
    let mut names = target.into_iter().chain(headers);
    let first = names.next().unwrap_or("");
    for name in names.chain([first]) {
        if !is_plain(name) || !name.eq_ignore_ascii_case(first) {
            return Err(ForeignRequest::Host {
                host: name.to_owned(),
            });
        }
    }
    Ok(first)
}

/// Rejects a request whose host is ambiguous or malformed. Health checks and HTTP/1.0 clients can omit it.
pub(super) fn check_name(request: Head<'_>) -> Result<(), ForeignRequest> {
    let mut hosts = request.headers.get_all(HOST).iter();
    if request.uri.authority().is_none() && hosts.all(HeaderValue::is_empty) {
        return Ok(());
    }
    authority(request).map(drop)
}

/// The host of a request, if it can only mean this machine.
pub(crate) fn local_authority(request: Head<'_>) -> Result<&str, ForeignRequest> {
    let authority = authority(request)?;
    if is_local(authority) {
        Ok(authority)
    } else {
        Err(ForeignRequest::Host {
            host: authority.to_owned(),
        })
    }
}

/// Whether the host of a request can only mean this machine.
pub(crate) fn is_from_here(request: Head<'_>) -> bool {
    local_authority(request).is_ok()
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    (1..=MAX_AUTHORITY_BYTES).contains(&name.len()) && name.bytes().all(plain)
}

/// The sender of a request, according to its browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A program, or a browser that does not name the page.
    Unnamed,
    /// A page of this server.
    SamePage,
    /// A page of an allowed origin.
    AllowedPage,
}

/// Whether a proxy can have forwarded a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// A proxy can terminate TLS for the server.
    Perhaps,
    /// The client uses TLS. It would not send such a request without TLS.
    Surely,
}

/// Whether `origin` is that of this server's own pages. Behind a proxy that terminates TLS the server
/// cannot tell http from https, so it accepts both.
pub(super) fn is_same(origin: &str, request: Head<'_>, proxy: Proxy) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    let scheme_fits = match scheme {
        "https" => true,
        "http" => !is_over_tls(request) && proxy != Proxy::Surely,
        _ => false,
    };
    scheme_fits && authority(request).is_ok_and(|name| rest.eq_ignore_ascii_case(name))
}

/// The header in which a browser reports how page and request are related
/// (<https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the browser reports that the page has the same origin as the server.
pub(super) fn is_from_own_page(request: Head<'_>) -> bool {
    only(request.headers, &SEC_FETCH_SITE).is_some_and(|site| site == "same-origin")
}

/// Whether the browser reports that the page belongs to another site, or to another server of the same
/// site.
pub(super) fn is_from_other_page(request: Head<'_>) -> bool {
    let says = request.headers.get_all(SEC_FETCH_SITE).iter();
    says.map(header_text)
        .any(|site| site != "same-origin" && site != "none")
}

/// Whether the request came over TLS to this server.
pub(super) fn is_over_tls(request: Head<'_>) -> bool {
    request.extensions.get::<OverTls>().is_some()
}

/// The value of a header that occurs once. `None` if it is absent or repeated.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The text of a header. A value that is not ASCII becomes a text that is not a host.
pub(super) fn header_text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("(not ASCII)")
}
