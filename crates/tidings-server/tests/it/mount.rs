use axum::Router;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::app::{TestApp, event, request, resolve};

async fn status(app: &Router, path: &str) -> StatusCode {
    let request = request(Method::GET, path, Body::empty());
    let Ok(response) = app.clone().oneshot(request).await;
    response.status()
}

#[tokio::test]
async fn an_app_keeps_its_own_paths_and_fallback() {
    let app = TestApp::start().await;
    let ours = || tidings_server::router(app.engine.clone(), &app.config);
    let theirs = Router::new().route("/", get(async || "theirs"));
    let teapot = async || StatusCode::IM_A_TEAPOT;
    for mounted in [
        theirs.clone().fallback(teapot).merge(ours()),
        ours().merge(theirs.fallback(teapot)),
    ] {
        assert_eq!(status(&mounted, "/").await, 200);
        assert_eq!(status(&mounted, "/api/system/events").await, 200);
        assert_eq!(status(&mounted, "/nothing").await, 418);
    }
}

#[tokio::test]
async fn leaves_unknown_paths_to_the_app() {
    let app = TestApp::start().await;
    let ours = tidings_server::router(app.engine.clone(), &app.config);
    let mounted = Router::new().merge(ours);
    let mut foreign = request(Method::GET, "/nothing", Body::empty());
    foreign
        .headers_mut()
        .insert("host", "app.example".parse().unwrap());
    let Ok(response) = mounted.oneshot(foreign).await;
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn a_location_includes_the_mount_path() {
    let app = TestApp::start().await;
    let ours = tidings_server::router(app.engine.clone(), &app.config);
    let mounted = Router::new().nest("/tidings", ours);
    let path = "/tidings/api/system/events";
    let mut post = request(Method::POST, path, event("x").to_string().into());
    let json = "application/json".parse().unwrap();
    post.headers_mut().insert("content-type", json);
    let Ok(response) = mounted.clone().oneshot(post).await;
    assert_eq!(response.status(), 201);
    let location = resolve(path, response.headers()["location"].to_str().unwrap());
    assert!(location.starts_with(path), "{location}");
    assert_eq!(status(&mounted, &location).await, 200);
}

#[tokio::test]
async fn closing_the_engine_ends_the_streams() {
    let app = TestApp::start().await;
    let ours = tidings_server::router(app.engine.clone(), &app.config);
    let subscribe = request(Method::GET, "/api/system/events/subscribe", Body::empty());
    let Ok(response) = ours.oneshot(subscribe).await;
    let body = tokio::spawn(response.into_body().collect());
    app.engine.close().await;
    let body = crate::app::within(body).await.unwrap().unwrap().to_bytes();
    let text = String::from_utf8(body.into()).unwrap();
    let last = text.rsplit("\n\n").next().unwrap();
    assert!(
        last.starts_with("retry: ") && last.lines().count() == 1,
        "{text}"
    );
}
