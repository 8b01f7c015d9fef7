//! Recorded exchanges: the requests of existing clients, with every relevant byte of the responses.
//!
//! One file for each row of the contract. A change of the server's behaviour makes a test fail. If the
//! change is intended, run the tests with `INSTA_UPDATE=always` and review the difference.
//!
//! Every response is also checked with the OpenAPI document.

mod aliases;
mod system;

use std::fmt::Write as _;

use axum::http::Method;
use serde_json::Value;
use tidings_server::{Level, LogLevel};

use crate::app::{TestApp, TestResponse};
use crate::schema::Document;

/// The response headers that clients use.
const HEADERS: [&str; 5] = [
    "content-type",
    "location",
    "cache-control",
    "x-content-type-options",
    "allow",
];

/// Replacements for values that differ from run to run.
const FILTERS: [(&str, &str); 5] = [
    (
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
        "(an id)",
    ),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "(a time)"),
    (r#""[0-9a-f]{56}""#, "\"(a token)\""),
    (r"\b(\d+-\d+)-[0-9a-z]{8}\b", "$1-(a tag)"),
    (r"retry: \d+", "retry: (milliseconds)"),
];

/// A server and the recorded exchange.
struct Tape {
    app: TestApp,
    document: Document,
    text: String,
}

impl Tape {
    async fn start() -> Self {
        let app = TestApp::with(|config| {
            config.log_level = Some(LogLevel::new(Level::Info, |_| Ok(())));
        });
        Self {
            app: app.await,
            document: Document::load(),
            text: String::new(),
        }
    }

    /// Sends a request with an optional body, and records the exchange.
    async fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> TestResponse {
        let verb: Method = method.parse().expect("a method");
        let sent = path.replace('"', "%22").replace(' ', "%20");
        let _ = writeln!(self.text, "> {method} {sent}");
        let response = match body {
            Some(body) => {
                let _ = writeln!(self.text, "> content-type: application/json");
                let _ = writeln!(self.text, "{body}");
                self.app.send_json(verb, &sent, body.to_string()).await
            }
            None => {
                self.app
                    .send(crate::app::request(verb, &sent, "".into()))
                    .await
            }
        };
        self.keep(&response);
        self.check(method, path, &response);
        response
    }

    fn keep(&mut self, response: &TestResponse) {
        let _ = writeln!(self.text, "\n< {}", response.status);
        for name in HEADERS
            .iter()
            .filter(|name| !response.header(name).is_empty())
        {
            let _ = writeln!(self.text, "< {name}: {}", response.header(name));
        }
        if !response.body.is_empty() {
            let json = serde_json::to_string_pretty(&response.json()).expect("JSON");
            let _ = writeln!(self.text, "{json}");
        }
        self.text.push('\n');
    }

    /// Whether the document has this response.
    fn check(&self, method: &str, path: &str, response: &TestResponse) {
        let path = path.split('?').next().unwrap_or(path);
        let templates = self.document.0["paths"].as_object().expect("an object");
        // A fixed path wins over one with an id, as in the server.
        let template = templates.get(path).or_else(|| {
            let fitting = templates.iter().find(|(template, _)| fits(template, path));
            fitting.map(|(_, item)| item)
        });
        let template = template.unwrap_or_else(|| panic!("{path} is not documented"));
        let responses = &template[method.to_lowercase()]["responses"];
        let documented = &responses[response.status.as_str()];
        assert!(
            documented.is_object(),
            "{method} {path}: {}",
            response.status
        );
        if response.body.is_empty() {
            // A generated client reads the declared schema.
            assert!(
                documented["content"].is_null(),
                "{method} {path} has no body"
            );
            return;
        }
        let schema = &documented["content"]["application/json"]["schema"];
        let body = response.json();
        let faults = self.document.faults(schema, &body);
        assert_eq!(faults, [""; 0], "{method} {path}: {body}");
        if let Some(code) = body["code"].as_str() {
            let description = documented["description"].as_str().expect("a text");
            assert!(description.contains(&format!("`{code}`")), "{path}: {code}");
        }
    }

    /// Compares the exchange with the recording.
    #[track_caller]
    fn assert(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("recorded");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, replacement) in FILTERS {
            settings.add_filter(pattern, replacement);
        }
        settings.bind(|| insta::assert_snapshot!(name, self.text.trim_end()));
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(expected, found)| expected == found || expected.starts_with('{'))
}
