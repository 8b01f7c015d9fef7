//! A running `tidings serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Far longer than any step takes. A step that exceeds it is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// The user of the local identity.
pub(crate) const LOCAL_USER: &str = "6c6f6361-6c00-4000-8000-000000000001";

/// Waits for a result that must arrive.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(STUCK, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: nothing for {STUCK:?}"))
}

/// The binary under test.
pub(crate) fn tidings() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn serve(data_dir: &Path, listen: &str) -> Command {
    let mut command = tidings();
    command
        .arg("serve")
        .args(["--listen", listen])
        .arg("--data-dir")
        .arg(data_dir);
    command
}

/// A server process. Dropping it kills the process.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    http: reqwest::Client,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) async fn start(data_dir: &Path) -> Self {
        Self::start_at(data_dir, "127.0.0.1:0").await
    }

    /// Starts the next of several servers. Each adds the events of a user to the lists of the store at other
    /// moments: each at once, two together, or as usual.
    pub(crate) async fn start_again(data_dir: &Path, number: usize) -> Self {
        let mut command = serve(data_dir, "127.0.0.1:0");
        let newest = ["1", "2", "64"];
        command.args(["--newest-events", newest[number % newest.len()]]);
        Self::from_command(command).await
    }

    /// Starts a server at a known address.
    pub(crate) async fn start_at(data_dir: &Path, listen: &str) -> Self {
        Self::from_command(serve(data_dir, listen)).await
    }

    /// Starts `command`, and waits until the server accepts connections.
    pub(crate) async fn from_command(mut command: Command) -> Self {
        command
            .env("TIDINGS_LOG", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("the binary starts");
        let output = process.stdout.take().expect("standard output is piped");
        let mut line = String::new();
        let read = soon(
            "the server to listen",
            BufReader::new(output).read_line(&mut line),
        )
        .await;
        read.expect("standard output can be read");
        let address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("unexpected first line {line:?}"));
        Self::of_process(process, address.parse().expect("an address follows"))
    }

    /// Starts `command`, whose server cannot report its address.
    pub(crate) fn at(mut command: Command, address: SocketAddr) -> Self {
        let process = command.spawn().expect("the binary starts");
        Self::of_process(process, address)
    }

    fn of_process(process: Child, address: SocketAddr) -> Self {
        Self {
            process,
            address,
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client is made"),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process
            .id()
            .expect("the process has not been waited for")
    }

    /// Sends a publish request. An error means that the connection broke.
    pub(crate) async fn publish(&self, body: &Value) -> reqwest::Result<(StatusCode, Value)> {
        publish(&self.http, self.address, body).await
    }

    /// Like [`Self::publish`], but the request must succeed.
    pub(crate) async fn must_publish(&self, body: &Value) -> Value {
        let response = soon("a response", self.publish(body)).await;
        let (status, stored) = response.expect("the connection holds");
        assert_eq!(status, StatusCode::CREATED, "{stored}");
        stored
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = soon("a response", self.http.get(self.url(path)).send()).await;
        let response = response.expect("the connection holds");
        let status = response.status();
        (status, response.json().await.expect("the body is JSON"))
    }

    /// The body of a response that is not JSON.
    pub(crate) async fn text(&self, path: &str) -> String {
        let response = soon("a response", self.http.get(self.url(path)).send()).await;
        let response = response.expect("the connection holds");
        response.text().await.expect("the body is text")
    }

    /// All events of the local user, newest first, read by `next`.
    pub(crate) async fn list_all(&self) -> Vec<Value> {
        let mut events = Vec::new();
        const PAGE: &str = "/api/system/events?pagesize=1000&sort=created_at&order=desc";
        let mut path = PAGE.to_owned();
        loop {
            let (status, mut page) = self.get(&path).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            match page["events"].take() {
                Value::Array(more) => events.extend(more),
                other => panic!("events is {other}"),
            }
            match page["next"].as_str() {
                Some(next) => path = format!("{PAGE}&next={next}"),
                None => return events,
            }
        }
    }

    /// Sends SIGKILL, as in a crash or when the kernel runs out of memory.
    pub(crate) async fn kill(mut self) {
        self.process
            .kill()
            .await
            .expect("the process can be killed");
    }

    /// Sends SIGTERM, as an operator does.
    pub(crate) fn terminate(&self) {
        terminate(self.pid());
    }

    pub(crate) async fn ended(mut self) -> ExitStatus {
        let ended = soon("the server to end", self.process.wait()).await;
        ended.expect("the process can be waited for")
    }

    /// The resident memory of the process, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok())
            .expect("VmRSS is given in kB")
            * 1024
    }
}

/// Sends SIGTERM to a process.
pub(crate) fn terminate(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid is positive"), Signal::TERM).expect("the process is there");
}

/// Sends a publish request over a connection of `http`.
pub(crate) async fn publish(
    http: &reqwest::Client,
    server: SocketAddr,
    body: &Value,
) -> reqwest::Result<(StatusCode, Value)> {
    let url = format!("http://{server}/api/system/events");
    let response = http.post(url).json(body).send().await?;
    Ok((response.status(), response.json().await?))
}

/// An event for `owner` with a new id.
pub(crate) fn event(owner: &str, description: &str) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "owner": owner,
        "actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
        "category": "deployment",
        "action": "apply",
        "severity": "informational",
        "description": description,
    })
}

/// Waits for a command that ends by itself. Returns its status, standard output and standard error.
pub(crate) async fn output_of(mut command: Command) -> (ExitStatus, String, String) {
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut output = process.stdout.take().expect("standard output is piped");
    let mut errors = process.stderr.take().expect("standard error is piped");
    let (mut out, mut err) = (String::new(), String::new());
    let all = async {
        let read = tokio::join!(
            output.read_to_string(&mut out),
            errors.read_to_string(&mut err)
        );
        read.0.and(read.1).expect("the output is UTF-8");
        process.wait().await.expect("the process can be waited for")
    };
    let status = soon("the command to end", all).await;
    (status, out, err)
}

/// A command that connects to a server.
pub(crate) fn command(name: &str, server: &Server, args: &[&str]) -> Command {
    let mut command = tidings();
    command.args([name, "--url", &server.url("")]).args(args);
    command
}

/// Runs a command that must succeed. Returns its standard output and standard error.
pub(crate) async fn must_run(name: &str, server: &Server, args: &[&str]) -> (String, String) {
    let (status, out, err) = output_of(command(name, server, args)).await;
    assert!(status.success(), "{name} {args:?}: {err}");
    (out, err)
}
