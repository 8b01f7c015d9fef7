//! Commands that send a token, or trust a private certificate authority.

use std::path::Path;
use std::process::Stdio;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::lost_responses::message;
use crate::server::{output_of, soon, tidings};

/// Starts a server that rejects each request with 401, and returns the requests.
async fn rejecting(requests: usize) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let task = tokio::spawn(async move {
        let mut seen = Vec::new();
        for _ in 0..requests {
            let (mut socket, _) = listener.accept().await.expect("it accepts");
            let request = message(&mut socket).await;
            seen.push(String::from_utf8(request).expect("it is text"));
            let body =
                r#"{"error":"the token has expired","code":"token_expired","severity":"ERROR"}"#;
            let response = format!(
                "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let sent = socket.write_all(response.as_bytes()).await;
            sent.expect("the command waits for it");
        }
        seen
    });
    (url, task)
}

fn command(arguments: &[&str], url: &str) -> Command {
    let mut command = tidings();
    command
        .args(arguments)
        .args(["--url", url])
        .env_remove("TIDINGS_TOKEN")
        .env_remove("TIDINGS_TOKEN_FILE");
    command
}

fn path(directory: &TempDir, file: &str) -> String {
    let path = directory.path().join(file);
    path.to_str().expect("a plain path").to_owned()
}

#[tokio::test]
async fn sends_the_token_to_the_server_only() {
    let directory = TempDir::new().expect("a directory can be made");
    let file = path(&directory, "token");
    std::fs::write(&file, "of.a.file\n").expect("it can be written");
    let (url, server) = rejecting(4).await;

    let commands = [
        (
            command(&["summary", "--token-file", &file], &url),
            1,
            "expired",
        ),
        (
            command(&["tail", "--token-file", &file], &url),
            1,
            "try: put a new token into",
        ),
        (command(&["tail"], &url), 1, "new token in TIDINGS_TOKEN"),
        (
            command(&["list", "--token-file", &file], &url),
            1,
            "expired",
        ),
    ];
    for (mut command, status, words) in commands {
        command.env("TIDINGS_TOKEN", "of.the.environment");
        let (ended, out, error) = output_of(command).await;
        assert_eq!(ended.code(), Some(status), "{error}");
        assert!(error.contains(words), "{error}");
        for shown in [out, error] {
            assert!(!shown.contains("of.a.file"), "{shown}");
            assert!(!shown.contains("of.the.environment"), "{shown}");
        }
    }
    let seen = soon("four requests", server)
        .await
        .expect("it does not panic");
    for (request, token) in seen
        .iter()
        .zip(["of.a.file", "of.a.file", "of.the.environment"])
    {
        let line = format!("authorization: Bearer {token}\r\n");
        assert!(request.contains(&line), "{request}");
        assert_eq!(request.matches(token).count(), 1, "{request}");
    }
}

#[tokio::test]
async fn reports_at_once_why_a_token_cannot_be_sent() {
    let directory = TempDir::new().expect("a directory can be made");
    let missing = path(&directory, "missing");
    for (arguments, url, words) in [
        (
            &["tail", "--token-file", &missing][..],
            "http://127.0.0.1:1",
            "missing cannot be read",
        ),
        (
            &["tail", "--token-file", &missing],
            "http://10.0.0.1:1",
            "use an https address",
        ),
        (
            &["tail", "--ca-cert", &missing],
            "https://127.0.0.1:1",
            "could not read",
        ),
        (
            &["tail", "--token", "x"],
            "https://127.0.0.1:1",
            "'--token'",
        ),
    ] {
        let (ended, _, error) = output_of(command(arguments, url)).await;
        assert!(!ended.success());
        assert!(error.contains(words), "{error}");
    }
}

/// Starts a server over TLS. Returns the process and the address.
async fn serve(directory: &Path) -> (tokio::process::Child, String) {
    let mut command = tidings();
    command
        .current_dir(directory)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
        .args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
        .env("TIDINGS_LOG", "warn")
        .stdout(Stdio::piped());
    let mut process = command.spawn().expect("the binary starts");
    let mut line = String::new();
    let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
    let read = soon("the server to listen", output.read_line(&mut line)).await;
    read.expect("standard output can be read");
    let url = line.trim_end().strip_prefix("listening on ");
    let url = url.unwrap_or_else(|| panic!("unexpected first line {line:?}"));
    (process, url.to_owned())
}

#[tokio::test]
async fn doctor_checks_a_server_over_tls() {
    let directory = TempDir::new().expect("a directory can be made");
    let minted = generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("it is minted");
    let other = generate_simple_self_signed(["other".to_owned()]).expect("it is minted");
    let CertifiedKey { cert, signing_key } = minted;
    for (file, pem) in [
        ("cert.pem", cert.pem()),
        ("key.pem", signing_key.serialize_pem()),
        ("other.pem", other.cert.pem()),
    ] {
        std::fs::write(path(&directory, file), pem).expect("it can be written");
    }
    let (_process, url) = serve(directory.path()).await;

    let trusting = ["doctor", "--ca-cert", &path(&directory, "cert.pem")];
    let (ended, out, error) = output_of(command(&trusting, &url)).await;
    assert!(ended.success(), "{out}{error}");
    assert!(out.contains("ready and live after"), "{out}");

    let doubting = ["doctor", "--ca-cert", &path(&directory, "other.pem")];
    let (ended, out, _) = output_of(command(&doubting, &url)).await;
    assert_eq!(ended.code(), Some(1), "{out}");
    assert!(out.contains("is not trusted"), "{out}");
    assert!(out.contains("--ca-cert"), "{out}");
}

#[tokio::test]
async fn rejects_a_fifo_as_token_file_at_once() {
    let directory = TempDir::new().expect("a directory can be made");
    let fifo = path(&directory, "token");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO can be made");
    let list = command(&["list", "--token-file", &fifo], "http://127.0.0.1:1");
    let (status, out, err) = output_of(list).await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert!(err.contains("not a regular file"), "{err}");
}
