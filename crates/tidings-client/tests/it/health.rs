//! Tests of the health and readiness checks.

use serde_json::json;
use tidings_client::{ErrorKind, ProtocolFault};
use tidings_event::ErrorCode;

use crate::stub::{Stub, StubResponse};

#[tokio::test]
async fn accepts_only_the_health_response_of_tidings() {
    let responses = [
        StubResponse::json("200 OK", r#"{"status":"alive"}"#),
        StubResponse::json("200 OK", r#"{"status":"UP"}"#),
        StubResponse::json("200 OK", "ok"),
        StubResponse::json("404 Not Found", "404 page not found"),
    ];
    let mut stub = Stub::start(responses).await;
    let health = stub.client.health().await.unwrap();
    assert_eq!(health.clock, None);
    let request = stub.request().await;
    assert!(
        request.starts_with("GET /healthz HTTP/1.1\r\n"),
        "{request}"
    );

    for fault in [
        ProtocolFault::Body,
        ProtocolFault::Body,
        ProtocolFault::Status(404),
    ] {
        let error = stub.client.health().await.unwrap_err();
        let server = stub.client.server().clone();
        assert_eq!(error.kind(), &ErrorKind::Protocol { server, fault });
    }
}

#[tokio::test]
async fn reports_why_a_server_is_not_ready() {
    let envelope = json!({"error": "The disk is full", "code": "storage_full",
                          "severity": "CRITICAL", "suggestedRemediation": ["free some space"]});
    let responses = [
        StubResponse::json("200 OK", r#"{"status":"ready"}"#),
        StubResponse::json("503 Service Unavailable", envelope.to_string()),
    ];
    let mut stub = Stub::start(responses).await;
    stub.client.ready().await.unwrap();
    let request = stub.request().await;
    assert!(request.starts_with("GET /readyz HTTP/1.1\r\n"), "{request}");

    let error = stub.client.ready().await.unwrap_err();
    let rejection = error.rejection().unwrap();
    assert_eq!(rejection.code, ErrorCode::StorageFull);
    assert_eq!(rejection.suggested_remediation, ["free some space"]);
    assert!(error.is_temporary());
}
