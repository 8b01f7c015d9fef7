//! The memory of idle streams, as the allocator counts it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use jiff::Timestamp;
use peak_alloc::PeakAlloc;
use tempfile::TempDir;
use tidings::Tidings;
use tidings_event::OwnerId;
use tidings_server::{
    Config, Identity, KeySource, MintRequest, Scopes, Secret, Server, TokenConfig, Tokens, mint,
};
use tokio::sync::oneshot;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The first streams do not count: they include what the server allocates once.
const WARM_UP: usize = 64;
const STREAMS: usize = 1_000;

/// The most memory of an idle stream with a token of its own.
const ALLOWED_BYTES: usize = 2 * 1024;

/// Opens a stream of a new user, and reads it until it is live. The client needs no memory.
fn open(server: SocketAddr, secret: &Secret) -> TcpStream {
    let expires = Timestamp::now() + Duration::from_secs(3600);
    let request = MintRequest::new(OwnerId::mint(), Scopes::USER, expires);
    let token = mint(secret, &request).expect("it can be signed");
    let mut socket = TcpStream::connect(server).expect("it listens");
    let head = format!(
        "GET /api/system/events/subscribe HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).expect("it is sent");
    let mut text = Vec::new();
    let mut buffer = [0; 1024];
    while !String::from_utf8_lossy(&text).contains("event: live") {
        let bytes = socket.read(&mut buffer).expect("it answers");
        assert!(bytes > 0, "{}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&buffer[..bytes]);
    }
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_stream_takes_at_most_two_kib() {
    let place = TempDir::new().expect("a directory");
    let secret_file = place.path().join("secret");
    std::fs::write(&secret_file, Secret::new_line().expect("a secret")).expect("writable");
    let secret = Secret::read(&secret_file).expect("it is long enough");
    let tokens = TokenConfig::new(KeySource::SecretFile(secret_file));
    let mut config = Config::default();
    config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.identity = Identity::Tokens(Tokens::open(tokens).await.expect("they open"));
    let data = tidings::Config::new(place.path().join("data"));
    let engine = Tidings::open(data).await.expect("it opens");
    let server = Server::bind(engine.clone(), config).expect("it binds");
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));

    let opened = tokio::task::spawn_blocking(move || {
        let open = |number| -> Vec<_> { (0..number).map(|_| open(address, &secret)).collect() };
        let first = open(WARM_UP);
        let before = PeakAlloc.current_usage();
        let streams = open(STREAMS);
        let each = PeakAlloc.current_usage().saturating_sub(before) / STREAMS;
        (first, streams, each)
    });
    let (first, streams, each) = opened.await.expect("all are served");
    assert!(each <= ALLOWED_BYTES, "{each} bytes");
    // The allocator counts: a stream cannot be smaller than its position and its credential.
    assert!(each > 256, "{each} bytes");
    drop((first, streams, stop));
    running.await.expect("it ends");
    engine.close().await;
}
