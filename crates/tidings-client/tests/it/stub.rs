//! A server that sends one prepared response per connection and records the requests.

use tidings_client::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The response of the stub on one connection, and what follows it.
pub(crate) struct StubResponse {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    Close,
    /// Keeps the connection open and silent.
    Hold,
}

impl StubResponse {
    /// A complete response with a JSON body.
    pub(crate) fn json(status: &str, body: impl AsRef<str>) -> Self {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            body.len()
        );
        Self {
            bytes: (head + body).into_bytes(),
            then: Then::Close,
        }
    }

    /// A stream that ends properly after `frames`.
    pub(crate) fn stream(frames: impl AsRef<str>) -> Self {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        Self {
            bytes: [head, frames.as_ref()].concat().into_bytes(),
            then: Then::Close,
        }
    }

    /// A chunked stream without its last chunk. Each text is one chunk.
    pub(crate) fn torn_stream(chunks: &[&str]) -> Self {
        let mut text = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                        transfer-encoding: chunked\r\n\r\n"
            .to_owned();
        for chunk in chunks {
            text += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
        }
        Self {
            bytes: text.into_bytes(),
            then: Then::Close,
        }
    }

    /// Keeps the connection open and silent instead of closing it.
    pub(crate) fn held(self) -> Self {
        let then = Then::Hold;
        Self { then, ..self }
    }
}

/// The running stub, stopped on drop.
pub(crate) struct Stub {
    pub(crate) client: Client,
    requests: mpsc::Receiver<String>,
    server: JoinHandle<()>,
}

impl Stub {
    /// Starts a server that sends these responses in order, one per connection.
    pub(crate) async fn start(responses: impl IntoIterator<Item = StubResponse>) -> Self {
        let responses: Vec<_> = responses.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let client = Client::new(url.parse().unwrap()).unwrap();
        // Has capacity for every request, so that the stub never waits for the test.
        let (sender, requests) = mpsc::channel(responses.len().max(1));
        let server = tokio::spawn(async move {
            let mut held = Vec::new();
            for response in responses {
                let (mut socket, _) = listener.accept().await.unwrap();
                let request = read_request(&mut socket).await;
                socket.write_all(&response.bytes).await.unwrap();
                if matches!(response.then, Then::Hold) {
                    held.push(socket);
                }
                sender.send(request).await.unwrap();
            }
            // Held connections stay open until the test ends.
            std::future::pending::<()>().await;
        });
        Self {
            client,
            requests,
            server,
        }
    }

    /// The next request: its head, an empty line and its body. The names of headers are in lower case.
    pub(crate) async fn request(&mut self) -> String {
        self.requests.recv().await.unwrap()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn read_request(socket: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return request;
            }
        }
        let read = socket.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the request is incomplete: {request}");
        request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
}
