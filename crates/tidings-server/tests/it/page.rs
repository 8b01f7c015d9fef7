use crate::app::TestApp;
use crate::wire;

#[tokio::test]
async fn the_page_gives_commands_for_this_server_and_loads_nothing() {
    let app = TestApp::start().await;
    let server = app.serve();
    let answer = wire::get(server.address, "/").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = String::from_utf8(answer.body).unwrap();
    let command = format!("curl -X POST http://{}/api/system/events", server.address);
    assert!(page.contains(&command), "{page}");
    assert!(page.contains("tidings tail"));
    assert!(!page.contains("{{"), "{page}");
}

/// The body of the page's command, as a reader would copy it.
#[tokio::test]
async fn the_command_on_the_page_works() {
    let app = TestApp::start().await;
    let server = app.serve();
    let page = String::from_utf8(wire::get(server.address, "/").await.body).unwrap();
    let body = page
        .split("-d '")
        .nth(1)
        .and_then(|rest| rest.split('\'').next());
    app.publish(&serde_json::from_str(body.unwrap()).unwrap())
        .await;
}
