use serde_json::json;

use crate::app::{TestApp, event, event_with};

#[tokio::test]
async fn a_foreign_event_is_answered_like_an_unknown_one() {
    let app = TestApp::start().await;
    let foreign = event_with("owner", "0c0ffee0-0000-4000-8000-00000000000a");
    let foreign = app.publish(&foreign).await;
    let foreign = app
        .get(&format!(
            "/api/system/events/{}",
            foreign["id"].as_str().unwrap()
        ))
        .await;
    let unknown = app
        .get("/api/system/events/0c0ffee0-0000-4000-8000-0000000000ff")
        .await;
    assert_eq!(
        foreign.error(404, "event_not_found"),
        unknown.error(404, "event_not_found")
    );
    assert_eq!(app.get("/api/system/events").await.json()["totalCount"], 0);
}

#[tokio::test]
async fn everyone_can_get_an_event_of_the_system() {
    let app = TestApp::start().await;
    let stored = app.publish(&event_with("owner", "system")).await;
    let path = format!("/api/system/events/{}", stored["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.json(), stored);
}

#[tokio::test]
async fn names_a_malformed_id() {
    let app = TestApp::start().await;
    app.publish(&event("x")).await;
    for id in ["x", "%FF", "%00", "7b1d2c3e", "..%2F"] {
        let error = app
            .get(&format!("/api/system/events/{id}"))
            .await
            .error(400, "invalid_query");
        let fault = error["longDescription"][0].as_str().unwrap();
        assert!(fault.starts_with("id `"), "{id}: {fault}");
        assert!(fault.ends_with("is not a UUID"), "{id}: {fault}");
        let remedy = json!(["give the event's UUID, as in its field `id`"]);
        assert_eq!(error["suggestedRemediation"], remedy);
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_with_the_envelope() {
    let app = TestApp::start().await;
    let id = "0c0ffee0-0000-4000-8000-0000000000ff";
    let nested = app.get(&format!("/api/system/events/{id}/comments")).await;
    nested.error(404, "route_not_found");
    for (path, allow) in [
        ("/api/system/events", "GET,HEAD,POST"),
        ("/api/system/events/subscribe", "GET,HEAD"),
        (
            "/api/system/events/0c0ffee0-0000-4000-8000-0000000000ff",
            "PUT,GET,HEAD,DELETE",
        ),
        ("/api/system/events/status/bulk", "PUT"),
        ("/api/system/events/bulk", "DELETE"),
        ("/api/events", "GET,HEAD,POST,DELETE"),
    ] {
        let request = crate::app::request(axum::http::Method::PATCH, path, "".into());
        let response = app.send(request).await;
        response.error(405, "method_not_allowed");
        assert_eq!(response.header("allow"), allow);
    }
}

#[tokio::test]
async fn rejects_filters_where_none_is_accepted() {
    let app = TestApp::start().await;
    let id = app.publish_numbered(1).await.remove(0);
    for path in [&id, "summary", "types"] {
        for base in ["/api/system/events", "/api/events"] {
            for query in ["status=read", "page=1&acted_upon=[]", "search=x"] {
                let response = app.get(&format!("{base}/{path}?{query}")).await;
                let error = response.error(400, "invalid_query");
                let fault = error["longDescription"][0].as_str().unwrap();
                assert!(
                    fault.ends_with("this request accepts no filters"),
                    "{fault}"
                );
            }
            let fine = format!("{base}/{path}?author=x&provider=y&other=z&status=");
            assert_eq!(app.get(&fine).await.status, 200, "{fine}");
        }
    }
}
