//! Who is calling: one fixed local user, and nobody from elsewhere.
//!
//! Without a login every program that reaches the port is that user, so a web page of another
//! origin must not get through: its requests name another `Origin`, or, after rebinding its own name
//! to this machine, another `Host`.

use std::net::Ipv4Addr;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use tidings_event::OwnerId;
use uuid::Uuid;

use crate::error::ApiError;

/// The owner of everything that is published to this server without naming another.
pub const LOCAL_USER: OwnerId =
    OwnerId::from_uuid(Uuid::from_u128(0x6c6f_6361_6c00_4000_8000_0000_0000_0001));

/// The one who sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// Whose events the request is about.
    pub(crate) owner: OwnerId,
}

/// Refuses requests from elsewhere and says who the others are from.
pub(crate) fn guard(request: &mut Request) -> Result<(), ApiError> {
    check_origin(request.headers(), authority(request)?)?;
    request
        .extensions_mut()
        .insert(Caller { owner: LOCAL_USER });
    Ok(())
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().copied();
        caller.ok_or(ApiError::NoCaller)
    }
}

/// The name and port under which a request reached this server: in its target, if that is absolute,
/// and in `Host`. Both count, since it is not known which of them other software went by. What it
/// returns means this machine and is safe to show in a page.
pub(crate) fn authority(request: &Request) -> Result<&str, ApiError> {
    let target = request.uri().authority().map(|target| target.as_str());
    let headers = request.headers().get_all(HOST).iter().map(header_text);
    let mut names = target.into_iter().chain(headers);
    let refused = |name: &str| ApiError::ForeignHost {
        host: name.to_owned(),
    };
    let Some(first) = names.next() else {
        return Err(refused(""));
    };
    for name in names.chain([first]) {
        if !is_local(name) || !name.eq_ignore_ascii_case(first) {
            return Err(refused(name));
        }
    }
    Ok(first)
}

/// A page of this server sends its origin, other programs send none. `null`, which sandboxed pages
/// and files send, is not this server.
fn check_origin(headers: &HeaderMap, authority: &str) -> Result<(), ApiError> {
    for origin in headers.get_all(ORIGIN) {
        let origin = header_text(origin);
        let same = origin
            .strip_prefix("http://")
            .is_some_and(|rest| rest.eq_ignore_ascii_case(authority));
        if !same {
            return Err(ApiError::ForeignOrigin {
                origin: origin.to_owned(),
            });
        }
    }
    Ok(())
}

/// The text of a header; one that is not ASCII becomes a text that is no host.
fn header_text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("(not ASCII)")
}

/// Whether `host` or `host:port` can only mean this machine, whatever a name server says.
fn is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        // The other colons are those of an IPv6 address in its brackets.
        Some((host, port)) if !port.ends_with(']') => {
            let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number || port.parse::<u16>().is_err() {
                return false;
            }
            host
        }
        _ => authority,
    };
    let loopback = host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    loopback || host == "[::1]" || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for local in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1",
            "127.1.2.3:8080",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_local(local), "{local}");
        }
        for foreign in [
            "",
            ":80",
            "localhost.",
            "localhost.evil.example",
            "evil.example",
            "127.0.0.1.evil.example",
            "127.1",
            "2130706433",
            "0177.0.0.1",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::1",
            "::1",
            "[::ffff:127.0.0.1]",
            "localhost:",
            "localhost:+80",
            "localhost:80:80",
            "localhost:65536",
            "user@localhost",
            "localhost/",
        ] {
            assert!(!is_local(foreign), "{foreign}");
        }
    }
}
