use axum::http::HeaderMap;

use crate::app::{TestApp, TestResponse};
use crate::login::LoginApp;
use crate::wire;

/// The files that the page refers to.
fn files_of(page: &str) -> Vec<&str> {
    let named = page.split('"').filter_map(|text| text.strip_prefix('.'));
    named.filter(|path| path.starts_with("/assets/")).collect()
}

fn text(response: &TestResponse) -> String {
    String::from_utf8(response.body.clone()).expect("it is text")
}

#[tokio::test]
async fn the_page_loads_its_files_and_has_no_inline_script() {
    let app = TestApp::start().await;
    let server = app.serve();
    let response = wire::get(server.address, "/").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
    let policy = response.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = text(&response);
    assert!(
        !page.contains("<style") && !page.contains("<script>"),
        "{page}"
    );
    let files = files_of(&page);
    assert!(files.len() >= 2, "{page}");
    for path in files {
        let file = wire::get(server.address, path).await;
        assert_eq!(file.status, 200, "{path}");
        let caching = file.header("cache-control");
        assert!(caching.contains("immutable"), "{path}: {caching}");
        let kind = file.header("content-type");
        let expected = if path.ends_with(".js") {
            "javascript"
        } else {
            "css"
        };
        assert!(kind.contains(expected), "{path}: {kind}");
    }
}

#[tokio::test]
async fn tells_the_page_whether_there_is_a_login() {
    let app = TestApp::start().await;
    let server = app.serve();
    let page = text(&wire::get(server.address, "/").await);
    assert!(
        page.contains("name=\"tidings-login\" content=\"none\""),
        "{page}"
    );
    let app = LoginApp::start().await;
    let page = text(&wire::get(app.server.address, "/").await);
    assert!(
        page.contains("name=\"tidings-login\" content=\"token\""),
        "{page}"
    );
}

#[tokio::test]
async fn serves_the_components_to_other_pages() {
    let app = TestApp::start().await;
    let server = app.serve();
    let script = wire::get(server.address, "/tidings.js").await;
    assert_eq!(script.status, 200);
    assert_eq!(script.header("cache-control"), "no-cache");
    let tag = script.header("etag").to_owned();
    let request = hyper::Request::get("/tidings.js")
        .header("host", "localhost")
        .header("if-none-match", tag);
    let again = wire::send(server.address, request.body(String::new()).unwrap()).await;
    assert_eq!(again.status(), 304);
    let bytes: &HeaderMap = again.headers();
    assert!(!bytes.contains_key("content-type"));
    for path in [
        "/assets/none.js",
        "/assets/..%2Findex.html",
        "/assets/%2e%2e",
    ] {
        let response = wire::get(server.address, path).await;
        response.error(404, "route_not_found");
    }
}
