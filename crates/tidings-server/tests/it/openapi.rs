//! The OpenAPI document, compared with the server and with the committed copy.

use hyper::Request;
use serde_json::{Value, json};
use tidings_server::{Level, LogLevel};

use crate::app::TestApp;
use crate::login::LoginApp;
use crate::schema::Document;
use crate::wire;

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/// Every operation of the document.
fn operations(document: &Document) -> Vec<(&str, &str, &Value)> {
    let paths = document.0["paths"].as_object().expect("an object");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("an object").iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.collect()
}

#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == tidings_server::openapi(),
        "docs/openapi.json is not up to date; run `cargo xtask codegen`, or \
         `cargo run -p tidings-server --example openapi > docs/openapi.json`, and commit it"
    );
}

#[tokio::test]
async fn serves_the_document() {
    let app = TestApp::start().await;
    let server = app.serve();
    let response = wire::get(server.address, "/openapi.json").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), "application/json");
    // Without authentication no token is needed or rejected.
    let text = String::from_utf8(response.body).expect("it is text");
    for word in ["securitySchemes", "\"security\"", "\"401\""] {
        assert!(!text.contains(word), "{word}");
        assert!(tidings_server::openapi().contains(word), "{word}");
    }
    let app = LoginApp::start().await;
    let response = wire::get(app.server.address, "/openapi.json").await;
    assert_eq!(response.body, tidings_server::openapi().into_bytes());
}

/// The forms of a schema that client generators cannot read.
#[test]
fn contains_no_schema_that_generators_cannot_read() {
    fn check(value: &Value, place: &str) {
        if let Some(parts) = value["allOf"].as_array() {
            let types: std::collections::HashSet<_> = parts
                .iter()
                .filter_map(|part| part["type"].as_str())
                .collect();
            assert!(types.len() < 2, "{place} is of several types at once");
        }
        if value["type"] == "boolean" {
            assert!(value.get("enum").is_none(), "{place} is an enumeration");
        }
        if let Some(properties) = value["properties"].as_object() {
            let mut names = std::collections::HashSet::new();
            for name in properties.keys() {
                let plain = name.replace('_', "").to_lowercase();
                assert!(names.insert(plain), "{place}.{name} is spelled twice");
            }
        }
        let is_free = value["type"] == "object" || value["type"] == json!(["object", "null"]);
        let is_described =
            value.get("properties").is_some() || value.get("additionalProperties").is_some();
        // A flattened type is a part without its own keys.
        let is_part = place.contains("/allOf/");
        assert!(!is_free || is_described || is_part, "{place} takes no keys");
        let inner = value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, inner)| (key.clone(), inner));
        let items = value.as_array().into_iter().flatten().enumerate();
        for (key, inner) in inner.chain(items.map(|(index, inner)| (index.to_string(), inner))) {
            if key != "example" && key != "examples" {
                check(inner, &format!("{place}/{key}"));
            }
        }
    }
    let document = Document::load();
    check(&document.0, "");
    assert_eq!(document.0["info"]["license"]["identifier"], "Apache-2.0");
    assert_eq!(document.0["servers"], json!([{"url": "/"}]));
}

/// Every documented method is served, and no path accepts another one.
#[tokio::test]
async fn documents_exactly_the_served_methods() {
    let app = TestApp::with(|config| {
        config.log_level = Some(LogLevel::new(Level::Info, |_| Ok(())));
    });
    let app = app.await;
    let server = app.serve();
    let document = Document::load();
    for (path, item) in document.0["paths"].as_object().unwrap() {
        let documented = |method: &str| item.get(method.to_lowercase()).is_some();
        let path = path.replace("{id}", "0c0ffee0-0000-4000-8000-0000000000ff");
        // Load balancers use OPTIONS here, too, which is not an operation of the API.
        let is_probed = ["/", "/healthz", "/readyz"].contains(&path.as_str());
        for method in METHODS {
            if is_probed && method == "OPTIONS" {
                continue;
            }
            let request = Request::builder().method(method).uri(&path);
            let response = wire::call(server.address, request).await;
            let is_taken = response.status() != 405;
            assert_eq!(is_taken, documented(method), "{method} {path}");
            if let Some(allow) = response.headers().get("allow") {
                let allowed = allow.to_str().unwrap().split(',');
                for method in allowed.filter(|method| *method != "HEAD") {
                    if is_probed && method == "OPTIONS" {
                        continue;
                    }
                    assert!(documented(method), "{method} {path}");
                }
            }
            if response.status() == 404 {
                let body = wire::read(response).await.json();
                // Without authentication these paths do not exist.
                let needs_login = ["/session", "/tokens/revoke"].contains(&path.as_str());
                let expected = if needs_login || path.starts_with("/assets/") {
                    "route_not_found"
                } else {
                    "event_not_found"
                };
                assert_eq!(body["code"], expected, "{method} {path}");
            }
        }
    }
}

#[test]
fn every_operation_has_a_unique_id_and_a_description() {
    let document = Document::load();
    let mut names = std::collections::HashSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        assert!(operation["summary"].is_string(), "{method} {path}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].is_string(),
                "{method} {path} {parameter}"
            );
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                response["description"].is_string(),
                "{method} {path} {status}"
            );
        }
    }
}

#[test]
fn every_example_matches_its_schema() {
    let document = Document::load();
    let mut examples = 0;
    for (path, method, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().values();
        let bodies = responses.chain([&operation["requestBody"]]);
        for body in bodies {
            for content in body["content"].as_object().into_iter().flatten() {
                let content = content.1;
                let several = content["examples"].as_object().into_iter().flatten();
                let several = several.map(|(_, one)| &document.resolve(one)["value"]);
                for example in several.chain(content.get("example")) {
                    let faults = document.faults(&content["schema"], example);
                    assert_eq!(faults, [""; 0], "{method} {path}: {example}");
                    examples += 1;
                }
            }
        }
    }
    assert!(examples > 100, "{examples}");
}

#[test]
fn schemas_exclude_rejected_bodies() {
    let document = Document::load();
    let id = "0c0ffee0-0000-4000-8000-0000000000ff";
    let up_to = "1042-17-k3f9q2w8";
    let schema = json!({"$ref": "#/components/schemas/DeleteSeveral"});
    for good in [
        json!({"ids": [id]}),
        json!({"all": true}),
        json!({"filter": {"status": "read"}, "upTo": up_to}),
    ] {
        assert_eq!(document.faults(&schema, &good), [""; 0], "{good}");
    }
    for bad in [
        json!({"ids": [id], "more": 1}),
        json!({"ids": [id], "all": true}),
        json!({"all": true, "upTo": null}),
        json!({"filter": {"status": "read"}}),
        json!({"filter": {"status": null}, "upTo": up_to}),
        json!({"filter": {"severity": []}, "upTo": up_to}),
        json!({"filter": {"more": 1}, "upTo": up_to}),
    ] {
        assert_ne!(document.faults(&schema, &bad), [""; 0], "{bad}");
    }
}

#[test]
fn descriptions_contain_no_rust() {
    let document = tidings_server::openapi();
    for word in ["::", "`None`", "`Some", "Option<"] {
        let line = document.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word}");
    }
}

#[test]
fn every_code_has_an_example() {
    let document = Document::load();
    let codes = &document.0["components"]["schemas"]["ErrorCode"]["enum"];
    for code in codes.as_array().unwrap() {
        let examples = &document.0["components"]["examples"];
        let example = &examples[code.as_str().unwrap()]["value"];
        assert_eq!(example["code"], *code);
    }
}
