//! Configuration of a client.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Proxy};
use url::{Host, Url};

use crate::client::Client;
use crate::error::{ClientError, ErrorKind};
use crate::fault::{OptionFault, TrustFault, UrlFault};
use crate::token::TokenSource;
use crate::transport::{Timeouts, Transport};

/// The default time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The interval of pings on an HTTP/2 connection, and the time limit for the response. All requests share
/// the connection and would wait for minutes on a dead one. The sum is less than the silence after which
/// a stream reconnects.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The flow-control windows of one HTTP/2 response and of a connection. Streams that the caller does not
/// read delay other responses only if there are 64 of them.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 64 * STREAM_WINDOW_BYTES;

/// Headers that the client sets on its requests.
const OWN_HEADERS: [&str; 6] = [
    "accept",
    "cache-control",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
];

impl Client {
    /// A client without a token for the server at `base_url`, such as `http://127.0.0.1:9081`. A path is
    /// kept, for a server behind a reverse proxy. This call sends nothing.
    ///
    /// # Errors
    ///
    /// Same as [`ClientBuilder::build`].
    pub fn new(base_url: Url) -> Result<Self, ClientError> {
        Self::builder(base_url).build()
    }

    /// Configures a client for the server at `base_url`.
    pub const fn builder(base_url: Url) -> ClientBuilder {
        ClientBuilder::new(base_url)
    }
}

/// Configures a [`Client`]; created by [`Client::builder`].
///
/// ```
/// use std::time::Duration;
///
/// use tidings_client::{Client, TokenSource};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("https://tidings.example.org".parse()?)
///     .with_token(TokenSource::file("/run/secrets/tidings-token"))
///     .with_request_timeout(Duration::from_secs(5))
///     .with_proxy("http://proxy.example.org:3128".parse()?)
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    server: Url,
    token: Option<TokenSource>,
    plain_http_allowed: bool,
    certificates: Vec<Vec<u8>>,
    headers: Option<HeaderMap>,
    request_timeout: Option<Duration>,
    bulk_timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    proxy: Option<Url>,
    http: Option<reqwest::Client>,
}

impl ClientBuilder {
    const fn new(server: Url) -> Self {
        Self {
            server,
            token: None,
            plain_http_allowed: false,
            certificates: Vec::new(),
            headers: None,
            request_timeout: None,
            bulk_timeout: None,
            connect_timeout: None,
            proxy: None,
            http: None,
        }
    }

    /// Sends a token with each request and each connection of a stream.
    pub fn with_token(mut self, token: TokenSource) -> Self {
        self.token = Some(token);
        self
    }

    /// Allows a token over http to another machine, where anyone on the network path can read it. Use
    /// this only in networks with their own encryption, such as a VPN or a service mesh.
    pub const fn allow_plain_http(mut self) -> Self {
        self.plain_http_allowed = true;
        self
    }

