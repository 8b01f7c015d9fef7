//! The server that a command talks to.

use tidings_client::Client;
use url::Url;

use crate::access::AccessArgs;

/// The flags of every command that calls a server.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerUrl {
    /// URL of the server, with the path if it is mounted below one
    #[arg(
        long,
        env = "TIDINGS_URL",
        value_name = "URL",
        default_value = DEFAULT_URL
    )]
    url: Url,
    #[command(flatten)]
    access: AccessArgs,
}

/// Where `tidings serve` listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:9081";

/// The URL if none is given.
pub(crate) fn default_url() -> Url {
    DEFAULT_URL.parse().expect("it is a URL")
}

impl ServerUrl {
    /// A client of this server; it sends nothing yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        self.access.client(&self.url)
    }

    /// Credentials and trusted certificates.
    pub(crate) const fn access(&self) -> &AccessArgs {
        &self.access
    }
}
