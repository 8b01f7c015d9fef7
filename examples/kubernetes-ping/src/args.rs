//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use uuid::Uuid;

/// Pings Kubernetes clusters and tells the user how it went.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// Address to listen on. Must be a loopback address, since there is no login.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Data directory. Created if it is missing.
    #[arg(long, value_name = "DIR", default_value = "./ping-data")]
    pub data_dir: PathBuf,

    /// Kubeconfig file with the contexts. Read for every ping.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    pub kubeconfig: PathBuf,

    /// Connection and its context (repeatable).
    #[arg(long, value_name = "UUID=CONTEXT", value_parser = connection)]
    pub connection: Vec<(Uuid, String)>,
}

fn connection(text: &str) -> Result<(Uuid, String), String> {
    let (id, context) = text
        .split_once('=')
        .ok_or("give the connection's UUID, `=`, and the name of a context")?;
    let id = id.parse().map_err(|error| format!("{id}: {error}"))?;
    Ok((id, context.to_owned()))
}
