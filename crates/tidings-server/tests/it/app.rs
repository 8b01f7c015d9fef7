//! An engine with a new store, and clients for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings::Tidings;
use tidings_server::{Config, Server};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

pub(crate) const EVENTS: &str = "/api/system/events";

/// How long a test waits for an event that must happen. Only failing tests wait this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Awaits an event that must happen.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it happens in time")
}

pub(crate) struct TestApp {
    pub(crate) engine: Tidings,
    pub(crate) config: Config,
    pub(crate) router: Router,
    _data_dir: TempDir,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl TestResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("the header is ASCII"))
    }

    /// Checks that this is a complete error response, and returns its body.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: &str) -> Value {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{body}");
        let json = self.json();
        assert_eq!(json["code"], code, "{body}");
        assert!(json["error"].is_string(), "{body}");
        assert!(json["severity"].is_string(), "{body}");
        for (camel, snake) in [
            ("probableCause", "probable_cause"),
            ("suggestedRemediation", "suggested_remediation"),
            ("longDescription", "long_description"),
        ] {
            assert!(json[camel].is_array(), "{body}");
            assert_eq!(json[camel], json[snake], "{body}");
        }
        let content_type = self.header("content-type");
        assert_eq!(content_type, "application/json; charset=utf-8");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(!self.header("x-request-id").is_empty());
        let comes_back = matches!(status, 429 | 503);
        assert_eq!(self.headers.contains_key("retry-after"), comes_back);
        json
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let data_dir = TempDir::new().expect("a temporary directory can be made");
        let engine = Tidings::open(tidings::Config::new(data_dir.path()))
            .await
            .expect("a fresh store opens");
        let mut config = Config::default();
        config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        change(&mut config);
        Self {
            router: tidings_server::router(engine.clone(), &config),
            engine,
            config,
            _data_dir: data_dir,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> TestResponse {
        let answered = self.router.clone().oneshot(request).await;
        let Ok(response) = answered;
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the body can be read");
        TestResponse {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes().into(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        self.send(request(Method::GET, path, Body::empty())).await
    }

    /// Posts any body as JSON.
    pub(crate) async fn post(&self, body: impl Into<Body>) -> TestResponse {
        self.send_json(Method::POST, EVENTS, body).await
    }

    /// Puts a JSON body to a path below that of the events.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> TestResponse {
        let path = format!("{EVENTS}{path}");
        self.send_json(Method::PUT, &path, body.to_string()).await
    }

    /// Deletes with a JSON body, at a path below that of the events.
    pub(crate) async fn delete(&self, path: &str, body: &Value) -> TestResponse {
        let path = format!("{EVENTS}{path}");
        let body = body.to_string();
        self.send_json(Method::DELETE, &path, body).await
    }

    pub(crate) async fn send_json(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> TestResponse {
        let mut request = request(method, path, body.into());
        let json = "application/json".parse().expect("a header");
        request.headers_mut().insert("content-type", json);
        self.send(request).await
    }

    /// Posts events, described by their numbers from 0, and returns their ids.
    pub(crate) async fn publish_numbered(&self, count: usize) -> Vec<String> {
        let batch: Vec<Value> = (0..count)
            .map(|number| event(&number.to_string()))
            .collect();
        let response = self.post(Value::from(batch).to_string()).await;
        assert_eq!(response.status, 201, "{}", response.json());
        let stored = response.json();
        let stored = stored.as_array().expect("a batch is answered by an array");
        stored.iter().map(id_of).collect()
    }

    /// The list for a query.
    #[track_caller]
    pub(crate) fn list(&self, query: &str) -> impl Future<Output = Value> {
        let path = format!("{EVENTS}?{query}");
        async move {
            let response = self.get(&path).await;
            assert_eq!(response.status, 200, "{path}: {}", response.json());
            response.json()
        }
    }

    /// Publishes an event, and returns it as it is stored.
    #[track_caller]
    pub(crate) fn publish(&self, event: &Value) -> impl Future<Output = Value> {
        let body = event.to_string();
        async move {
            let response = self.post(body).await;
            assert_eq!(response.status, 201, "{}", response.json());
            response.json()
        }
    }

    /// All events of the local user, the newest first.
    pub(crate) async fn stored(&self) -> Vec<Value> {
        let page = self
            .get("/api/system/events?pagesize=all&sort=created_at&order=desc")
            .await
            .json();
        page["events"].as_array().expect("a list").clone()
    }

    /// Runs a whole server on the same engine.
    pub(crate) fn serve(&self) -> Running {
        let server = Server::bind(self.engine.clone(), self.config.clone()).expect("binds");
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async {
            // Dropping the sender stops the server, too.
            let _ = stopped.await;
        }));
        Running {
            address,
            stop,
            task,
        }
    }
}

/// A server that runs until the test ends it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Begins the shutdown; the returned task ends with the server.
    pub(crate) fn begin_shutdown(self) -> JoinHandle<()> {
        self.stop.send(()).expect("the server runs");
        self.task
    }
}

/// A request as a local program sends it.
pub(crate) fn request(method: Method, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:7433")
        .body(body)
        .expect("a request")
}

/// Resolves a reference relative to a path (RFC 3986 §5).
pub(crate) fn resolve(path: &str, reference: &str) -> String {
    let base = url::Url::parse(&format!("http://localhost{path}")).expect("a path");
    base.join(reference).expect("a reference").path().to_owned()
}

/// The id of a stored event.
pub(crate) fn id_of(event: &Value) -> String {
    event["id"].as_str().expect("an event has an id").to_owned()
}

/// The descriptions of the events of a page.
pub(crate) fn descriptions(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().expect("a list");
    let texts = events.iter().map(|event| event["description"].as_str());
    texts.map(|text| text.expect("a text")).collect()
}

/// A valid event.
pub(crate) fn event(description: &str) -> Value {
    json!({
        "actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
        "category": "connection",
        "action": "register",
        "severity": "success",
        "description": description,
    })
}

/// A valid event with one field replaced.
pub(crate) fn event_with(field: &str, value: impl Into<Value>) -> Value {
    let mut event = event("");
    event[field] = value.into();
    event
}

/// A client that does not read a response larger than all buffers.
pub(crate) async fn stalled_reader(app: &TestApp, address: SocketAddr) -> TcpStream {
    let large = event_with("metadata", json!({"trace": "x".repeat(60_000)}));
    let batch = Value::from(vec![large; 60]).to_string();
    for _ in 0..4 {
        assert_eq!(app.post(batch.clone()).await.status, 201);
    }
    let request = format!("GET {EVENTS}?pagesize=all HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let socket = crate::wire::send_raw(address, request.as_bytes()).await;
    within(socket.peek(&mut [0]))
        .await
        .expect("the response begins");
    socket
}
