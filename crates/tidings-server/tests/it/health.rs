use tokio::io::AsyncWriteExt as _;

use crate::app::{EVENTS, TestApp, event};
use crate::login::LoginApp;
use crate::wire;

#[tokio::test]
async fn a_running_server_is_alive_and_ready() {
    let app = TestApp::start().await;
    let server = app.serve();
    assert_eq!(wire::get(server.address, "/healthz").await.status, 200);
    assert_eq!(wire::get(server.address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn without_its_store_a_server_is_alive_but_not_ready() {
    let app = TestApp::start().await;
    let server = app.serve();
    app.engine.close().await;
    assert_eq!(wire::get(server.address, "/healthz").await.status, 200);
    let response = wire::get(server.address, "/readyz").await;
    response.error(503, "shutting_down");
    let list = wire::get(server.address, "/api/system/events").await;
    list.error(503, "shutting_down");
    let publish = app.post(crate::app::event("late").to_string()).await;
    publish.error(503, "shutting_down");
}

#[tokio::test]
async fn answers_unknown_paths_with_the_error_envelope() {
    let app = TestApp::start().await;
    let server = app.serve();
    for path in ["/nothing", "/api", "/api/system/events/x/y", "/healthz/x"] {
        let response = wire::get(server.address, path).await;
        response.error(404, "route_not_found");
    }
    let post = hyper::Request::post("/healthz");
    let response = wire::read(wire::call(server.address, post).await).await;
    response.error(405, "method_not_allowed");
    assert_eq!(response.header("allow"), "GET,HEAD,OPTIONS");
}

#[tokio::test]
async fn keeps_a_request_id_that_is_fit_for_a_log() {
    let app = TestApp::start().await;
    let server = app.serve();
    for (given, kept) in [("trace-7", true), (&"x".repeat(129), false), ("é", false)] {
        let request = hyper::Request::get("/healthz").header("x-request-id", given);
        let response = wire::read(wire::call(server.address, request).await).await;
        let id = response.header("x-request-id");
        assert_eq!(id == given, kept, "{given}: {id}");
        assert!(!id.is_empty());
    }
}

/// Heads of load balancers, probes and monitors.
const PROBES: &[&str] = &[
    // HAProxy's `option httpchk`, and with an address and a version.
    "OPTIONS / HTTP/1.0\r\n\r\n",
    "OPTIONS * HTTP/1.0\r\n\r\n",
    "GET /healthz HTTP/1.0\r\n\r\n",
    "HEAD /readyz HTTP/1.0\r\n\r\n",
    "OPTIONS /readyz HTTP/1.1\r\nhost: lb\r\nconnection: close\r\n\r\n",
    // AWS, by address.
    "GET /healthz HTTP/1.1\r\nHost: 10.0.3.17:9081\r\nConnection: close\r\n\
     User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n",
    // Kubernetes.
    "GET /healthz HTTP/1.1\r\nHost: 10.244.0.7:9081\r\nUser-Agent: kube-probe/1.31\r\n\
     Accept: */*\r\nConnection: close\r\n\r\n",
    "GET /healthz/ HTTP/1.1\r\nHost: [fd00::7]:9081\r\nConnection: close\r\n\r\n",
    "GET /readyz?verbose HTTP/1.1\r\nHost: tidings.svc.cluster.local\r\nConnection: close\r\n\r\n",
    "GET /readyz/?verbose=1&x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: _\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: a,b\r\nHost: c d\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: \u{e9}.example\r\nConnection: close\r\n\r\n",
    "GET http://10.0.0.5:9081/healthz HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: https://monitor.example\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Basic bW9uaXRvcjp4\r\n\
     Cookie: tidings-session=stale\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: x\r\nAccept: application/xml\r\nContent-Type: text/plain\r\n\
     Content-Length: 4\r\nConnection: close\r\n\r\nping",
    "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n\
     Upgrade-Insecure-Requests: 1\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.0\n\n",
];

#[tokio::test]
async fn accepts_probes_in_every_form() {
    let local = TestApp::start().await;
    let local = local.serve();
    let login = LoginApp::start().await;
    for address in [local.address, login.server.address] {
        for probe in PROBES {
            let mut socket = wire::send_raw(address, probe.as_bytes()).await;
            let response = wire::read_raw(&mut socket).await;
            let status = response.split(' ').nth(1).unwrap_or_default();
            assert!(["200", "204"].contains(&status), "{probe}: {response}");
        }
    }
}

#[tokio::test]
async fn a_probe_of_any_method_sees_a_server_that_is_not_ready() {
    let app = TestApp::start().await;
    let server = app.serve();
    app.engine.close().await;
    for method in ["GET", "HEAD", "OPTIONS"] {
        let asked = hyper::Request::builder().method(method).uri("/readyz/");
        let response = wire::call(server.address, asked).await;
        assert_eq!(response.status(), 503, "{method}");
    }
}

#[tokio::test]
async fn a_client_that_closes_its_side_is_answered() {
    let app = TestApp::start().await;
    let server = app.serve();
    let body = event("by nc").to_string();
    let post = wire::post_head(server.address, body.len()) + &body;
    let get = |path| format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    for asked in [get("/healthz"), get("/readyz"), get("/"), get(EVENTS), post] {
        let mut socket = wire::send_raw(server.address, asked.as_bytes()).await;
        socket.shutdown().await.unwrap();
        let response = wire::read_raw(&mut socket).await;
        let status = response.split(' ').nth(1).unwrap_or_default();
        assert!(["200", "201"].contains(&status), "{asked}: {response}");
    }
}
