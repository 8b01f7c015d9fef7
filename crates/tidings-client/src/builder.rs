//! How a client is made: which token it shows, and whom it trusts.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Certificate;
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::client::Client;
use crate::error::{ClientError, ErrorKind};
use crate::fault::{TrustFault, UrlFault};
use crate::token::TokenSource;
use crate::transport::Transport;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an HTTP/2 connection is asked whether it lives, and how long it may take to answer. All
/// requests share it, and would go to a dead one for minutes. Both together are less than the silence
/// after which a stream reconnects.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of one answer over HTTP/2 may be under way, and how much of all of a connection: streams
/// that the caller does not read from hold up the others only when there are 64 of them.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 64 * STREAM_WINDOW_BYTES;

/// Makes a [`Client`]; from [`Client::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    server: Url,
    token: Option<TokenSource>,
    plain_http_allowed: bool,
    certificates: Vec<Vec<u8>>,
}

impl Client {
    /// A client without a token of the server at `base_url`, such as `http://127.0.0.1:9081`. A path is kept, for a
    /// server behind a path of another. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidUrl`](crate::ErrorKind::InvalidUrl), which says what is wrong with it; and as
    /// [`ClientBuilder::build`] for an https URL.
    pub fn new(base_url: Url) -> Result<Self, ClientError> {
        Self::builder(base_url).build()
    }

    /// Makes a client with a token, or one that trusts a private authority.
    pub fn builder(base_url: Url) -> ClientBuilder {
        ClientBuilder::new(base_url)
    }
}

impl ClientBuilder {
    fn new(server: Url) -> Self {
        Self {
            server,
            token: None,
            plain_http_allowed: false,
            certificates: Vec::new(),
        }
    }

    /// Shows a token with each request and each connection of a stream.
    pub fn with_token(mut self, token: TokenSource) -> Self {
        self.token = Some(token);
        self
    }

    /// Lets a token go over http to another machine, where everybody on the way can read and use it.
    /// Only for networks that encrypt by themselves, such as a VPN or a service mesh.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http_allowed = true;
        self
    }

    /// Trusts these certificate authorities over https, beside those that the machine trusts. May be
    /// called several times.
    ///
    /// `pem` is one or more certificates (RFC 7468), judged by [`build`](Self::build).
    pub fn with_ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(pem.into());
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidUrl`], which says what is wrong with the URL;
    /// - [`ErrorKind::PlainHttp`] for a token that would leave this machine unencrypted;
    /// - [`ErrorKind::Trust`] for certificates that cannot be read, or an https URL on a machine that
    ///   trusts nobody.
    pub fn build(self) -> Result<Client, ClientError> {
        let server = self.server;
        check(&server).map_err(|fault| ClientError::new(ErrorKind::InvalidUrl(fault)))?;
        let over_tls = server.scheme() == "https";
        if self.token.is_some() && !over_tls && !self.plain_http_allowed && !is_loopback(&server) {
            return Err(ClientError::new(ErrorKind::PlainHttp { server }));
        }
        let authorities = authorities(&self.certificates)?;
        let fault = if authorities.is_empty() {
            TrustFault::Nobody
        } else {
            TrustFault::Unusable
        };
        let http = reqwest::Client::builder()
            // A proxy from the environment would take requests to the loopback address away.
            .no_proxy()
            // Nor does a token follow a redirect to another server.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
            .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
            .user_agent(concat!("tidings-client/", env!("CARGO_PKG_VERSION")));
        let http = if over_tls {
            http.tls_certs_merge(authorities)
        } else {
            // Over http nobody's certificate is looked at. Else every client would read the machine's
            // certificates, and there could be none on a machine that has none.
            http.tls_certs_only([])
        };
        let http = http
            .build()
            .map_err(|error| ClientError::new(ErrorKind::Trust(fault)).with_source(error))?;
        Ok(Client::new_over(Transport::new(http, server, self.token)))
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

fn check(url: &Url) -> Result<(), UrlFault> {
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

/// Whether what is sent to `url` stays on this machine. Of the names only `localhost` is known to
/// (RFC 6761 §6.3); others may be resolved by somebody else.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder(url: &str) -> ClientBuilder {
        Client::builder(url.parse().unwrap())
    }

    #[test]
    fn a_url_that_cannot_be_a_server_is_refused_with_its_fault() {
        for (url, fault) in [
            ("ftp://host/", UrlFault::Scheme("ftp".into())),
            ("data:x", UrlFault::Scheme("data".into())),
            ("http://user@host/", UrlFault::Credentials),
            ("https://:secret@host/", UrlFault::Credentials),
            ("http://host/?a=b", UrlFault::QueryOrFragment),
            ("http://host/#a", UrlFault::QueryOrFragment),
        ] {
            let error = builder(url).build().unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::InvalidUrl(fault), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_token_leaves_the_machine_encrypted_unless_it_is_allowed_otherwise() {
        let with_token = |url| builder(url).with_token(TokenSource::fixed("secret").unwrap());
        for url in [
            "http://localhost:9081",
            "http://LOCALHOST",
            "http://127.9.0.1",
            "http://[::1]:1/",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(with_token(url).build().is_ok(), "{url}");
        }
        for url in [
            "http://example.org",
            "http://localhost.example.org",
            "http://10.0.0.1",
            "http://0.0.0.0:9081",
            "http://[::ffff:10.0.0.1]",
        ] {
            assert!(builder(url).build().is_ok(), "without a token: {url}");
            let error = with_token(url).build().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::PlainHttp { .. }), "{url}");
            assert!(error.to_string().contains("https"), "{error}");
            assert!(with_token(url).allow_plain_http().build().is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (pem, fault) in [
            ("", TrustFault::NotPem),
            ("no certificate", TrustFault::NotPem),
            ("-----BEGIN CERTIFICATE-----\n", TrustFault::NotPem),
            (BROKEN, TrustFault::Unusable),
        ] {
            let builder = builder("https://host/").with_ca_certificates(pem);
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Trust(fault), "{pem}");
        }
    }
}
