//! nginx with the module nchan.

use std::net::SocketAddr;

use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use super::payload::payload;
use crate::publish_request::PublishRequest;
use crate::scan::Delivery;
use crate::system::{Acknowledgement, Dialect, User};

pub(super) const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// A stream starts with the empty line after the head.
pub(super) const DIALECT: Dialect = Dialect {
    opening: (Delivery::Line(b'\r'), 1),
    delivery: Delivery::Frame,
    acknowledgement: Acknowledgement::Created,
};

/// `id: 1796033403:0`, `data: ` and an empty line.
const FRAME_BYTES: usize = 25;

pub(super) fn configure(
    command: &mut Command,
    directory: &TempDir,
    address: SocketAddr,
) -> anyhow::Result<()> {
    // One process, so that its CPU time is that of its pid, and that killing it leaves none behind.
    let text = format!(
        "load_module {MODULE};\ndaemon off;\nmaster_process off;\npid nginx.pid;\n\
         error_log stderr warn;\nevents {{ worker_connections 30000; }}\nhttp {{\n access_log off;\n \
         keepalive_requests 1000000000;\n client_body_temp_path body;\n proxy_temp_path proxy;\n \
         fastcgi_temp_path fastcgi;\n uwsgi_temp_path uwsgi;\n scgi_temp_path scgi;\n \
         nchan_max_reserved_memory 2G;\n server {{\n  listen {address} backlog=4096;\n  \
         location ~ ^/pub/(.+)$ {{ nchan_publisher; nchan_channel_id $1; nchan_store_messages off; }}\n  \
         location ~ ^/sub/(.+)$ {{ nchan_subscriber eventsource; nchan_channel_id $1; \
         nchan_subscriber_first_message newest; }}\n }}\n}}\n"
    );
    std::fs::write(directory.path().join("nginx.conf"), text)?;
    let mut prefix = directory.path().as_os_str().to_owned();
    prefix.push("/");
    command.arg("-p").arg(prefix).args(["-c", "nginx.conf"]);
    Ok(())
}

pub(super) fn user(user: Uuid, wire_bytes: usize) -> User {
    let body = payload(wire_bytes.saturating_sub(FRAME_BYTES));
    let publish = format!(
        "POST /pub/{user} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let subscribe =
        format!("GET /sub/{user} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    User {
        subscribe: subscribe.into_bytes(),
        publish: PublishRequest::fixed(publish.into_bytes()),
    }
}
