//! The memory of a server whose clients request large events and do not read the response.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use futures_util::future::join_all;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Client, StatusCode};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::server::{event, soon};
use crate::test_dir::TestDir;

const ALICE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";
const BOB: &str = "7b1d2c3e-0000-4000-8000-00000000000b";

/// The number of events. Each has 64 KiB of metadata, which would take 1 MiB as parsed values.
const EVENTS: usize = 100;
const NUMBERS: usize = 32_700;
const BATCH: usize = 50;

const PAGE: &str = "/api/system/events?pagesize=1000&count=none";

const MIB: u64 = 1024 * 1024;

/// The most memory that one account can make a server use.
const ALLOWED_GROWTH: u64 = 256 * MIB;

/// The most memory for one request.
const GROWTH_BY_ONE: u64 = 64 * MIB;

struct Server {
    process: Child,
    url: String,
    address: SocketAddr,
    http: Client,
}

impl Server {
    async fn start(mut command: Command, trusted: Option<&CertificateDer<'_>>) -> Self {
        command.env("TIDINGS_LOG", "warn").stdout(Stdio::piped());
        let mut process = command.spawn().expect("the binary starts");
        let output = process.stdout.take().expect("standard output is piped");
        let mut line = String::new();
        let mut output = BufReader::new(output);
        let read = soon("the server to listen", output.read_line(&mut line));
        read.await.expect("standard output can be read");
        let url = line.trim_end().strip_prefix("listening on ");
        let url = url.expect("an address follows").to_owned();
        let (_, address) = url.split_once("://").expect("it is a URL");
        let mut http = Client::builder().no_proxy();
        if let Some(trusted) = trusted {
            let trusted = reqwest::Certificate::from_der(trusted).expect("it is a certificate");
            http = http.tls_certs_only([trusted]);
        }
        Self {
            address: address.parse().expect("it is an address"),
            url,
            process,
            http: http.build().expect("a client is made"),
        }
    }

    fn status(&self, name: &str) -> u64 {
        let pid = self.process.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
        let status = status.expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: Option<u64> = kib.and_then(|kib| kib.parse().ok());
        kib.expect("it is given in kB") * 1024
    }

    /// Resets the peak and returns the current resident memory.
    fn begin_peak(&self) -> u64 {
        let pid = self.process.id().expect("it runs");
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the peak can be reset");
        self.status("VmRSS:")
    }

    fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Ends it, so that another one can have its data directory.
    async fn stop(mut self) {
        let killed = soon("the server to end", self.process.kill()).await;
        killed.expect("it can be killed");
    }

    async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.url);
        let response = soon("a response", self.http.get(url).bearer_auth(token).send()).await;
        let response = response.expect("the connection holds");
        let status = response.status();
        let body = soon("the body", response.json()).await;
        (status, body.expect("the body is JSON"))
    }

    async fn publish(&self, token: &str, events: &Value) {
        let url = format!("{}/api/system/events", self.url);
        let request = self.http.post(url).bearer_auth(token).json(events);
        let response = soon("a response", request.send()).await;
        assert_eq!(
            response.expect("the connection holds").status(),
            StatusCode::CREATED
        );
    }

    /// Requests a page and reads only the first line of the response.
    async fn leave_page(&self, token: &str) -> (TcpStream, String) {
        let mut socket = TcpStream::connect(self.address).await.expect("connects");
        let request = format!(
            "GET {PAGE} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
            self.address
        );
        socket
            .write_all(request.as_bytes())
            .await
            .expect("it is sent");
        let mut line = vec![0; "HTTP/1.1 200".len()];
        let begun = soon("a response to begin", socket.read_exact(&mut line)).await;
        begun.expect("it is answered");
        (socket, String::from_utf8(line).expect("it is text"))
    }
}

async fn fill(server: &Server, token: &str) {
    let mut large = event(ALICE, "large");
    large.as_object_mut().expect("an object").remove("id");
    large["metadata"] = json!({"a": vec![0; NUMBERS]});
    let batch = Value::from(vec![large; BATCH]);
    for _ in 0..EVENTS / BATCH {
        server.publish(token, &batch).await;
    }
}

/// The number of events in the whole list, read by `next`.
async fn listed(server: &Server, token: &str) -> usize {
    let (mut number, mut path) = (0, PAGE.to_owned());
    loop {
        let (status, page) = server.get(&path, token).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        number += page["events"].as_array().expect("a list").len();
        match page["next"].as_str() {
            Some(next) => path = format!("{PAGE}&next={next}"),
            None => return number,
        }
    }
}

