//! Browser sessions: a token in a cookie that scripts cannot read.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::COOKIE;
use jiff::Timestamp;
use tidings_event::SystemId;

use super::authority::{Head, Proxy, Sender, is_from_here, is_from_other_page, is_over_tls};
use super::pages::sender;
use super::{ForeignRequest, Pages};

/// Browsers accept a cookie with this prefix only over TLS, from this host and for all paths
/// (<https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis>, §4.1.3.2).
const SECURE_NAME: &str = "__Host-tidings";

/// For local host names, which not all browsers treat as secure without TLS.
const LOCAL_NAME: &str = "tidings-session";

/// The characters of the installation's id in a cookie name: its last 48 bits, which are random.
const INSTALLATION_CHARS: usize = 12;

/// The names of a server's cookies. All ports and paths of a host share their cookies (RFC 6265 §8.5).
/// Without the installation in its name, a server would use the cookie of another server and, if both
/// accept the same key, its user.
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

/// The size of a cookie, including its name and attributes, that every browser accepts (RFC 6265 §6.1).
const MAX_TOKEN_BYTES: usize = 3_800;

/// The session of a browser: which cookie it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    is_local: bool,
}

/// The token in the session cookie.
fn token(session: Session, request: Head<'_>, cookies: &SessionCookies) -> Option<String> {
    let wanted = session.name(cookies);
    let headers = request.headers.get_all(COOKIE).iter();
    let pairs = headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = pairs.filter(|(name, _)| *name == wanted);
    // Another party planted a second cookie.
    let (_, token) = tokens.next()?;
    tokens.next().is_none().then(|| token.to_owned())
}

/// The token in the session cookie, if the cookie can authenticate the request.
///
/// A browser also sends the cookie with requests of other pages. `SameSite` excludes pages of other sites,
/// and this function excludes pages of other servers on the same site. A request that changes something
/// needs the `Origin` of this server's own pages.
pub(super) fn shown(
    request: Head<'_>,
    cookies: &SessionCookies,
    changes: bool,
    pages: &Pages,
) -> Result<Option<String>, ForeignRequest> {
    let session = Session::of(request);
    let Some(token) = token(session, request, cookies) else {
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

impl Session {
    /// The longest token that fits.
    pub(crate) const MAX_TOKEN_BYTES: usize = MAX_TOKEN_BYTES;

    /// The session of the browser that sent `request`.
    pub(crate) fn of(request: Head<'_>) -> Self {
        Self {
            is_local: is_from_here(request) && !is_over_tls(request),
        }
    }

    /// The cookie that starts the session. It expires with the token.
    pub(crate) fn begin(
        self,
        cookies: &SessionCookies,
        token: &str,
        expires: Timestamp,
    ) -> HeaderValue {
        let left = expires.duration_since(Timestamp::now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        self.cookie(cookies, token, left.as_secs())
    }

    /// The cookie that ends the session.
    pub(crate) fn end(self, cookies: &SessionCookies) -> HeaderValue {
        self.cookie(cookies, "", 0)
    }

    fn name(self, cookies: &SessionCookies) -> &str {
        if self.is_local {
            &cookies.local
        } else {
            &cookies.secure
        }
    }

    fn cookie(self, cookies: &SessionCookies, value: &str, seconds: u64) -> HeaderValue {
        let name = self.name(cookies);
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
    fn two_installations_have_different_cookie_names() {
        // Created in the same millisecond, so that only the random part differs.
        let one: SystemId = "0193f0a0-0000-7000-8000-00000000000b".parse().unwrap();
        let other: SystemId = "0193f0a0-0000-7000-8000-00000000000c".parse().unwrap();
        let (one, other) = (SessionCookies::of(one), SessionCookies::of(other));
        assert_eq!(&*one.secure, "__Host-tidings-00000000000b");
        assert_eq!(&*one.local, "tidings-session-00000000000b");
        assert_ne!(one.secure, other.secure);
        assert_ne!(one.local, other.local);
    }
}
