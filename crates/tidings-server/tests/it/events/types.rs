use serde_json::{Value, json};

use crate::app::{TestApp, event, event_with, id_of};

#[tokio::test]
async fn types_cover_the_events_that_the_caller_sees() {
    let app = TestApp::start().await;
    let types = async || app.get("/api/system/events/types").await.json();
    assert_eq!(types().await, json!({"category": [], "action": []}));
    let own = app.publish(&event("x")).await;
    let mut system = event_with("owner", "system");
    system["action"] = json!("upgrade");
    system["category"] = json!("a_server");
    app.publish(&system).await;
    let mut foreign = event_with("owner", "0c0ffee0-0000-4000-8000-00000000000a");
    foreign["action"] = json!("secret");
    app.publish(&foreign).await;
    assert_eq!(
        types().await,
        json!({"category": ["a_server", "connection"], "action": ["register", "upgrade"]})
    );
    app.delete(&format!("/{}", id_of(&own)), &Value::Null).await;
    assert_eq!(
        types().await,
        json!({"category": ["a_server"], "action": ["upgrade"]})
    );
}
