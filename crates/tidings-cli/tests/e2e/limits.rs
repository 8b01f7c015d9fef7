//! `tidings serve` applies the limits from its flags.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::{LOCAL_USER, Server, event, soon, tidings};

#[tokio::test]
async fn applies_the_limits_from_flags() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path())
        .args(["--publish-rate", "1", "--max-batch-events", "3"])
        .args(["--max-metadata-keys", "16"]);
    let server = Server::from_command(command).await;
    let plain = event(LOCAL_USER, "plain");
    let mut with_keys = event(LOCAL_USER, "with keys");
    let keys = (0..17).map(|number| (format!("k{number}"), json!(0)));
    with_keys["metadata"] = Value::Object(keys.collect());
    let response = soon(
        "a response",
        server.publish(&json!([plain, plain, plain, plain])),
    )
    .await;
    let (answered, error) = response.expect("the connection holds");
    assert_eq!(
        (answered.as_u16(), &error["code"]),
        (413, &json!("too_large"))
    );
    let response = soon("a response", server.publish(&with_keys)).await;
    let (answered, stored) = response.expect("the connection holds");
    assert_eq!(answered.as_u16(), 201, "{stored}");
    let warning = stored["warnings"][0]["message"]
        .as_str()
        .expect("a warning");
    assert!(
        warning.contains("has 17 keys, more than the 16 allowed"),
        "{warning}"
    );
    assert!(stored["metadata"].as_object().expect("an object").len() <= 16);
    // The burst is the largest batch, three events, and refills one event per second. Both requests
    // above count.
    for _ in 0..50 {
        let response = soon("a response", server.publish(&plain)).await;
        let (status, body) = response.expect("the connection holds");
        if status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(body["code"], "rate_limited");
            return;
        }
        assert!(status.is_success(), "{body}");
    }
    panic!("the rate limit must reject an event");
}

#[tokio::test]
async fn rejects_contradictory_limits() {
    let output = tidings()
        .args(["serve", "--max-event-bytes", "2000"])
        .output()
        .await
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(
        shown.contains("--max-description-bytes (4096) is more than --max-event-bytes (2000)"),
        "{shown}"
    );
}
