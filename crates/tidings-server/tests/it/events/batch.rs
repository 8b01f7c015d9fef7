use serde_json::{Value, json};

use crate::app::{TestApp, event, event_with};

#[tokio::test]
async fn a_batch_is_stored_and_answered_in_its_order() {
    let app = TestApp::start().await;
    let batch: Vec<Value> = (0..3).map(|number| event(&number.to_string())).collect();
    let answer = app.post(json!(batch).to_string()).await;
    assert_eq!(answer.status, 201);
    assert!(!answer.headers.contains_key("location"));
    let stored = answer.json();
    let descriptions: Vec<_> = stored
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["description"])
        .collect();
    assert_eq!(descriptions, ["0", "1", "2"]);
    assert_eq!(app.stored().await.len(), 3);
}

#[tokio::test]
async fn a_repeated_batch_stores_nothing_and_one_with_news_is_created() {
    let app = TestApp::start().await;
    let first = event_with("id", "0c0ffee0-0000-4000-8000-000000000001");
    let second = event_with("id", "0c0ffee0-0000-4000-8000-000000000002");
    assert_eq!(app.post(json!([first]).to_string()).await.status, 201);
    assert_eq!(app.post(json!([first]).to_string()).await.status, 200);
    assert_eq!(
        app.post(json!([first, second]).to_string()).await.status,
        201
    );
    assert_eq!(
        app.post(json!([first, second]).to_string()).await.status,
        200
    );
    assert_eq!(app.stored().await.len(), 2);
}

#[tokio::test]
async fn a_conflict_names_the_event_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let taken = event_with("id", "0c0ffee0-0000-4000-8000-000000000001");
    let first = app.publish(&taken).await;
    let mut other = taken.clone();
    other["severity"] = json!("debug");
    let batch = json!([event("new"), other]);
    let error = app
        .post(batch.to_string())
        .await
        .error(409, "event_conflict");
    let fault = error["longDescription"][0].as_str().unwrap();
    assert!(fault.starts_with("[1].id 0c0ffee0-"), "{fault}");
    assert_eq!(app.stored().await, [first]);
}

#[tokio::test]
async fn one_bad_event_stores_nothing_and_every_fault_is_named() {
    let app = TestApp::start().await;
    let mut bad = event_with("category", "Snake-Case");
    bad["severity"] = json!("info");
    let batch = json!([
        event("good"),
        bad,
        event("good"),
        event_with("actedUpon", "x")
    ]);
    let error = app
        .post(batch.to_string())
        .await
        .error(400, "invalid_event");
    let faults: Vec<&str> = strings(&error["longDescription"]);
    assert_eq!(faults.len(), 3, "{faults:?}");
    for (fault, start) in faults
        .iter()
        .zip(["[1].category ", "[1].severity ", "[3].actedUpon "])
    {
        assert!(fault.starts_with(start), "{fault}");
    }
    let remedies = strings(&error["suggestedRemediation"]);
    assert_eq!(remedies[1], "write `informational`");
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn unreadable_and_invalid_events_are_named_together() {
    let app = TestApp::start().await;
    let batch = format!(
        "[{},\n {{\"category\": 7}},\n 5, {}, []]",
        event("good"),
        event_with("action", "Bad")
    );
    let error = app.post(batch).await.error(400, "invalid_json");
    let faults = strings(&error["longDescription"]);
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(faults[0].starts_with("[1].category cannot be read: invalid type: integer `7`"));
    assert!(faults[0].contains("(line 2, column "), "{}", faults[0]);
    assert!(faults[1].starts_with("[2] cannot be read"), "{}", faults[1]);
    assert!(faults[2].starts_with("[3].action "), "{}", faults[2]);
    assert!(faults[3].starts_with("[4] is an array"), "{}", faults[3]);
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn a_batch_keeps_to_its_limits() {
    let app = TestApp::start().await;
    let limit = app.engine.limits().batch_events;
    let batch = |events| Value::from(vec![event("x"); events]).to_string();
    assert_eq!(app.post(batch(limit)).await.status, 201);
    let error = app.post(batch(limit + 1)).await.error(413, "too_large");
    let expected = "the batch has 1001 events, more than the 1000 allowed";
    assert_eq!(error["longDescription"], json!([expected]));

    let error = app.post("[]").await.error(400, "invalid_event");
    assert_eq!(error["error"], "The batch has no events");

    let big = event(&"x".repeat(200_000));
    let error = app
        .post(json!([event("x"), big]).to_string())
        .await
        .error(413, "too_large");
    let fault = error["longDescription"][0].as_str().unwrap();
    assert!(fault.starts_with("[1] has 200"), "{fault}");
    assert!(fault.ends_with("more than the 131072 allowed"), "{fault}");
    assert_eq!(app.stored().await.len(), limit);
}

#[tokio::test]
async fn a_flood_of_faults_is_cut() {
    let app = TestApp::start().await;
    let batch = Value::from(vec![json!({}); 1000]).to_string();
    let error = app.post(batch).await.error(400, "invalid_event");
    let faults = strings(&error["longDescription"]);
    assert_eq!(faults.len(), 101);
    assert_eq!(faults[100], "and 3900 more");
}

fn strings(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|text| text.as_str().expect("a text"))
        .collect()
}
