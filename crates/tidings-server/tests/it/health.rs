use crate::app::TestApp;
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
    let answer = wire::get(server.address, "/readyz").await;
    answer.error(503, "shutting_down");
    let list = wire::get(server.address, "/api/system/events").await;
    list.error(503, "shutting_down");
    let publish = app.post(crate::app::event("late").to_string()).await;
    publish.error(503, "shutting_down");
}

#[tokio::test]
async fn every_other_path_has_the_envelope() {
    let app = TestApp::start().await;
    let server = app.serve();
    for path in ["/nothing", "/api", "/api/system/events/x/y", "/healthz/"] {
        let answer = wire::get(server.address, path).await;
        answer.error(404, "route_not_found");
    }
    let post = hyper::Request::post("/healthz");
    let answer = wire::read(wire::call(server.address, post).await).await;
    answer.error(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_request_id_is_kept_if_it_is_fit_to_be_logged() {
    let app = TestApp::start().await;
    let server = app.serve();
    for (given, kept) in [("trace-7", true), (&"x".repeat(129), false), ("é", false)] {
        let request = hyper::Request::get("/healthz").header("x-request-id", given);
        let answer = wire::read(wire::call(server.address, request).await).await;
        let id = answer.header("x-request-id");
        assert_eq!(id == given, kept, "{given}: {id}");
        assert!(!id.is_empty());
    }
}
