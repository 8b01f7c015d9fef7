//! One fixed user, and nobody from elsewhere.
//!
//! Without a login every program that reaches the port is that user, so a web page of another
//! origin must not get through: its requests name another `Origin`, or, after rebinding its own name
//! to this machine, another `Host`.

use std::net::Ipv4Addr;

use tidings_event::OwnerId;
use uuid::Uuid;

/// The owner of everything that is published without a login and without naming another.
pub const LOCAL_USER: OwnerId =
    OwnerId::from_uuid(Uuid::from_u128(0x6c6f_6361_6c00_4000_8000_0000_0000_0001));

/// Whether `host` or `host:port` can only mean this machine, whatever a name server says.
pub(super) fn is_local(authority: &str) -> bool {
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
