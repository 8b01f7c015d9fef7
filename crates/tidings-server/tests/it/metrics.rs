use std::net::SocketAddr;
use std::time::Duration;

use tidings_server::Server;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::app::{TestApp, event, stalled_reader, within};
use crate::stream::Stream;
use crate::wire;

async fn metrics(server: SocketAddr) -> String {
    metrics_as(server, "").await
}

/// The response to a scrape with further header lines, each with its line break.
async fn metrics_as(server: SocketAddr, headers: &str) -> String {
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n{headers}\r\n");
    let mut socket = wire::send_raw(server, request.as_bytes()).await;
    wire::read_raw(&mut socket).await
}

#[tokio::test]
async fn counts_events_and_streams() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    app.publish(&event("counted")).await;
    let text = metrics(server.address).await;
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(
        text.contains("content-type: application/openmetrics-text"),
        "{text}"
    );
    for line in [
        "tidings_events_stored_total 1",
        "tidings_subscribers 1",
        "tidings_connections_closed_for_stall_total 0",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in {text}"
        );
    }
}

#[tokio::test]
async fn counts_connections_closed_for_stalling() {
    let app = TestApp::with(|config| config.write_timeout = Duration::from_millis(50)).await;
    let server = app.serve();
    let _stalled = stalled_reader(&app, server.address).await;
    let counted = async {
        while !metrics(server.address)
            .await
            .contains("closed_for_stall_total 1")
        {}
    };
    within(counted).await;
}

/// The value of a series, if it is shown.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map(|value| value.parse().expect("a number"))
}

#[tokio::test]
async fn answers_in_the_format_that_the_scraper_accepts() {
    let app = TestApp::start().await;
    let server = app.serve();
    for (accept, content_type) in [
        ("text/plain", "text/plain; version=0.0.4"),
        (
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "text/plain; version=0.0.4",
        ),
        (
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0",
        ),
        ("*/*", "application/openmetrics-text; version=1.0.0"),
    ] {
        let headers = format!("Accept: {accept}\r\n");
        let text = metrics_as(server.address, &headers).await;
        let expected = format!("content-type: {content_type}; charset=utf-8\r\n");
        assert!(text.contains(&expected), "{accept}: {text}");
        let is_open_metrics = content_type.starts_with("application/");
        assert_eq!(text.ends_with("# EOF\n"), is_open_metrics, "{accept}");
        let named = "# TYPE tidings_events_stored_total counter\n";
        assert_eq!(text.contains(named), !is_open_metrics, "{accept}");
        assert_eq!(value(&text, "tidings_events_stored_total"), Some(0.0));
    }
}

#[tokio::test]
async fn shows_every_label_from_the_start() {
    let app = TestApp::start().await;
    let server = app.serve();
    let text = metrics(server.address).await;
    for series in [
        "tidings_publish_requests_total{outcome=\"failed\"}",
        "tidings_publish_requests_total{outcome=\"over_quota\"}",
        "tidings_events_changed_total{change=\"deleted\"}",
        "tidings_resets_total{reason=\"too_old\"}",
        "tidings_requests_refused_by_limit_total{limit=\"publish_rate\"}",
        "tidings_requests_refused_as_foreign_total{reason=\"origin\"}",
        "tidings_http_requests_total{method=\"POST\",route=\"/api/system/events\",status=\"201\"}",
        "tidings_http_requests_total{method=\"POST\",route=\"/api/events\",status=\"503\"}",
        "tidings_http_request_duration_seconds_count{method=\"GET\",route=\"/api/system/events\"}",
        "tidings_log_lines_dropped_total",
    ] {
        assert_eq!(value(&text, series), Some(0.0), "{series} in {text}");
    }
    // Every counter has a sample.
    for name in text.lines().filter_map(|line| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        (kind == "counter").then_some(name)
    }) {
        let sample = format!("\n{name}_total");
        assert!(text.contains(&sample), "{name} has no sample");
    }
}

#[tokio::test]
async fn counts_and_times_requests_by_route_and_status() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    wire::get(server.address, "/api/system/events?nonsense=1").await;
    wire::get(server.address, "/api/system/events").await;
    wire::get(server.address, "/api/system/events/").await;
    wire::get(server.address, "/api/system/events/not-an-id").await;
    wire::get(server.address, "/a-secret-path").await;
    let text = metrics(server.address).await;
    let count = |route: &str, status: &str| {
        let series = format!(
            "tidings_http_requests_total{{method=\"GET\",route=\"{route}\",status=\"{status}\"}}"
        );
        value(&text, &series)
    };
    assert_eq!(count("/api/system/events", "200"), Some(2.0), "{text}");
    assert_eq!(count("/api/system/events", "400"), Some(1.0));
    assert_eq!(count("/api/system/events/{id}", "400"), Some(1.0));
    assert_eq!(count("/api/system/events/subscribe", "200"), Some(1.0));
    let other = "tidings_http_requests_total{method=\"other\",route=\"other\",status=\"404\"}";
    assert_eq!(value(&text, other), Some(1.0));
    assert!(!text.contains("a-secret-path"));
    let times = "tidings_http_request_duration_seconds";
    let labels = "method=\"GET\",route=\"/api/system/events\"";
    let all = value(&text, &format!("{times}_count{{{labels}}}"));
    assert_eq!(all, Some(3.0));
    let slowest = value(&text, &format!("{times}_bucket{{le=\"+Inf\",{labels}}}"));
    assert_eq!(slowest, all);
    assert!(value(&text, &format!("{times}_sum{{{labels}}}")) > Some(0.0));
    // The scrape counts itself.
    assert_eq!(value(&text, "tidings_http_requests_in_flight"), Some(1.0));
    assert_eq!(value(&text, "tidings_subscribers"), Some(1.0));
    let open = value(&text, "tidings_connections_open");
    assert!(open >= Some(2.0), "{open:?}");
}

