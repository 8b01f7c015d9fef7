//! The load balancer before the nodes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::process::Command;

use super::process::Process;
use super::warden::Warden;

/// Starts the load balancer at a port. It gives each request to the next node that is ready.
pub(super) fn start(
    port: u16,
    nodes: &[SocketAddr],
    directory: &Path,
    warden: &Arc<Warden>,
) -> Process {
    let mut text = format!(
        "defaults\n\
         \x20   mode http\n\
         \x20   option http-no-delay\n\
         \x20   option redispatch\n\
         \x20   retries 3\n\
         \x20   timeout connect 2s\n\
         \x20   timeout client 60s\n\
         \x20   timeout server 60s\n\
         frontend events\n\
         \x20   bind 127.0.0.1:{port}\n\
         \x20   default_backend nodes\n\
         backend nodes\n\
         \x20   balance roundrobin\n\
         \x20   option httpchk GET /readyz\n\
         \x20   default-server check inter 500ms fall 2 rise 1\n"
    );
    for (number, node) in nodes.iter().enumerate() {
        text += &format!("    server node{number} {node}\n");
    }
    let file = directory.join("haproxy.cfg");
    std::fs::write(&file, text).expect("it can be written");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    Process::start(command, &directory.join("haproxy.log"), warden)
}