#[tokio::test]
async fn unread_lists_use_little_memory_and_delay_no_other_user() {
    let place = TestDir::new().await;
    let (alice, bob) = (place.token(ALICE, &[]).await, place.token(BOB, &[]).await);
    let server = Server::start(place.serve(&[]), None).await;
    fill(&server, &alice).await;
    server.publish(&bob, &event(BOB, "of Bob")).await;

    let before = server.begin_peak();
    assert_eq!(listed(&server, &alice).await, EVENTS);
    let by_number = server
        .get("/api/system/events?page=0&pagesize=1000", &alice)
        .await
        .1;
    assert_eq!(by_number["events"].as_array().map(Vec::len), Some(EVENTS));
    let growth = server.peak().saturating_sub(before);
    assert!(growth < GROWTH_BY_ONE, "{} MiB for a list", growth / MIB);

    let left = join_all((0..80).map(|_| server.leave_page(&alice)));
    let others = async {
        for _ in 0..5 {
            let (status, page) = server.get(PAGE, &bob).await;
            assert_eq!(
                (status, &page["events"][0]["description"]),
                (StatusCode::OK, &json!("of Bob"))
            );
        }
    };
    let (left, ()) = tokio::join!(left, others);
    let served = left
        .iter()
        .filter(|(_, line)| line.ends_with("200"))
        .count();
    let rejected = left
        .iter()
        .filter(|(_, line)| line.ends_with("429"))
        .count();
    assert!(
        served > 4 && served + rejected == 80,
        "{served} served, {rejected} rejected"
    );
    let growth = server.peak().saturating_sub(before);
    assert!(growth < ALLOWED_GROWTH, "{} MiB for 80 lists", growth / MIB);
    let (status, _) = server.get("/api/system/events/summary", &alice).await;
    assert_eq!(status, StatusCode::OK);

    drop(left);
    assert_eq!(listed(&server, &alice).await, EVENTS);
    server.stop().await;
    over_http2(&place, &alice, &bob).await;
}

/// Repeats the test with an HTTP/2 client that never opens the window of a stream.
async fn over_http2(place: &TestDir, alice: &str, bob: &str) {
    let minted = generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("it is minted");
    let CertifiedKey { cert, signing_key } = minted;
    let (cert_file, key_file) = (place.path("cert.pem"), place.path("key.pem"));
    std::fs::write(&cert_file, cert.pem()).expect("it is written");
    std::fs::write(&key_file, signing_key.serialize_pem()).expect("it is written");
    let mut command = place.serve(&[]);
    command
        .arg("--tls-cert")
        .arg(cert_file)
        .arg("--tls-key")
        .arg(key_file);
    let server = Server::start(command, Some(cert.der())).await;
    assert_eq!(listed(&server, alice).await, EVENTS);

    let before = server.begin_peak();
    let mut stalled = connect_http2(&server, cert.der()).await;
    stalled
        .write_all(&without_window(&server, alice, 100))
        .await
        .expect("it is sent");
    let others = async {
        for _ in 0..5 {
            assert_eq!(server.get(PAGE, bob).await.0, StatusCode::OK);
        }
    };
    let mut frames = Vec::new();
    let (ended, ()) = tokio::join!(
        soon(
            "the server to close the connection",
            stalled.read_to_end(&mut frames)
        ),
        others
    );
    drop(ended);
    let heads = kinds(&frames).filter(|kind| *kind == HEADERS).count();
    assert!(heads > 4, "{heads} responses began");
    let growth = server.peak().saturating_sub(before);
    assert!(
        growth < ALLOWED_GROWTH,
        "{} MiB for 100 streams",
        growth / MIB
    );
    assert_eq!(listed(&server, alice).await, EVENTS);
}

async fn connect_http2(server: &Server, trusted: &CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("it is a certificate");
    let mut client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions are supported")
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec()];
    let socket = TcpStream::connect(server.address).await.expect("connects");
    let name = ServerName::from(server.address.ip());
    let connecting = TlsConnector::from(Arc::new(client)).connect(name, socket);
    soon("the handshake", connecting)
        .await
        .expect("it succeeds")
}

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;

/// An HTTP/2 frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a short payload")
        .to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The bytes of a client that starts `streams` requests for a page, each with a window of 0.
fn without_window(server: &Server, token: &str, streams: u32) -> Vec<u8> {
    const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];
    /// `END_STREAM` and `END_HEADERS`: the head is complete and has no body.
    const ALL: u8 = 0x5;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let window = [&INITIAL_WINDOW_SIZE[..], &[0; 4]].concat();
    bytes.extend(frame(SETTINGS, 0, 0, &window));
    // `:method: GET` and `:scheme: https` from the static table, the rest without indexing (RFC 7541).
    let mut head = b"\x82\x87\x04".to_vec();
    put_text(&mut head, PAGE);
    head.push(0x01);
    put_text(&mut head, &server.address.to_string());
    // `authorization` has index 23 in the static table.
    head.extend([0x0f, 23 - 15]);
    put_text(&mut head, &format!("Bearer {token}"));
    for number in 0..streams {
        bytes.extend(frame(HEADERS, ALL, 2 * number + 1, &head));
    }
    bytes
}

/// Appends an uncompressed text after its length (RFC 7541 §5.1).
fn put_text(head: &mut Vec<u8>, text: &str) {
    const MOST: usize = 127;
    let bytes = |number: usize| u8::try_from(number).expect("it is a byte");
    match text.len() {
        short @ ..MOST => head.push(bytes(short)),
        long => {
            head.push(bytes(MOST));
            let mut left = long - MOST;
            while left >= 128 {
                head.push(bytes(left % 128 + 128));
                left /= 128;
            }
            head.push(bytes(left));
        }
    }
    head.extend(text.as_bytes());
}

/// The types of the frames that a server has sent.
fn kinds(mut frames: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames else {
            return None;
        };
        let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).ok()?;
        frames = rest.get(length..).unwrap_or_default();
        Some(*kind)
    })
}