#[tokio::test]
async fn shows_the_version_and_the_process() {
    let app = TestApp::start().await;
    let server = app.serve();
    let text = metrics(server.address).await;
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("tidings_build_info{{version=\"{version}\"}}");
    assert_eq!(value(&text, &build), Some(1.0));
    for name in [
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_threads",
        "process_start_time_seconds",
        "tidings_database_bytes",
        "tidings_disk_size_bytes",
    ] {
        assert!(value(&text, name) > Some(0.0), "{name} in {text}");
    }
    assert!(value(&text, "process_cpu_seconds_total") >= Some(0.0));
    for path in ["/healthz", "/readyz"] {
        let health = wire::get(server.address, path).await;
        assert_eq!(health.json()["version"], version, "{path}");
    }
}

#[tokio::test]
async fn counts_foreign_requests() {
    let app = TestApp::start().await;
    let server = app.serve();
    let request =
        hyper::Request::get("/api/system/events").header("origin", "https://evil.example");
    wire::read(wire::call(server.address, request).await).await;
    let text = metrics(server.address).await;
    for (reason, count) in [("origin", 1.0), ("host", 0.0)] {
        let series = format!("tidings_requests_refused_as_foreign_total{{reason=\"{reason}\"}}");
        assert_eq!(value(&text, &series), Some(count), "{reason}");
    }
}

#[tokio::test]
async fn the_metrics_listener_serves_probes_without_a_token_and_nothing_else() {
    let app = TestApp::start().await;
    let mut config = app.config.clone();
    config.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    config.drain_grace = Duration::from_secs(60);
    let server = Server::bind(app.engine.clone(), config).expect("it binds");
    let (address, metrics_address) = (server.local_addr(), server.metrics_addr());
    let metrics_address = metrics_address.expect("it listens for metrics");
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    for (path, status) in [
        ("/metrics", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics/", 200),
        ("/healthz/", 200),
        ("/", 404),
        ("/api/system/events", 404),
        ("/openapi.json", 404),
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: monitored.example:9\r\nOrigin: https://x.example\r\n\
             Connection: close\r\n\r\n"
        );
        let mut socket = wire::send_raw(metrics_address, request.as_bytes()).await;
        let text = wire::read_raw(&mut socket).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(text.contains("x-content-type-options: nosniff"), "{text}");
    }
    // Load balancers send such requests.
    let mut socket = wire::send_raw(metrics_address, b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(wire::read_raw(&mut socket).await.contains(" 200 "));
    let mut socket = wire::send_raw(metrics_address, b"OPTIONS / HTTP/1.0\r\n\r\n").await;
    assert!(wire::read_raw(&mut socket).await.contains(" 204 "));
    let post = hyper::Request::post("/metrics");
    let rejected = wire::read(wire::call(metrics_address, post).await).await;
    assert_eq!(rejected.status, 405);

    // While the server drains, it is not ready.
    let head = wire::post_head(address, 10);
    let slow = wire::send_raw(address, head.as_bytes()).await;
    within(async {
        let series = "tidings_http_requests_in_flight";
        while value(&metrics(metrics_address).await, series) != Some(2.0) {}
    })
    .await;
    stop.send(()).expect("it runs");
    within(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    let response = wire::get(metrics_address, "/readyz").await;
    response.error(503, "shutting_down");
    assert_eq!(wire::get(metrics_address, "/healthz").await.status, 200);
    drop(slow);
    within(running).await.expect("it ends");
    assert!(TcpStream::connect(metrics_address).await.is_err());
}

#[tokio::test]
async fn idle_connections_do_not_block_a_scrape() {
    let app = TestApp::start().await;
    let mut config = app.config.clone();
    config.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = Server::bind(app.engine.clone(), config).expect("it binds");
    let address = server.metrics_addr().expect("it listens for metrics");
    let running = tokio::spawn(server.run(std::future::pending()));
    let mut kept = Vec::new();
    for _ in 0..100 {
        kept.push(
            within(TcpStream::connect(address))
                .await
                .expect("it connects"),
        );
    }
    assert_eq!(wire::get(address, "/metrics").await.status, 200);
    drop(kept);
    running.abort();
}
