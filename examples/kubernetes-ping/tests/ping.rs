//! Tests the example against stub clusters: the response, the live event, and the events stored after a
//! shutdown.

#![expect(clippy::unwrap_used, reason = "a test fails on the unexpected")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use clap::Parser as _;
use kubernetes_ping::{App, Args, Connections};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings::{Config, Event, EventFilter, PageRequest, Severity, Start, StreamItem, Tidings};
use tidings_client::{Client, Received, Subscription};
use tidings_server::LOCAL_USER;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

const HOME: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_0001);

/// Far longer than any step takes: a test that reaches it is stuck.
const STUCK: Duration = Duration::from_secs(60);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(STUCK, future).await.expect("stuck")
}

/// Serves `router` on a free port until the test ends.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "0", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1", "compiler": "gc", "platform": "any",
    })
}

/// An API server that answers `/version`.
fn healthy() -> Router {
    Router::new().route("/version", get(async || axum::Json(version())))
}

/// An API server that delays its response until the test allows it.
struct Slow {
    address: SocketAddr,
    /// Receives one message per request.
    asked: mpsc::Receiver<()>,
    go_on: oneshot::Sender<()>,
}

impl Slow {
    async fn start() -> Self {
        let (ask, asked) = mpsc::channel(1);
        let (go_on, gone_on) = oneshot::channel::<()>();
        // axum requires a handler that can be called several times.
        let gone_on = Arc::new(Mutex::new(Some(gone_on)));
        let slow = get(async move || {
            ask.send(()).await.unwrap();
            let gone_on = gone_on.lock().await.take().unwrap();
            gone_on.await.unwrap();
            axum::Json(version())
        });
        Self {
            address: serve(Router::new().route("/version", slow)).await,
            asked,
            go_on,
        }
    }

    /// Sends a request for a ping, and disconnects when the cluster has received its request.
    async fn request_and_disconnect(&mut self, request: reqwest::RequestBuilder) {
        let request = tokio::spawn(request.send());
        soon(self.asked.recv()).await.unwrap();
        request.abort();
        assert!(soon(request).await.unwrap_err().is_cancelled());
    }
}

/// An address without a listener.
async fn unused_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn http_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn ping_url(base: &str, connection: Uuid) -> String {
    format!("{base}/api/connections/{connection}/ping")
}

/// The running example. Its one connection is `HOME`.
struct Example {
    url: String,
    http: reqwest::Client,
    live: Subscription,
    _directory: TempDir,
}

