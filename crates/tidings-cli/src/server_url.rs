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
        default_value = "http://127.0.0.1:9081"
    )]
    url: Url,
}

impl ServerUrl {
    /// A client of this server. Nothing is sent yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Client::new(self.url.clone()).context("--url (or TIDINGS_URL) cannot be used")
    }
}
