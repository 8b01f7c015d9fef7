//! The binary's metrics, health checks and log, as a monitoring system reads them.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};

use crate::doctor::examine;
use crate::server::{output_of, soon, terminate, tidings};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A server with its log lines so far.
struct Logging {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    lines: Vec<Value>,
}

impl Logging {
    /// Starts `tidings serve` with a JSON log.
    fn start(directory: &std::path::Path, flags: &[&str]) -> Self {
        let mut command = tidings();
        command
            .current_dir(directory)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
            .args(["--log-format", "json"])
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary starts");
        let log = process.stderr.take().expect("standard error is piped");
        let log = BufReader::new(log).lines();
        let lines = Vec::new();
        Self {
            process,
            log,
            lines,
        }
    }

    /// The next line with this message.
    async fn line(&mut self, message: &str) -> Value {
        let found = async {
            loop {
                let line = self.log.next_line().await.expect("the log is text");
                let line = line.unwrap_or_else(|| panic!("the log ends without {message:?}"));
                let value: Value = serde_json::from_str(&line).expect("a line is an object");
                self.lines.push(value.clone());
                if value["message"] == message {
                    return value;
                }
            }
        };
        soon(message, found).await
    }

    async fn address(&mut self, message: &str) -> SocketAddr {
        let line = self.line(message).await;
        let address = line["address"].as_str().expect("an address");
        address.parse().expect("an address")
    }

    async fn end(mut self) {
        terminate(self.process.id().expect("it has not ended"));
        let ended = soon("the server to end", self.process.wait()).await;
        assert!(ended.expect("a child").success());
    }
}

/// Sends a request with exactly these headers, and reads the response until the connection closes.
async fn ask(address: SocketAddr, head: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    socket.write_all(head).await.expect("it is sent");
    let mut response = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut response);
    soon("a response", read)
        .await
        .expect("the connection holds");
    String::from_utf8(response).expect("the response is text")
}

#[tokio::test]
async fn logs_the_version_and_rejected_foreign_requests() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut server = Logging::start(directory.path(), &["--log", "debug"]);
    assert_eq!(server.line("starting").await["version"], VERSION);
    let address = server.address("serving").await;
    for (header, reason, name) in [
        (
            "Host: localhost\r\nOrigin: https://evil.example",
            "origin",
            "https://evil.example",
        ),
        ("Host: evil.example", "host", "evil.example"),
    ] {
        let head = format!(
            "GET /api/system/events HTTP/1.1\r\n{header}\r\nX-Request-Id: r7\r\n\
             Connection: close\r\n\r\n"
        );
        let response = ask(address, head.as_bytes()).await;
        assert!(response.starts_with("HTTP/1.1 403 "), "{response}");
        let line = server.line("rejected a request as foreign").await;
        assert_eq!(line["level"], "WARN");
        assert_eq!(
            (&line["reason"], &line["name"]),
            (&Value::from(reason), &Value::from(name))
        );
        assert!(line["remedy"].is_string(), "{line}");
        let answered = server.line("answered").await;
        assert!(answered["latency_us"].is_u64(), "{answered}");
        assert!(answered["span"].is_null(), "{answered}");
        let spans = answered["spans"].as_array().expect("a list");
        assert_eq!(spans.len(), 1, "{answered}");
        assert_eq!(spans[0]["id"], "r7", "{answered}");
    }
    for line in &server.lines {
        assert!(
            line["timestamp"].is_string() && line["target"].is_string(),
            "{line}"
        );
    }
    server.end().await;
}

#[tokio::test]
async fn metrics_listener_requires_no_token() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let secret = "0123456789abcdef0123456789abcdef";
    std::fs::write(directory.path().join("secret"), secret).expect("writable");
    let flags = [
        "--auth=jwt",
        "--jwt-secret-file=secret",
        "--metrics-listen=127.0.0.1:0",
    ];
    let mut server = Logging::start(directory.path(), &flags);
    let address = server.address("serving").await;
    let metrics = "serving metrics and health checks without authentication";
    let metrics = server.address(metrics).await;
    let head = b"GET /metrics HTTP/1.1\r\nHost: tidings.monitoring.svc:9090\r\n\
        Accept: text/plain;version=0.0.4\r\nConnection: close\r\n\r\n";
    let rejected = ask(address, head).await;
    assert!(rejected.starts_with("HTTP/1.1 401 "), "{rejected}");
    let response = ask(metrics, head).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    let (_, text) = response.split_once("\r\n\r\n").expect("a body");
    let version = format!("tidings_build_info{{version=\"{VERSION}\"}} 1");
    assert!(text.contains(&version), "{text}");

    // Load balancers send various methods and HTTP versions.
    for head in [
        &b"OPTIONS /healthz HTTP/1.0\r\n\r\n"[..],
        b"OPTIONS /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"HEAD /readyz/ HTTP/1.0\r\n\r\n",
    ] {
        let response = ask(metrics, head).await;
        assert!(response.contains(" 200 OK\r\n"), "{response}");
    }

    // Prometheus' own check of the names and the format.
    let mut judge = Command::new("promtool");
    judge.args(["check", "metrics"]).kill_on_drop(true);
    let file = directory.path().join("metrics");
    std::fs::write(&file, text).expect("writable");
    judge.stdin(std::fs::File::open(&file).expect("readable"));
    let (status, out, err) = output_of(judge).await;
    assert!(status.success(), "{out}{err}\n{text}");
    server.end().await;
}

#[tokio::test]
async fn doctor_reads_the_metrics_listener() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut server = Logging::start(directory.path(), &["--metrics-listen=127.0.0.1:0"]);
    let url = format!("http://{}", server.address("serving").await);
    let metrics = "serving metrics and health checks without authentication";
    let metrics = format!("http://{}", server.address(metrics).await);
    let (code, checks) = examine(&["--url", &url, "--metrics-url", &metrics]).await;
    assert_eq!(code, Some(0), "{checks:?}");
    let of = |name: &str| checks.iter().find(|(check, ..)| check == name);
    let (_, verdict, finding) = of("metrics").expect("the listener is checked");
    assert!(verdict == "ok" && finding.contains(&metrics), "{finding}");
    let (_, verdict, finding) = of("log").expect("lost lines are reported");
    assert_eq!(verdict, "ok", "{finding}");

    // No server listens on port 1.
    let wrong = ["--url", &url, "--metrics-url", "http://127.0.0.1:1"];
    let (code, checks) = examine(&wrong).await;
    assert_eq!(code, Some(1));
    let failed = checks.iter().find(|(_, verdict, _)| verdict == "fail");
    assert_eq!(failed.map(|(name, ..)| name.as_str()), Some("metrics"));
    server.end().await;
}
