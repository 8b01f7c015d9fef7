//! Redis and NATS: protocols of lines.

use std::net::SocketAddr;

use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use super::payload::payload;
use crate::publish_request::PublishRequest;
use crate::scan::Delivery;
use crate::system::{Acknowledgement, Dialect, User};

/// A publisher gets the number of receivers, a subscriber the number of its channels.
pub(super) const REDIS: Dialect = Dialect {
    opening: (Delivery::Line(b':'), 1),
    delivery: Delivery::Line(b'{'),
    acknowledgement: Acknowledgement::Line {
        sign: b':',
        hello: b"",
    },
};

const HELLO: &str = "CONNECT {\"verbose\":true,\"pedantic\":false}\r\n";

/// With `verbose`, every line is acknowledged with `+OK`.
pub(super) const NATS: Dialect = Dialect {
    opening: (Delivery::Line(b'+'), 2),
    delivery: Delivery::Line(b'{'),
    acknowledgement: Acknowledgement::Line {
        sign: b'+',
        hello: HELLO.as_bytes(),
    },
};

pub(super) fn configure_redis(command: &mut Command, directory: &TempDir, address: SocketAddr) {
    command
        .args(["--bind", &address.ip().to_string()])
        .args(["--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--maxclients", "20000"])
        .arg("--dir")
        .arg(directory.path());
}

pub(super) fn configure_nats(
    command: &mut Command,
    directory: &TempDir,
    address: SocketAddr,
) -> anyhow::Result<()> {
    let file = directory.path().join("nats.conf");
    std::fs::write(
        &file,
        format!("listen: \"{address}\"\nping_interval: \"1h\"\n"),
    )?;
    command.arg("-c").arg(file);
    Ok(())
}

/// The bytes of `MESSAGE` on the wire beside the payload, with a length of three digits.
const REDIS_BYTES: usize = "*3\r\n$7\r\nmessage\r\n$36\r\n".len() + 36 + "\r\n$999\r\n\r\n".len();

pub(super) fn redis_user(user: Uuid, wire_bytes: usize) -> User {
    let body = payload(wire_bytes.saturating_sub(REDIS_BYTES));
    let publish = format!(
        "*3\r\n$7\r\nPUBLISH\r\n$36\r\n{user}\r\n${}\r\n{body}\r\n",
        body.len()
    );
    User {
        subscribe: format!("SUBSCRIBE {user}\r\n").into_bytes(),
        publish: PublishRequest::fixed(publish.into_bytes()),
    }
}

/// The bytes of `MSG` on the wire beside the payload, with a length of three digits.
const NATS_BYTES: usize = "MSG  1 999\r\n\r\n".len() + 36;

pub(super) fn nats_user(user: Uuid, wire_bytes: usize) -> User {
    let body = payload(wire_bytes.saturating_sub(NATS_BYTES));
    User {
        subscribe: format!("{HELLO}SUB {user} 1\r\n").into_bytes(),
        publish: PublishRequest::fixed(format!("PUB {user} {}\r\n{body}\r\n", body.len()).into()),
    }
}
