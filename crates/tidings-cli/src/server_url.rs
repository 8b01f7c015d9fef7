//! Which server a command talks to.

use tidings_client::Client;
use url::Url;

use crate::access::Access;

/// The server's address and how to get in, for every command that is a client.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerUrl {
    /// The server's address. A path is kept, for a server behind a path of another.
    #[arg(
        long,
        env = "TIDINGS_URL",
        value_name = "URL",
        default_value = DEFAULT_URL
    )]
    url: Url,
    #[command(flatten)]
    access: Access,
}

/// Where `tidings serve` listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:9081";

/// The address of a server that nobody has named.
pub(crate) fn default_url() -> Url {
    DEFAULT_URL.parse().expect("it is a URL")
}

impl ServerUrl {
    /// A client of this server. Nothing is sent yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        self.access.client(&self.url)
    }

    /// How to get in.
    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }
}
