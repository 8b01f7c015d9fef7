//! A browser's session: its token in a cookie that scripts cannot read.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::COOKIE;
use jiff::Timestamp;
use tidings_event::SystemId;

use super::authority::{Head, Proxy, Sender, is_from_here, is_from_other_page, is_over_tls};
use super::pages::sender;
use super::{ForeignRequest, Pages};

/// With this prefix browsers take it over TLS only, from no other host, for all paths
/// (<https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis>, §4.1.3.2).
const SECURE_NAME: &str = "__Host-tidings";

/// For this machine's own names, which not all browsers take for secure without TLS.
const LOCAL_NAME: &str = "tidings-session";

/// How many characters of the installation's id are in a name: its last 48 bits, which are random.
const INSTALLATION_CHARS: usize = 12;

/// The names of a server's cookies. Cookies are the same for all ports and paths of a host (RFC 6265
/// §8.5), so without the installation in its name one server would take another's for its own, and
/// where both know the same key, its user would become the other's.
#[derive(Clone, Debug)]
pub(crate) struct SessionCookies {
    secure: Box<str>,
    local: Box<str>,
}

impl SessionCookies {
    pub(crate) fn of(system: SystemId) -> Self {
        let id = system.as_uuid().simple().to_string();
        let installation = &id[id.len() - INSTALLATION_CHARS..];
        Self {
            secure: format!("{SECURE_NAME}-{installation}").into(),
            local: format!("{LOCAL_NAME}-{installation}").into(),
        }
    }
}

/// Browsers keep cookies of 4,096 bytes with their name and attributes (RFC 6265 §6.1).
const MAX_TOKEN_BYTES: usize = 3_800;

/// A cookie to set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session<'a> {
    cookies: &'a SessionCookies,
    is_local: bool,
}

/// The token in the session's cookie.
fn token(session: Session<'_>, request: Head<'_>) -> Option<String> {
    let wanted = session.name();
    let headers = request.headers.get_all(COOKIE).iter();
    let pairs = headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = pairs.filter(|(name, _)| *name == wanted);
    // A second one was planted by somebody else.
    let (_, token) = tokens.next()?;
    tokens.next().is_none().then(|| token.to_owned())
}

/// The token in the session's cookie of a request, if the request may be answered by it.
///
/// A cookie comes along also when another page makes the browser ask. `SameSite` keeps those of other
/// sites away, and this those of other servers of the same site; what changes something needs the
/// `Origin` of this server's own page.
pub(super) fn shown(
    request: Head<'_>,
    cookies: &SessionCookies,
    changes: bool,
    pages: &Pages,
) -> Result<Option<String>, ForeignRequest> {
    let session = Session::of(request, cookies);
    let Some(token) = token(session, request) else {
        return Ok(None);
    };
    if is_from_other_page(request) {
        return Err(ForeignRequest::Cookie);
    }
    let proxy = if session.is_local {
        Proxy::Perhaps
    } else {
        Proxy::Surely
    };
    if changes && sender(request, proxy, pages)? != Sender::SamePage {
        return Err(ForeignRequest::Cookie);
    }
    Ok(Some(token))
}

impl<'a> Session<'a> {
    /// The longest token that fits.
    pub(crate) const MAX_TOKEN_BYTES: usize = MAX_TOKEN_BYTES;

    /// A session of the browser that sent `request`.
    pub(crate) fn of(request: Head<'_>, cookies: &'a SessionCookies) -> Self {
        Self {
            cookies,
            is_local: is_from_here(request) && !is_over_tls(request),
        }
    }

    /// The cookie that begins it, until the token's end.
    pub(crate) fn begin(self, token: &str, expires: Timestamp) -> HeaderValue {
        let left = expires.duration_since(Timestamp::now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        self.cookie(token, left.as_secs())
    }

    /// The cookie that ends it.
    pub(crate) fn end(self) -> HeaderValue {
        self.cookie("", 0)
    }

    fn name(self) -> &'a str {
        if self.is_local {
            &self.cookies.local
        } else {
            &self.cookies.secure
        }
    }

    fn cookie(self, value: &str, seconds: u64) -> HeaderValue {
        let name = self.name();
        let mut cookie =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict");
        if !self.is_local {
            // Writing to a `String` cannot fail.
            let _ = write!(cookie, "; Secure");
        }
        let mut header = HeaderValue::from_str(&cookie).expect("a token is ASCII");
        header.set_sensitive(true);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_installations_have_cookies_of_their_own() {
        // Made within the same millisecond, so that only the random part tells them apart.
        let one: SystemId = "0193f0a0-0000-7000-8000-00000000000b".parse().unwrap();
        let other: SystemId = "0193f0a0-0000-7000-8000-00000000000c".parse().unwrap();
        let (one, other) = (SessionCookies::of(one), SessionCookies::of(other));
        assert_eq!(&*one.secure, "__Host-tidings-00000000000b");
        assert_eq!(&*one.local, "tidings-session-00000000000b");
        assert_ne!(one.secure, other.secure);
        assert_ne!(one.local, other.local);
    }
}
