//! The server's log is blocked: a full pipe, a stopped terminal, a full disk. The server still serves
//! requests, accepts a new log level and ends on SIGTERM.

use std::fs::{self, File, OpenOptions};
use std::io::{PipeReader, Read as _, Write as _, pipe};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::pseudo_terminal;
use crate::server::{LOCAL_USER, STUCK, Server, event, soon, tidings};

/// A server ends at the latest 15 s after SIGTERM. A shutdown within this shorter time was not blocked.
const UNHINDERED: Duration = Duration::from_secs(12);

fn serve(data_dir: &Path, flags: &[&str]) -> Command {
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir)
        .args(flags);
    command
}

/// The number of lines that the server reports as dropped.
async fn dropped_lines(server: &Server) -> u64 {
    let metrics = server.text("/metrics").await;
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tidings_log_lines_dropped_total "));
    let value = value.unwrap_or_else(|| panic!("no such metric in {metrics}"));
    value.parse().expect("a number")
}

async fn set_level(server: &Server, level: &str) {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    let request = http
        .put(server.url("/api/system/events/config"))
        .json(&json!({"eventLogLevel": level}));
    let response = soon("a response", request.send()).await;
    assert_eq!(response.expect("it holds").status(), StatusCode::OK);
}

/// Sends requests until the server has dropped lines, then checks that it serves at every log level.
async fn keeps_serving(server: &Server) {
    let asked = async {
        while dropped_lines(server).await == 0 {
            for _ in 0..50 {
                assert_eq!(server.get("/healthz").await.0, StatusCode::OK);
            }
        }
    };
    soon("the first dropped line", asked).await;
    for level in ["error", "trace", "debug"] {
        set_level(server, level).await;
        server.must_publish(&event(LOCAL_USER, level)).await;
        assert_eq!(server.get("/readyz").await.0, StatusCode::OK);
    }
}

async fn ends_unhindered(server: Server) {
    let begun = Instant::now();
    server.terminate();
    assert!(server.ended().await.success());
    assert!(begun.elapsed() < UNHINDERED, "{:?}", begun.elapsed());
}

/// Reads a pipe to its end on a separate thread, since its writer can stay open.
fn drained(mut reader: PipeReader) -> tokio::task::JoinHandle<String> {
    tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("the log is text");
        text
    })
}

#[tokio::test]
async fn full_pipe_delays_neither_requests_nor_shutdown() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (reader, writer) = pipe().expect("a pipe");
    let mut command = serve(directory.path(), &["--log", "trace"]);
    command.stderr(writer);
    let server = Server::from_command(command).await;
    keeps_serving(&server).await;
    ends_unhindered(server).await;
    drop(reader);
}

#[tokio::test]
async fn reports_dropped_lines_when_the_pipe_is_drained() {
    for format in ["text", "json"] {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let (reader, writer) = pipe().expect("a pipe");
        let flags = ["--log", "trace", "--log-format", format];
        let mut command = serve(directory.path(), &flags);
        command.stderr(writer);
        let server = Server::from_command(command).await;
        keeps_serving(&server).await;
        // At this level the server drops no further lines.
        set_level(&server, "error").await;
        let dropped = dropped_lines(&server).await;
        let log = drained(reader);
        ends_unhindered(server).await;
        let log = soon("the end of the log", log).await.expect("it is read");
        let reports: Vec<_> = log
            .lines()
            .filter(|line| line.contains(" dropped"))
            .collect();
        let expected = format!("{dropped} log lines were dropped");
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert!(reports[0].contains(&expected), "{reports:?}, {dropped}");
        if format == "json" {
            for line in log.lines() {
                let value: Value = serde_json::from_str(line).expect("a line is an object");
                assert!(value["timestamp"].is_string(), "{line}");
            }
        }
    }
}

#[tokio::test]
async fn serves_after_the_log_reader_has_closed() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let mut command = serve(directory.path(), &["--log", "debug"]);
    command.stderr(writer);
    let server = Server::from_command(command).await;
    keeps_serving(&server).await;
    ends_unhindered(server).await;
}

/// A port that was free a moment ago, for a server whose log cannot report its address.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it is bound")
}

