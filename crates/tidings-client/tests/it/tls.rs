//! Tests of the client over TLS, with a rustls server.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tidings_client::{Client, ErrorKind, Received, Subscription, TokenSource};
use tidings_event::Start;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// A server that answers each request with a `ready` frame, then ends the stream or leaves it open and
/// silent.
struct Server {
    url: Url,
    certificate: String,
    /// The version, the token and the cursor of each request.
    requests: mpsc::Receiver<(Version, Option<String>, Option<String>)>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A body with one frame, which then ends or stays silent.
struct StubResponse {
    frame: Option<Bytes>,
    ends: bool,
}

impl Body for StubResponse {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.frame.take() {
            Some(frame) => std::task::Poll::Ready(Some(Ok(Frame::data(frame)))),
            None if self.ends => std::task::Poll::Ready(None),
            // Stays silent: nothing wakes this task.
            None => std::task::Poll::Pending,
        }
    }
}

const READY: &str = "event: ready\nid: 1-7-k3f9q2w8\n\
                     data: {\"cursor\":\"1-7-k3f9q2w8\",\"head\":\"1-7-k3f9q2w8\"}\n\n";

impl Server {
    async fn start(protocols: &[&str], ends: bool) -> Self {
        let minted = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let CertifiedKey { cert, signing_key } = minted;
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    // A client that does not trust the certificate disconnects.
                    let Ok(socket) = acceptor.accept(socket).await else {
                        return;
                    };
                    let response = service_fn(move |request: Request<Incoming>| {
                        let header = |name| {
                            let value = request.headers().get(name)?;
                            Some(value.to_str().unwrap().to_owned())
                        };
                        let seen = (
                            request.version(),
                            header("authorization"),
                            header("last-event-id"),
                        );
                        sender.try_send(seen).unwrap();
                        let frame = Some(Bytes::from_static(READY.as_bytes()));
                        let response = Response::builder()
                            .header("content-type", "text/event-stream")
                            .body(StubResponse { frame, ends });
                        async { response }
                    });
                    let builder = auto::Builder::new(TokioExecutor::new());
                    // An error means that the client has disconnected.
                    let _ = builder
                        .serve_connection(TokioIo::new(socket), response)
                        .await;
                });
            }
        });
        Self {
            url: url.parse().unwrap(),
            certificate: cert.pem(),
            requests,
            task,
        }
    }

    fn follow(&self) -> Subscription {
        let client = Client::builder(self.url.clone())
            .with_ca_certificates(self.certificate.as_str())
            .with_token(TokenSource::fixed("secret").unwrap())
            .build()
            .unwrap();
        client
            .subscribe(Start::Now)
            .with_retry_base(Duration::from_millis(1))
    }
}

async fn is_ready(follow: &mut Subscription) -> bool {
    match follow.next().await.unwrap() {
        Received::Item(item) => item.name() == Some("ready"),
        Received::Disconnected { .. } => false,
    }
}

#[tokio::test]
async fn rejects_an_untrusted_certificate_before_sending_a_request() {
    let mut server = Server::start(&["h2", "http/1.1"], true).await;
    // Trusts only another authority, so that the test does not depend on the machine's authorities.
    let other = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let client = Client::builder(server.url.clone())
        .with_ca_certificates(other.cert.pem())
        .with_token(TokenSource::fixed("secret").unwrap())
        .build()
        .unwrap();
    let error = client.subscribe(Start::Now).next().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Untrusted { .. }),
        "{error:?}"
    );
    assert!(!error.is_temporary());
    let error = client.summary().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Untrusted { .. }),
        "{error:?}"
    );
    server.requests.try_recv().unwrap_err();
}

#[tokio::test]
async fn resumes_over_each_version_of_http() {
    for (protocols, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
    ] {
        let mut server = Server::start(protocols, true).await;
        let mut follow = server.follow();
        assert!(is_ready(&mut follow).await);
        assert!(
            !is_ready(&mut follow).await,
            "expected the end of the stream"
        );
        assert!(is_ready(&mut follow).await);
        let secret = Some("Bearer secret".to_owned());
        let first = server.requests.recv().await.unwrap();
        assert_eq!(first, (version, secret.clone(), None));
        let second = server.requests.recv().await.unwrap();
        assert_eq!(second, (version, secret, Some("1-7-k3f9q2w8".to_owned())));
    }
}

#[tokio::test]
async fn resumes_a_silent_stream_over_http2() {
    let mut server = Server::start(&["h2"], false).await;
    let mut follow = server
        .follow()
        .with_silence_limit(Duration::from_millis(50));
    assert!(is_ready(&mut follow).await);
    match follow.next().await.unwrap() {
        Received::Disconnected { error, .. } => {
            assert!(matches!(error.kind(), ErrorKind::StreamSilent { .. }));
        }
        Received::Item(item) => panic!("{item:?}"),
    }
    assert!(is_ready(&mut follow).await);
    let (version, ..) = server.requests.recv().await.unwrap();
    assert_eq!(version, Version::HTTP_2);
    let (_, _, cursor) = server.requests.recv().await.unwrap();
    assert_eq!(cursor.as_deref(), Some("1-7-k3f9q2w8"));
}