    /// Trusts these certificate authorities for https, in addition to those of the machine. Can be called
    /// several times.
    ///
    /// `pem` contains one or more certificates (RFC 7468). [`build`](Self::build) validates them.
    pub fn with_ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(pem.into());
        self
    }

    /// Sets the time limit of a request, and of opening a stream; 30 seconds by default. An open stream
    /// has no time limit.
    pub const fn with_request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = Some(limit);
        self
    }

    /// Sets the time limit of [`Client::change`]; 10 minutes by default.
    pub const fn with_bulk_timeout(mut self, limit: Duration) -> Self {
        self.bulk_timeout = Some(limit);
        self
    }

    /// Sets the time limit for opening a connection; 10 seconds by default.
    pub const fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Sends every request through this proxy, an `http` or `https` URL. A user name and password in the
    /// URL authenticate to the proxy. By default the client uses no proxy and ignores `HTTP_PROXY` and
    /// similar variables, so that it can always reach a server on the same machine.
    pub fn with_proxy(mut self, proxy: Url) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Adds headers to every request, for example for a gateway in front of the server. Replaces the
    /// headers of an earlier call.
    ///
    /// The client sets `accept`, `cache-control`, `content-length`, `content-type`, `host` and
    /// `last-event-id` itself, and `authorization` if it has a token; [`build`](Self::build) rejects
    /// these. The type is [`reqwest::header::HeaderMap`], which is that of the `http` crate.
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = Some(headers);
        self
    }

    /// Sends every request with this HTTP client, for example to share its connections.
    ///
    /// The HTTP client's own settings then apply, so this cannot be combined with
    /// [`with_ca_certificates`](Self::with_ca_certificates), [`with_connect_timeout`](Self::with_connect_timeout)
    /// and [`with_proxy`](Self::with_proxy): [`build`](Self::build) rejects that. `tidings-client` also
    /// cannot control these settings of the HTTP client:
    ///
    /// - **timeout:** do not set one; it would end every stream. Use
    ///   [`with_request_timeout`](Self::with_request_timeout).
    /// - **redirects:** disable them (`redirect::Policy::none()`), so that no request goes to another
    ///   server.
    /// - **HTTP/2 keep-alive:** without pings, a dead connection is detected only when a stream is silent
    ///   for 45 seconds.
    ///
    /// `reqwest` is re-exported as [`tidings_client::reqwest`](crate::reqwest), so that the versions
    /// match.
    pub fn with_http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Creates the client. This call sends nothing.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidUrl`] if the URL cannot be the address of a server;
    /// - [`ErrorKind::PlainHttp`] if the token would leave this machine unencrypted;
    /// - [`ErrorKind::InvalidOption`] if an option is invalid or conflicts with another;
    /// - [`ErrorKind::Trust`] if certificates cannot be read, or if the URL is https and the machine has no
    ///   certificate authorities.
    pub fn build(self) -> Result<Client, ClientError> {
        check_url(&self.server).map_err(|fault| ClientError::new(ErrorKind::InvalidUrl(fault)))?;
        let over_tls = self.server.scheme() == "https";
        let is_exposed = !over_tls && !self.plain_http_allowed && !is_loopback(&self.server);
        if self.token.is_some() && is_exposed {
            let server = self.server;
            return Err(ClientError::new(ErrorKind::PlainHttp { server }));
        }
        self.check_options()
            .map_err(|fault| ClientError::new(ErrorKind::InvalidOption(fault)))?;
        let default = Timeouts::default();
        let timeouts = Timeouts {
            request: self.request_timeout.unwrap_or(default.request),
            bulk: self.bulk_timeout.unwrap_or(default.bulk),
        };
        let http = match &self.http {
            Some(http) => http.clone(),
            None => self.http_client(over_tls)?,
        };
        Ok(Client::over(Transport {
            http,
            server: self.server,
            token: self.token,
            headers: self.headers.unwrap_or_default(),
            timeouts,
        }))
    }

    fn check_options(&self) -> Result<(), OptionFault> {
        if self.http.is_some() {
            let conflicts = [
                (!self.certificates.is_empty(), "with_ca_certificates"),
                (self.connect_timeout.is_some(), "with_connect_timeout"),
                (self.proxy.is_some(), "with_proxy"),
            ];
            if let Some((_, option)) = conflicts.into_iter().find(|(is_set, _)| *is_set) {
                return Err(OptionFault::Conflict { option });
            }
        }
        if let Some(proxy) = &self.proxy
            && !matches!(proxy.scheme(), "http" | "https")
        {
            let scheme = proxy.scheme().to_owned();
            return Err(OptionFault::ProxyScheme { scheme });
        }
        let is_reserved = |name: &str| {
            OWN_HEADERS.contains(&name) || (self.token.is_some() && name == AUTHORIZATION.as_str())
        };
        let mut names = self.headers.iter().flat_map(HeaderMap::keys);
        match names.find(|name| is_reserved(name.as_str())) {
            Some(name) => Err(OptionFault::ReservedHeader {
                name: name.as_str().to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn http_client(&self, over_tls: bool) -> Result<reqwest::Client, ClientError> {
        let authorities = authorities(&self.certificates)?;
        let fault = if authorities.is_empty() {
            TrustFault::Nobody
        } else {
            TrustFault::Unusable
        };
        let http = reqwest::Client::builder()
            // A redirect must not send a token to another server.
            .redirect(Policy::none())
            .connect_timeout(self.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
            .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
            .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
            .user_agent(concat!("tidings-client/", env!("CARGO_PKG_VERSION")));
        let http = match &self.proxy {
            // A proxy from the environment would also receive requests to the loopback address.
            None => http.no_proxy(),
            Some(proxy) => {
                let proxy = Proxy::all(proxy.clone()).map_err(|error| {
                    let fault = OptionFault::ProxyUrl;
                    ClientError::new(ErrorKind::InvalidOption(fault)).with_source(error)
                })?;
                http.proxy(proxy)
            }
        };
        let http = if over_tls {
            http.tls_certs_merge(authorities)
        } else {
            // Over http no certificate is checked. Without this, every client would read the machine's
            // certificates and would fail on a machine that has none.
            http.tls_certs_only([])
        };
        http.build()
            .map_err(|error| ClientError::new(ErrorKind::Trust(fault)).with_source(error))
    }
}

fn authorities(bundles: &[Vec<u8>]) -> Result<Vec<Certificate>, ClientError> {
    let mut all = Vec::new();
    for pem in bundles {
        let some = Certificate::from_pem_bundle(pem).map_err(|error| {
            ClientError::new(ErrorKind::Trust(TrustFault::NotPem)).with_source(error)
        })?;
        if some.is_empty() {
            return Err(ClientError::new(ErrorKind::Trust(TrustFault::NotPem)));
        }
        all.extend(some);
    }
    Ok(all)
}

fn check_url(url: &Url) -> Result<(), UrlFault> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlFault::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlFault::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlFault::QueryOrFragment);
    }
    Ok(())
}

/// Whether requests to `url` stay on this machine. Of all names, only `localhost` is known to (RFC 6761
/// §6.3); other names can resolve to any address.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
