//! The fixed user of a server without authentication, and the check for local host names.
//!
//! Without authentication every client that reaches the port is this user, so requests from pages of other
//! origins must be rejected. Such a request has another `Origin`, or another `Host` if the page has rebound
//! its own name to this machine.

use std::net::Ipv4Addr;

use tidings_event::OwnerId;
use uuid::Uuid;

/// The owner of every event that is published without authentication and without an explicit owner.
pub const LOCAL_USER: OwnerId =
    OwnerId::from_uuid(Uuid::from_u128(0x6c6f_6361_6c00_4000_8000_0000_0000_0001));

/// Whether `host` or `host:port` can only mean this machine, regardless of DNS.
pub(super) fn is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        // Any other colons belong to a bracketed IPv6 address.
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
    fn accepts_only_names_of_this_machine_as_local() {
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