impl Example {
    async fn start(cluster: SocketAddr, context: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = directory.path().join("kubeconfig");
        write_kubeconfig(&kubeconfig, cluster);
        let config = Config::new(directory.path().join("data"));
        let tidings = Tidings::open(config).await.unwrap();
        let connections = Connections::new(kubeconfig, [(HOME, context.to_owned())]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = App::new(tidings, connections);
        tokio::spawn(kubernetes_ping::serve(
            listener,
            app,
            std::future::pending(),
        ));
        let mut live = Client::new(url.parse().unwrap())
            .unwrap()
            .subscribe(Start::Now);
        while !matches!(item(&mut live).await, StreamItem::Live { .. }) {}
        Self {
            url,
            http: http_client(),
            live,
            _directory: directory,
        }
    }

    fn post_ping(&self, connection: Uuid) -> reqwest::RequestBuilder {
        self.http.post(ping_url(&self.url, connection))
    }

    async fn ping(&self, connection: Uuid) -> (StatusCode, Value) {
        let response = soon(self.post_ping(connection).send()).await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// The next event that the user sees live.
    async fn event(&mut self) -> Event {
        loop {
            if let StreamItem::Created { event, .. } = item(&mut self.live).await {
                assert_eq!(event.owner, Some(LOCAL_USER));
                assert_eq!(event.category.as_str(), "connection");
                assert_eq!(event.action.as_str(), "ping");
                return *event;
            }
        }
    }
}

async fn item(live: &mut Subscription) -> StreamItem {
    match soon(live.next()).await.unwrap() {
        Received::Item(item) => item,
        Received::Disconnected { error, .. } => panic!("disconnected: {error}"),
    }
}

fn write_kubeconfig(file: &Path, cluster: SocketAddr) {
    let text = format!(
        "apiVersion: v1\nkind: Config\n\
         clusters: [{{name: c, cluster: {{server: 'http://{cluster}'}}}}]\n\
         contexts: [{{name: home, context: {{cluster: c, user: u}}}}]\n\
         users: [{{name: u, user: {{}}}}]\n"
    );
    fs::write(file, text).unwrap();
}

/// Checks an error event and returns its cause.
fn cause(event: &Event) -> Value {
    assert_eq!(event.severity, Severity::Error);
    let cause = event.metadata.as_ref().unwrap()["error"].clone();
    for key in ["ShortDescription", "ProbableCause", "SuggestedRemediation"] {
        assert_eq!(cause[key].as_array().map(Vec::len), Some(1), "{cause}");
    }
    cause
}

#[tokio::test]
async fn reports_success_with_cluster_name_and_address() {
    let cluster = serve(healthy()).await;
    let mut example = Example::start(cluster, "home").await;
    let (status, body) = example.ping(HOME).await;
    assert_eq!(
        (status, body),
        (StatusCode::OK, json!({"version": "v1.34.0"}))
    );
    let event = example.event().await;
    assert_eq!(event.severity, Severity::Success);
    assert_eq!(*event.acted_upon.as_uuid(), HOME);
    assert_eq!(event.description, "home answers");
    let metadata = event.metadata.unwrap();
    assert_eq!(metadata["k8sContextName"], "home");
    assert_eq!(metadata["serverAddress"], format!("http://{cluster}/"));
}

#[tokio::test]
async fn reports_unreachable_cluster_with_cause_and_remedy() {
    let cluster = unused_address().await;
    let mut example = Example::start(cluster, "home").await;
    let (status, body) = example.ping(HOME).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let event = example.event().await;
    let cause = cause(&event);
    assert_eq!(cause["Code"], "cluster_unreachable");
    assert_eq!(cause["ShortDescription"][0], body["error"]);
    // The chain of sources ends with the error of the system.
    let details = cause["LongDescription"].as_array().unwrap();
    let deepest = details.last().unwrap().as_str().unwrap();
    assert!(details.len() > 1 && deepest.contains("refused"), "{cause}");
    let metadata = event.metadata.unwrap();
    assert_eq!(metadata["k8sContextName"], "home");
    assert_eq!(metadata["serverAddress"], format!("http://{cluster}/"));
}

#[tokio::test]
async fn reports_unknown_connection() {
    let mut example = Example::start(unused_address().await, "home").await;
    let unknown = Uuid::from_u128(9);
    let (status, body) = example.ping(unknown).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .contains(&unknown.to_string())
    );
    let event = example.event().await;
    assert_eq!(*event.acted_upon.as_uuid(), unknown);
    assert_eq!(cause(&event)["Code"], "connection_unknown");
}

#[tokio::test]
async fn reports_rejected_credentials_and_missing_context() {
    let rejecting = Router::new().fallback(async || StatusCode::UNAUTHORIZED);
    for (context, status, code) in [
        ("home", StatusCode::BAD_GATEWAY, "cluster_refused"),
        (
            "lost",
            StatusCode::INTERNAL_SERVER_ERROR,
            "context_unusable",
        ),
    ] {
        let mut example = Example::start(serve(rejecting.clone()).await, context).await;
        assert_eq!(example.ping(HOME).await.0, status);
        assert_eq!(cause(&example.event().await)["Code"], code);
    }
}

#[tokio::test]
async fn reports_ping_whose_client_disconnected() {
    let mut cluster = Slow::start().await;
    let mut example = Example::start(cluster.address, "home").await;
    cluster
        .request_and_disconnect(example.post_ping(HOME))
        .await;
    cluster.go_on.send(()).unwrap();
    assert_eq!(example.event().await.severity, Severity::Success);
}

/// The text after `text` in the first line that contains it. `None` if the log ends before.
async fn logged<R: AsyncBufRead + Unpin>(log: &mut Lines<R>, text: &str) -> Option<String> {
    while let Some(line) = soon(log.next_line()).await.unwrap() {
        if let Some((_, rest)) = line.split_once(text) {
            return Some(rest.to_owned());
        }
    }
    None
}

#[tokio::test]
async fn shutdown_waits_for_pings_of_disconnected_clients() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut cluster = Slow::start().await;
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = directory.path().join("kubeconfig");
        write_kubeconfig(&kubeconfig, cluster.address);
        let data = directory.path().join("data");
        let mut program = Command::new(env!("CARGO_BIN_EXE_kubernetes-ping"))
            .args(["--listen", "127.0.0.1:0"])
            .args(["--connection", &format!("{HOME}=home")])
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .arg("--data-dir")
            .arg(&data)
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(program.stderr.take().unwrap()).lines();
        let url = logged(&mut log, "listening on ").await.unwrap();
        let request = http_client().post(ping_url(&url, HOME));
        cluster.request_and_disconnect(request).await;

        let pid = i32::try_from(program.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        // The log of a program that does not wait for the ping ends here.
        let pings = logged(&mut log, "all requests have ended ").await;
        assert_eq!(pings.as_deref(), Some("pings=1"));
        cluster.go_on.send(()).unwrap();
        assert!(soon(program.wait()).await.unwrap().success());

        let tidings = Tidings::open(Config::new(data)).await.unwrap();
        let filter = EventFilter::default();
        let page = tidings.list(LOCAL_USER, filter, PageRequest::default());
        let events = page.await.unwrap().events;
        let severities: Vec<_> = events.iter().map(|event| event.severity).collect();
        assert_eq!(severities, [Severity::Success]);
    }
}

#[tokio::test]
async fn rejects_requests_from_other_origins() {
    let mut example = Example::start(serve(healthy()).await, "home").await;
    let own = example.url.clone();
    for (header, foreign) in [
        ("host", "app.example.org"),
        ("origin", "http://app.example.org"),
        ("origin", "http://localhost:1"),
        ("origin", "null"),
    ] {
        let request = example.post_ping(HOME).header(header, foreign);
        let response = soon(request.send()).await.unwrap();
        assert_eq!(
            response.status(),
            StatusCode::FORBIDDEN,
            "{header}: {foreign}"
        );
    }
    let request = example.post_ping(HOME).header("origin", own);
    let response = soon(request.send()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    // It is the first event.
    let event = example.event().await;
    assert_eq!(event.severity, Severity::Success);
    let tidings = Client::new(example.url.parse().unwrap()).unwrap();
    let summary = soon(tidings.summary()).await.unwrap();
    assert_eq!(summary.total_count, 1);
}

#[test]
fn guide_starts_the_example_with_existing_flags() {
    let guide = include_str!("../../../docs/sending-events.md").replace("\\\n", " ");
    let command = guide
        .lines()
        .find_map(|line| {
            line.trim()
                .strip_prefix("cargo run --manifest-path examples/kubernetes-ping/Cargo.toml -- ")
        })
        .expect("the guide starts the example");
    let words = std::iter::once("kubernetes-ping").chain(command.split_whitespace());
    let args = Args::try_parse_from(words).unwrap();
    assert_eq!(args.connection.len(), 1);
}
