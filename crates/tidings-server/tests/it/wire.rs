//! Clients over real sockets.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::{TestResponse, within};

/// Sends a request without a body on a connection of its own.
pub(crate) async fn call(
    address: SocketAddr,
    request: hyper::http::request::Builder,
) -> Response<Incoming> {
    let request: Request<Empty<Bytes>> = request
        .header("host", address.to_string())
        .body(Empty::new())
        .expect("a request");
    send(address, request).await
}

/// Sends a request on a connection of its own.
pub(crate) async fn send<B>(address: SocketAddr, request: Request<B>) -> Response<Incoming>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    within(async {
        let socket = TcpStream::connect(address).await.expect("connects");
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket))
            .await
            .expect("handshake");
        // It ends with the response's body, or with the server.
        tokio::spawn(connection);
        sender.send_request(request).await.expect("a response")
    })
    .await
}

/// Reads a response to its end.
pub(crate) async fn read(response: Response<Incoming>) -> TestResponse {
    let (head, body) = response.into_parts();
    let body = within(body.collect()).await.expect("the body can be read");
    TestResponse {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes().into(),
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> TestResponse {
    read(call(address, Request::get(path)).await).await
}

/// Connects and sends raw bytes.
pub(crate) async fn send_raw(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut socket = within(TcpStream::connect(address)).await.expect("connects");
    within(socket.write_all(bytes)).await.expect("sends");
    socket
}

/// The head of a request to publish a body of this length.
pub(crate) fn post_head(address: SocketAddr, length: usize) -> String {
    head(&Method::POST, address, "/api/system/events", length)
}

/// The head of a request with a JSON body of this length.
pub(crate) fn head(method: &Method, address: SocketAddr, path: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Everything the server sends until it closes the connection.
pub(crate) async fn read_raw(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    within(socket.read_to_end(&mut bytes))
        .await
        .expect("the server closes in good order");
    String::from_utf8(bytes).expect("the response is text")
}
