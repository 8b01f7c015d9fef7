use serde_json::{Value, json};

use crate::app::{TestApp, descriptions, event};

async fn found(app: &TestApp, text: &str) -> Vec<String> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("search", text);
    query.append_pair("sort", "created_at");
    let page = app.list(&query.finish()).await;
    let found: Vec<String> = descriptions(&page).into_iter().map(str::to_owned).collect();
    assert_eq!(page["totalCount"], found.len(), "{text}");
    found
}

#[tokio::test]
async fn finds_any_part_of_a_description_in_any_case_and_script() {
    let app = TestApp::start().await;
    let texts = [
        "Could not reach the cluster",
        "Verbindung zur Straße GEPRÜFT",
        "Подключение к Кластеру",
        "连接到集群失败",
        "ΣΊΣΥΦΟΣ",
        "a \"quoted\" 'text' with \\ and AND OR NOT * ( )",
    ];
    for text in texts {
        app.publish(&event(text)).await;
    }
    for (search, place) in [
        ("REACH", 0),
        ("not reach the", 0),
        ("er", 0),
        ("geprüft", 1),
        ("STRASSE", 1),
        ("straße", 1),
        ("кластеру", 2),
        ("ПОДКЛЮЧЕНИЕ", 2),
        ("集群", 3),
        ("接", 3),
        ("σίσυφος", 4),
        ("\"quoted\"", 5),
        ("'text'", 5),
        ("\\ and", 5),
        ("and or not * (", 5),
        ("nowhere", usize::MAX),
    ] {
        let found = found(&app, search).await;
        match texts.get(place) {
            Some(text) => assert!(found.iter().any(|one| one == text), "{search}: {found:?}"),
            None => assert_eq!(found, [""; 0], "{search}"),
        }
    }
}

#[tokio::test]
async fn percent_and_underscore_are_ordinary_characters() {
    let app = TestApp::start().await;
    for text in ["50% done", "500 done", "a_b", "axb", "100%_sure"] {
        app.publish(&event(text)).await;
    }
    assert_eq!(found(&app, "50%").await, ["50% done"]);
    assert_eq!(found(&app, "%").await, ["50% done", "100%_sure"]);
    assert_eq!(found(&app, "_").await, ["a_b", "100%_sure"]);
    assert_eq!(found(&app, "a_b").await, ["a_b"]);
    assert_eq!(found(&app, "%done").await, [""; 0]);
    assert_eq!(found(&app, "0%_s").await, ["100%_sure"]);
}

#[tokio::test]
async fn a_search_combines_with_every_filter_and_both_orders() {
    let app = TestApp::start().await;
    for (number, severity) in ["error", "success", "error"].iter().enumerate() {
        let mut event = event(&format!("Found {number}"));
        event["severity"] = json!(severity);
        app.publish(&event).await;
    }
    app.publish(&event("other")).await;
    let query = "search=found&severity=[%22error%22]&sort=created_at";
    let up = app.list(&format!("{query}&order=asc")).await;
    assert_eq!(descriptions(&up), ["Found 0", "Found 2"]);
    let down = app.list(&format!("{query}&order=desc")).await;
    assert_eq!(descriptions(&down), ["Found 2", "Found 0"]);
    assert_eq!(down["totalCount"], 2);
}

/// Such a list can stop early, so only the sum of all pages is certain.
#[tokio::test]
async fn a_search_without_a_count_finds_all_events() {
    let app = TestApp::start().await;
    app.publish_numbered(300).await;
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let query = format!("search=7&count=none&pagesize=10&sort=created_at{next}");
        let page = app.list(&query).await;
        assert_eq!(page["totalCount"], Value::Null);
        found.extend(descriptions(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(token) => next = format!("&next={token}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..300)
        .map(|number| number.to_string())
        .filter(|text| text.contains('7'))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn ignores_an_empty_search() {
    let app = TestApp::start().await;
    app.publish(&event("x")).await;
    assert_eq!(app.list("search=").await["totalCount"], 1);
}
