//! The addresses and origins of the web pages that can use the server.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use axum::extract::Request;
use axum::http::Uri;
use axum::http::header::ORIGIN;
use axum::http::uri::PathAndQuery;
use url::Url;

use super::ForeignRequest;
use super::authority::{
    Head, Origin, Proxy, Sender, authority, header_text, is_from_own_page, is_same,
};

/// The address at which browsers reach the server through a proxy, such as
/// `https://events.example.org` or `https://example.org/tidings`.
///
/// The server then accepts this host, treats pages of this origin as its own, and also serves every route
/// below the path, for proxies that do not strip it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: Origin,
    /// Host and port as browsers send them, and the same with an explicit default port.
    hosts: [Box<str>; 2],
    /// Empty, or with a leading slash and without a trailing one.
    prefix: Box<str>,
}

/// The text is not a public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a public address: give scheme, host, port if it is not the usual one, and a path of letters, \
     digits and `-._~` if the server is below one, such as https://example.org/tidings"
)]
#[non_exhaustive]
pub struct PublicUrlError;

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(|_| PublicUrlError)?;
        let origin = url.origin().ascii_serialization();
        let origin: Origin = origin.parse().map_err(|_| PublicUrlError)?;
        let has_more = url.query().is_some() || url.fragment().is_some();
        let has_user = !url.username().is_empty() || url.password().is_some();
        let prefix = url.path().trim_end_matches('/');
        if has_more || has_user || !is_prefix(prefix) {
            return Err(PublicUrlError);
        }
        let host = url.host_str().ok_or(PublicUrlError)?;
        let port = url.port_or_known_default().ok_or(PublicUrlError)?;
        let with_port = format!("{host}:{port}");
        let host = if url.port().is_some() {
            with_port.clone()
        } else {
            host.to_owned()
        };
        Ok(Self {
            origin,
            hosts: [host.into(), with_port.into()],
            prefix: prefix.into(),
        })
    }
}

/// Whether a path without its trailing slash is empty, or consists of segments that have only one spelling.
fn is_prefix(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut segments = path.split('/');
    segments.next() == Some("")
        && segments.all(|segment| !segment.is_empty() && segment.bytes().all(plain))
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

/// The pages that can use the server besides those that it serves under its own host name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    /// The addresses of the server's own pages behind a proxy.
    pub(crate) public: Vec<PublicUrl>,
    /// The origins of other pages, which need their own tokens.
    pub(crate) allowed: Vec<Origin>,
}

/// The target of a request's path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PathTarget {
    /// A path of this server.
    Here,
    /// The server's public path without its trailing slash, from which relative URLs would not resolve. The
    /// client must be redirected to this path.
    Slash(String),
}

impl Pages {
    /// Whether a request names a public address as its host.
    pub(super) fn names(&self, request: Head<'_>) -> bool {
        let Ok(name) = authority(request) else {
            return false;
        };
        let mut hosts = self.public.iter().flat_map(|url| &url.hosts);
        hosts.any(|host| host.eq_ignore_ascii_case(name))
    }

    /// Whether an origin is that of a public address.
    pub(super) fn has_own(&self, origin: &str) -> bool {
        self.public
            .iter()
            .any(|url| url.origin.0.eq_ignore_ascii_case(origin))
    }

    /// Strips the path of a public address from the request, for proxies that do not.
    pub(crate) fn enter(&self, request: &mut Request) -> PathTarget {
        for PublicUrl { prefix, .. } in &self.public {
            if prefix.is_empty() {
                continue;
            }
            let uri = request.uri();
            match uri.path().strip_prefix(&**prefix) {
                Some("") => {
                    let last = prefix.rsplit('/').next().unwrap_or_default();
                    let query = uri.query().map(|query| format!("?{query}"));
                    return PathTarget::Slash(format!("{last}/{}", query.unwrap_or_default()));
                }
                Some(path) if path.starts_with('/') => {
                    if let Some(uri) = without(uri, prefix) {
                        *request.uri_mut() = uri;
                    }
                    return PathTarget::Here;
                }
                _ => {}
            }
        }
        PathTarget::Here
    }
}

/// The URI without a prefix of its path.
fn without(uri: &Uri, prefix: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().get(prefix.len()..)?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

/// Rejects pages of origins that are not allowed. Sandboxed pages and files send `null`, which cannot be
/// allowed.
///
/// A proxy can replace the `Host` that the browser sent. Then `Sec-Fetch-Site: same-origin` is sufficient:
/// scripts cannot set this header, and browsers send it only over TLS and to local host names, so a page
/// that has rebound its name to this machine does not get it.
pub(crate) fn sender(
    request: Head<'_>,
    proxy: Proxy,
    pages: &Pages,
) -> Result<Sender, ForeignRequest> {
    let mut sender = Sender::Unnamed;
    for origin in request.headers.get_all(ORIGIN) {
        let origin = header_text(origin);
        // A public address has one scheme. Other hosts are compared without the scheme.
        let is_own = if pages.names(request) {
            pages.has_own(origin)
        } else {
            pages.has_own(origin) || is_same(origin, request, proxy)
        };
        sender = if is_own {
            Sender::SamePage
        } else if pages.allowed.iter().any(|other| other.is(origin)) {
            Sender::AllowedPage
        } else if is_from_own_page(request) {
            Sender::SamePage
        } else {
            return Err(ForeignRequest::Origin {
                origin: origin.to_owned(),
            });
        };
    }
    Ok(sender)
}
