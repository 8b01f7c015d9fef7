use serde_json::{Value, json};

use crate::app::{TestApp, descriptions, event, event_with};

#[tokio::test]
async fn an_empty_list_has_no_nulls() {
    let app = TestApp::start().await;
    let page = app.get("/api/system/events").await.json();
    let cursor = page["cursor"].as_str().unwrap();
    assert!(cursor.starts_with("0-0-"), "{cursor}");
    assert_eq!(
        page,
        json!({"events": [], "page": 0, "pageSize": 25, "countBySeverityLevel": [],
               "totalCount": 0, "readCount": 0, "cursor": cursor,
               "systemId": app.engine.system_id()})
    );
}

#[tokio::test]
async fn pages_by_number_have_the_requested_order() {
    let app = TestApp::start().await;
    app.publish_numbered(5).await;
    let page = app
        .get("/api/system/events?page=0&pagesize=2&sort=created_at&order=desc")
        .await
        .json();
    assert_eq!(descriptions(&page), ["4", "3"]);
    assert_eq!((&page["page"], &page["pageSize"]), (&json!(0), &json!(2)));
    assert_eq!(page["totalCount"], 5);
    assert_eq!(
        page["countBySeverityLevel"],
        json!([{"severity": "success", "count": 5}])
    );
    let last = app
        .get("/api/system/events?page=2&pagesize=2&sort=created_at&order=desc")
        .await
        .json();
    assert_eq!(descriptions(&last), ["0"]);
    assert_eq!(last["next"], Value::Null);
    let beyond = app
        .get("/api/system/events?page=9223372036854775807")
        .await
        .json();
    assert_eq!(descriptions(&beyond), [""; 0]);
}

#[tokio::test]
async fn pages_by_token_are_stable_while_events_arrive() {
    let app = TestApp::start().await;
    app.publish_numbered(5).await;
    let mut seen = Vec::new();
    let list = "/api/system/events?pagesize=2&sort=created_at&order=desc";
    let mut path = list.to_owned();
    loop {
        let page = app.get(&path).await.json();
        seen.extend(descriptions(&page).into_iter().map(str::to_owned));
        app.publish(&event("new")).await;
        match page["next"].as_str() {
            // `next` wins over `page`.
            Some(next) => path = format!("{list}&page=7&next={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn filters_select_and_combine() {
    let app = TestApp::start().await;
    app.publish(&event("plain")).await;
    app.publish(&event_with("severity", "warning")).await;
    app.publish(&event_with("category", "other")).await;
    app.publish(&event_with("owner", "system")).await;
    for (query, count) in [
        ("", 4),
        ("severity=[\"warning\"]", 1),
        ("severity=%5B%22warning%22%2C%22success%22%5D", 4),
        ("category=[\"connection\"]&severity=[\"success\"]", 2),
        ("ownerKind=system", 1),
        ("ownerKind=user", 3),
        ("status=read", 0),
        ("acted_upon=[\"7b1d2c3e-0000-4000-8000-000000000001\"]", 4),
        ("actedUpon=[\"7b1d2c3e-0000-4000-8000-0000000000ff\"]", 0),
        ("from=2200-01-01T00:00:00Z", 0),
        ("to=2200-01-01T00:00:00Z", 4),
        ("author=me&provider=x&status=", 4),
    ] {
        let query = query.replace('"', "%22");
        let page = app.get(&format!("/api/system/events?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(page.json()["totalCount"], count, "{query}");
    }
}

#[tokio::test]
async fn rejects_a_malformed_query_instead_of_ignoring_a_filter() {
    let app = TestApp::start().await;
    app.publish_numbered(3).await;
    let page = app.list("pagesize=1").await;
    let next = page["next"].as_str().unwrap();
    for (query, fault) in [
        ("limit=1", "`limit` is not a parameter"),
        (
            &format!("search={}", "x".repeat(257)),
            "search has 257 bytes",
        ),
        ("count=all", "count (`all`) is not supported"),
        ("severity=loud", "severity (`loud`) is not a severity"),
        ("severity=[", "severity (`[`) is not a JSON array"),
        ("category=[1]", "category (`[1]`) is not a JSON array"),
        ("severity-=success", "`severity-` is not a parameter"),
        ("page=1&page=2", "page is given twice, with other values"),
        (
            "search=a&search=b",
            "search is given twice, with other values",
        ),
        ("sort=name", "sort (`name`) is not supported"),
        ("order=up", "order (`up`) is not supported"),
        ("next=x", "next (`x`) is not a token"),
        ("from=now", "from (`now`) is not a time"),
        (
            &format!("status=read&next={next}"),
            "next belongs to a list with another filter",
        ),
        (
            &format!("order=desc&next={next}"),
            "next belongs to a list with another filter or order",
        ),
    ] {
        let path = format!("/api/system/events?{}", query.replace('"', "%22"));
        let error = app.get(&path).await.error(400, "invalid_query");
        let said = error["longDescription"][0].as_str().unwrap();
        assert!(said.starts_with(fault), "{query}: {said}");
    }
    let both = app.get("/api/system/events?severity=loud&order=up").await;
    let both = both.error(400, "invalid_query");
    assert_eq!(both["longDescription"].as_array().unwrap().len(), 2);
    assert_eq!(both["suggestedRemediation"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_owners_and_the_status_of_a_filter_object_narrow_the_list() {
    let app = TestApp::start().await;
    app.publish(&event("own")).await;
    let local = tidings_server::LOCAL_USER;
    let other = "0c0ffee0-0000-4000-8000-0000000000ff";
    for (filter, count) in [
        (format!(r#"{{"owner":["{local}"]}}"#), 1),
        (format!(r#"{{"owner":["{local}","{other}"]}}"#), 1),
        (format!(r#"{{"owner":["{other}"]}}"#), 0),
        (r#"{"status":"completed"}"#.to_owned(), 0),
        (
            r#"{"status":"UNREAD","severity":["SUCCESS"]}"#.to_owned(),
            1,
        ),
    ] {
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let page = app.list(&format!("filter={query}")).await;
        assert_eq!(page["totalCount"], count, "{filter}");
    }
}