#[tokio::test]
async fn stopped_terminal_delays_neither_start_nor_requests_nor_shutdown() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (screen, program_side) = pseudo_terminal::open();
    // Ctrl-S stops the output of a terminal.
    (&screen)
        .write_all(b"\x13")
        .expect("the terminal accepts input");
    let address = free_address();
    let side = || Stdio::from(program_side.try_clone().expect("a duplicate"));
    let mut command = tidings();
    command
        .args(["serve", "--log", "trace", "--listen"])
        .arg(address.to_string())
        .arg("--data-dir")
        .arg(directory.path())
        .stdout(side())
        .stderr(side());
    let server = Server::at(command, address);
    soon("the server to listen", async {
        while TcpStream::connect(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    keeps_serving(&server).await;
    ends_unhindered(server).await;

    // A server that cannot start ends, although it cannot report the error.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let mut command = tidings();
    command
        .args(["serve", "--log", "trace", "--listen", &address])
        .arg("--data-dir")
        .arg(directory.path().join("other"))
        .stdout(side())
        .stderr(side());
    let mut process = command.spawn().expect("the binary starts");
    let ended = soon("the end", process.wait()).await.expect("a child");
    assert_eq!(ended.code(), Some(1));
}

#[tokio::test]
async fn second_signal_ends_at_once_while_the_log_is_blocked() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (reader, writer) = pipe().expect("a pipe");
    let mut command = serve(directory.path(), &["--log", "trace"]);
    command.stderr(writer);
    let server = Server::from_command(command).await;
    keeps_serving(&server).await;
    // A request without its body delays the end of the server for ten seconds.
    let mut slow = TcpStream::connect(server.address)
        .await
        .expect("it listens");
    let head = format!(
        "POST /api/system/events HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
        server.address
    );
    slow.write_all(head.as_bytes()).await.expect("it is sent");
    // `100 Continue` shows that the request has started.
    soon("the request to begin", slow.readable())
        .await
        .expect("it is asked for the body");
    let begun = Instant::now();
    server.terminate();
    soon("the first signal to be felt", async {
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(8), "{begun:?}");
    drop(reader);
}

/// Serves with its log on a small file system in a separate mount namespace. The mount is visible from
/// outside through `/proc`.
fn log_on_full_disk(data_dir: &Path, mount_point: &Path) -> Command {
    let mut command = Command::new("unshare");
    if rustix::process::geteuid().is_root() {
        command.arg("--mount");
    } else {
        command.args(["--mount", "--map-root-user"]);
    }
    let script = r#"mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" serve --log debug \
        --listen 127.0.0.1:0 --data-dir "$3" 2>>"$1/log""#;
    command
        .args(["sh", "-c", script, "sh"])
        .arg(mount_point)
        .arg(env!("CARGO_BIN_EXE_tidings"))
        .arg(data_dir)
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn log_on_a_full_disk_resumes_when_space_is_free() {
    let data = tempfile::tempdir().expect("a directory can be made");
    let mount_point = tempfile::tempdir().expect("a directory can be made");
    let command = log_on_full_disk(data.path(), mount_point.path());
    let server = Server::from_command(command).await;
    let log = PathBuf::from(format!(
        "/proc/{}/root{}/log",
        server.pid(),
        mount_point.path().display()
    ));
    keeps_serving(&server).await;
    let file = OpenOptions::new().write(true).open(&log);
    file.and_then(|file: File| file.set_len(0))
        .expect("the log can be emptied");
    let told = async {
        loop {
            assert_eq!(server.get("/healthz").await.0, StatusCode::OK);
            let text = fs::read_to_string(&log).expect("the log is text");
            if let Some(line) = text.lines().find(|line| line.contains("dropped")) {
                return line.to_owned();
            }
        }
    };
    let line = soon("the report", told).await;
    assert!(line.contains(" log lines were dropped"), "{line}");
    ends_unhindered(server).await;
}

#[tokio::test]
async fn ends_while_the_key_server_does_not_answer() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    // Accepts connections and never answers.
    let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let issuer = issuer.expect("a port");
    let url = format!("http://{}/jwks", issuer.local_addr().expect("it is bound"));
    let mut command = serve(directory.path(), &["--auth", "jwt", "--jwks-url", &url]);
    let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut process = process.expect("the binary starts");
    let asked = soon("the server to ask for keys", issuer.accept()).await;
    let begun = Instant::now();
    let pid = process.id().expect("it has not ended");
    crate::server::terminate(pid);
    let ended = soon("the server to end", process.wait()).await;
    assert!(ended.expect("a child").success());
    assert!(begun.elapsed() < Duration::from_secs(8), "{begun:?}");
    drop(asked);
    assert!(begun.elapsed() < STUCK);
}
