//! The binary over TLS.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_rustls::TlsConnector;

use crate::server::{output_of, soon, tidings};

fn serve(directory: &Path, flags: &[&str]) -> Command {
    let mut command = tidings();
    command
        .current_dir(directory)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
        .args(flags);
    command
}

#[tokio::test]
async fn serves_over_tls() {
    let directory = TempDir::new().unwrap();
    let minted = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let CertifiedKey { cert, signing_key } = minted;
    std::fs::write(directory.path().join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(
        directory.path().join("key.pem"),
        signing_key.serialize_pem(),
    )
    .unwrap();
    let mut command = serve(
        directory.path(),
        &["--tls-cert", "cert.pem", "--tls-key", "key.pem"],
    );
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    soon("the server to listen", output.read_line(&mut line))
        .await
        .unwrap();
    let address = line.trim_end().strip_prefix("listening on https://");
    let address = address.unwrap_or_else(|| panic!("unexpected first line {line:?}"));

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut socket = TlsConnector::from(Arc::new(client))
        .connect(name, socket)
        .await
        .unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    soon("the response", socket.read_to_string(&mut response))
        .await
        .unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
}

#[tokio::test]
async fn reports_certificate_faults() {
    let directory = TempDir::new().unwrap();
    for (flags, status, words) in [
        (&["--tls-cert", "cert.pem"][..], 2, "--tls-key <FILE>"),
        (&["--tls-key", "key.pem"], 2, "--tls-cert <FILE>"),
        (
            &["--tls-cert", "cert.pem", "--tls-key", "key.pem"],
            1,
            "could not read cert.pem",
        ),
        (&["--header-timeout", "10ms"], 2, "give a time from 1s to"),
        (&["--max-connections", "0"], 2, "--max-connections"),
    ] {
        let (ended, _, error) = output_of(serve(directory.path(), flags)).await;
        assert_eq!(ended.code(), Some(status), "{error}");
        assert!(error.contains(words), "{error}");
    }
}
