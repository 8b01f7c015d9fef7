//! Which server a command talks to.

use anyhow::Context as _;
use tidings_client::Client;
use url::Url;

/// The server's address, for every command that is a client.
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
}

/// Where `tidings serve` listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:9081";

impl Default for ServerUrl {
    fn default() -> Self {
        let url = DEFAULT_URL.parse().expect("it is a URL");
        Self { url }
    }
}

impl From<Url> for ServerUrl {
    fn from(url: Url) -> Self {
        Self { url }
    }
}

impl ServerUrl {
    /// A client of this server. Nothing is sent yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Client::new(self.url.clone()).context("--url (or TIDINGS_URL) cannot be used")
    }
}
