//! TLS, and the server's certificate.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use tempfile::TempDir;
use tidings_server::{BindError, Server, TlsConfig, TlsError};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::app::{EVENTS, Running, TestApp, event, within};
use crate::log::{errors, logged};
use crate::stream::Stream;
use crate::wire;

pub(crate) const HTTP_1: &[u8] = b"http/1.1";
pub(crate) const HTTP_2: &[u8] = b"h2";

/// A server over TLS.
pub(crate) struct Secured {
    pub(crate) app: TestApp,
    pub(crate) server: Running,
    files: Files,
    /// The certificates that a client trusts.
    trusted: Vec<CertificateDer<'static>>,
}

/// A certificate and its key in a temporary directory.
pub(crate) struct Files {
    directory: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        Self { directory }
    }

    pub(crate) fn config(&self) -> TlsConfig {
        TlsConfig::new(
            self.directory.path().join("certificate.pem"),
            self.directory.path().join("key.pem"),
        )
    }

    /// Replaces the pair.
    fn renew(&self) -> CertificateDer<'static> {
        let (certificate, key, der) = mint();
        self.replace(&self.config().key_file, &key);
        self.replace(&self.config().certificate_file, &certificate);
        der
    }

    fn replace(&self, file: &Path, text: &str) {
        let new = self.directory.path().join("new");
        std::fs::write(&new, text).expect("a file can be written");
        std::fs::rename(&new, file).expect("a file can be replaced");
    }
}

fn mint() -> (String, String, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("mints");
    (cert.pem(), signing_key.serialize_pem(), cert.der().clone())
}

impl Secured {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut tidings_server::Config)) -> Self {
        let files = Files::new();
        let trusted = vec![files.renew()];
        let app = TestApp::with(|config| {
            config.tls = Some(files.config());
            change(config);
        })
        .await;
        Self {
            server: app.serve(),
            app,
            files,
            trusted,
        }
    }

    /// A connection after its handshake.
    pub(crate) async fn connect(
        &self,
        protocols: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_by(protocols, rustls::ALL_VERSIONS).await
    }

    async fn connect_by(
        &self,
        protocols: &[&[u8]],
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        for certificate in &self.trusted {
            roots.add(certificate.clone()).expect("a certificate");
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("the versions are supported")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let address = self.server.address;
        let socket = within(TcpStream::connect(address)).await?;
        let name = ServerName::from(address.ip());
        within(TlsConnector::from(Arc::new(client)).connect(name, socket)).await
    }

    /// The certificate of a new connection.
    async fn shown(&self) -> CertificateDer<'static> {
        let socket = self
            .connect(&[HTTP_1])
            .await
            .expect("the handshake succeeds");
        let (_, session) = socket.get_ref();
        let shown = session.peer_certificates().expect("a certificate is shown");
        shown[0].clone()
    }

    /// A client that speaks HTTP/2.
    pub(crate) async fn http2(&self) -> Http2 {
        let socket = self
            .connect(&[HTTP_2])
            .await
            .expect("the handshake succeeds");
        self.http2_with(&http2::Builder::new(TokioExecutor::new()), socket)
            .await
    }

    /// An HTTP/2 client that reads no response body.
    pub(crate) async fn http2_without_window(&self) -> Http2 {
        let socket = self
            .connect(&[HTTP_2])
            .await
            .expect("the handshake succeeds");
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(0);
        self.http2_with(&builder, socket).await
    }

    async fn http2_with(
        &self,
        builder: &http2::Builder<TokioExecutor>,
        socket: TlsStream<TcpStream>,
    ) -> Http2 {
        let handshake = builder.handshake(TokioIo::new(socket));
        let (requests, connection) = within(handshake).await.expect("HTTP/2 begins");
        Http2 {
            requests,
            address: self.server.address,
            ended: tokio::spawn(connection),
        }
    }
}

/// An HTTP/2 connection.
pub(crate) struct Http2 {
    requests: http2::SendRequest<Full<Bytes>>,
    address: SocketAddr,
    pub(crate) ended: tokio::task::JoinHandle<hyper::Result<()>>,
}

impl Http2 {
    pub(crate) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Response<Incoming> {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.address))
            .header("content-type", "application/json")
            .body(Full::from(body.to_owned()))
            .expect("a request");
        within(self.requests.send_request(request))
            .await
            .expect("a response")
    }

    pub(crate) async fn subscribe(&mut self) -> Stream {
        let path = format!("{EVENTS}/subscribe");
        Stream::of(self.call(Method::GET, &path, "").await)
    }
}

#[tokio::test]
async fn publishes_lists_and_streams_in_both_protocols() {
    let secured = Secured::start().await;
    let mut client = secured.http2().await;
    let mut stream = client.subscribe().await;
    assert!(!stream.headers.contains_key("connection"));
    stream.until("live").await;
    let body = event("over HTTP/2").to_string();
    let published = client.call(Method::POST, EVENTS, &body).await;
    assert_eq!(published.status(), 201);
    assert_eq!(stream.expect_next().await.description(), "over HTTP/2");
    let listed = wire::read(client.call(Method::GET, EVENTS, "").await).await;
    assert_eq!(listed.json()["events"][0]["description"], "over HTTP/2");

    let socket = secured.connect(&[HTTP_1]).await.unwrap();
    let (mut requests, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(EVENTS)
        .header("host", secured.server.address.to_string())
        .body(Full::<Bytes>::default())
        .unwrap();
    let listed = wire::read(within(requests.send_request(request)).await.unwrap()).await;
    assert_eq!(listed.json()["events"][0]["description"], "over HTTP/2");
}

#[tokio::test]
async fn negotiates_version_and_protocol() {
    let secured = Secured::start().await;
    for (offered, chosen) in [
        (&[HTTP_2, HTTP_1][..], Some(HTTP_2)),
        (&[HTTP_1, HTTP_2], Some(HTTP_2)),
        (&[HTTP_1], Some(HTTP_1)),
        (&[], None),
    ] {
        for (version, name) in [
            (&version::TLS12, ProtocolVersion::TLSv1_2),
            (&version::TLS13, ProtocolVersion::TLSv1_3),
        ] {
            let socket = secured.connect_by(offered, &[version]).await.unwrap();
            let (_, session) = socket.get_ref();
            assert_eq!(session.alpn_protocol(), chosen);
            assert_eq!(session.protocol_version(), Some(name));
        }
    }
    assert!(secured.connect(&[b"gopher" as &[u8]]).await.is_err());
    // The port does not serve HTTP without TLS.
    let plain = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut socket = wire::send_raw(secured.server.address, plain).await;
    let mut response = Vec::new();
    let _ = within(socket.read_to_end(&mut response)).await;
    assert!(!response.starts_with(b"HTTP/"));
}

#[tokio::test]
async fn shows_a_new_certificate_while_streams_continue() {
    let mut errors = errors();
    let mut secured = Secured::start().await;
    let mut client = secured.http2().await;
    let mut stream = client.subscribe().await;
    stream.until("live").await;
    let old = secured.shown().await;

    // A key without its certificate is rejected.
    let (certificate, key, new) = mint();
    let config = secured.files.config();
    secured.files.replace(&config.key_file, &key);
    let folder = secured.files.directory.path().display().to_string();
    logged(&mut errors, ["could not reload", &folder]).await;
    assert_eq!(secured.shown().await, old);

    secured
        .files
        .replace(&config.certificate_file, &certificate);
    secured.trusted.push(new.clone());
    within(async {
        while secured.shown().await != new {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    secured.app.publish(&event("after the change")).await;
    let frame = stream.expect_next().await;
    assert_eq!(frame.description(), "after the change");
    assert!(!client.ended.is_finished());
}

#[tokio::test]
async fn gives_up_a_silent_handshake_without_delaying_others() {
    let secured = Secured::with(|config| {
        config.connections.header_timeout = Duration::from_millis(300);
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(wire::send_raw(secured.server.address, b"").await);
        // The start of a handshake.
        silent.push(wire::send_raw(secured.server.address, &[22, 3, 1]).await);
    }
    let mut client = secured.http2().await;
    assert_eq!(client.call(Method::GET, "/healthz", "").await.status(), 200);
    for mut socket in silent {
        let mut rest = Vec::new();
        let _ = within(socket.read_to_end(&mut rest)).await;
    }
    let metrics = wire::read(
        secured
            .http2()
            .await
            .call(Method::GET, "/metrics", "")
            .await,
    )
    .await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(
        metrics.contains("tidings_tls_handshakes_failed_total 40\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn does_not_start_with_an_unusable_certificate() {
    let files = Files::new();
    let app = TestApp::with(|config| config.tls = Some(files.config())).await;
    let bind = || {
        let bound = Server::bind(app.engine.clone(), app.config.clone());
        bound.map(|server| server.url())
    };
    let missing = bind().unwrap_err();
    assert!(
        matches!(&missing, BindError::Tls(TlsError::Read { file, .. }) if *file == files.config().certificate_file),
        "{missing:?}"
    );
    files.renew();
    let (_, key, _) = mint();
    files.replace(&files.config().key_file, &key);
    let mismatch = bind().unwrap_err();
    let text = mismatch.to_string();
    for file in ["key.pem", "certificate.pem"] {
        assert!(text.contains(file), "{text}");
    }
    files.renew();
    assert!(bind().unwrap().starts_with("https://127.0.0.1:"));
}
