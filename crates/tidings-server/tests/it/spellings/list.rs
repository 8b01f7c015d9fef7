//! The parameters of the list.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use super::rows::ROWS;
use super::{RESOURCE, filled, path};
use crate::app::{EVENTS, request};

#[tokio::test]
async fn the_list_accepts_every_parameter_in_every_spelling() {
    let app = filled().await;
    let all = app.list("").await;
    for row in &ROWS {
        let canonical = app.get(&path(EVENTS, row.name, row.texts[0])).await;
        assert_eq!(canonical.status, 200, "{}", row.name);
        assert_ne!(canonical.json(), all, "{} changes nothing", row.name);
        for name in row.spellings() {
            for text in row.texts {
                let response = app.get(&path(EVENTS, &name, text)).await;
                assert_eq!(response.json(), canonical.json(), "{name}={text}");
            }
            for nothing in ["", "undefined", "null"] {
                if nothing.is_empty() || row.name != "search" {
                    let response = app.get(&path(EVENTS, &name, nothing)).await;
                    assert_eq!(response.json(), all, "{name}={nothing}");
                }
            }
        }
    }
    for name in ["next", "Next", "NEXT"] {
        let first = app.list("pagesize=3").await;
        let next = first["next"].as_str().unwrap();
        let second = app.list(&format!("pagesize=3&{name}={next}")).await;
        assert_eq!(
            second["events"],
            app.list("pagesize=3&page=1").await["events"]
        );
    }
}

#[tokio::test]
async fn repeated_parameters_are_several_values() {
    let app = filled().await;
    let expected = app
        .list("severity=%5B%22warning%22,%22success%22%5D&category=other,connection")
        .await;
    for query in [
        "severity=warning&severity=success&category=other&category=connection",
        "severity[]=warning&severity[]=success&categories[0]=other&categories[1]=connection",
        "severities=warning,success&Category=connection,other",
        "filter={%22severity%22:[%22success%22,%22warning%22]}&category=other&categories=connection",
    ] {
        let page = app.list(query).await;
        assert_eq!(page["events"], expected["events"], "{query}");
        assert_eq!(page["totalCount"], expected["totalCount"], "{query}");
    }
    let all = app.list("").await;
    for both in [
        "status=read&status=unread",
        "statuses=unread,read",
        "ownerKind=user&owner_kind=system",
    ] {
        assert_eq!(app.list(both).await, all, "{both}");
    }
    // A token belongs to a filter in any spelling.
    let first = app.list("severity=success,error&pagesize=2").await;
    let next = first["next"].as_str().unwrap();
    app.list(&format!(
        "Severity[]=error&severity[]=success&pagesize=2&next={next}"
    ))
    .await;
}

/// Queries of Meshery's interfaces, which Meshery answers with 200.
#[tokio::test]
async fn serves_the_queries_of_mesherys_interface() {
    let app = filled().await;
    let view = "sort=created_at&order=desc&pagesize=15";
    let newest = app.list(view).await;
    for query in [
        "initial=true&page=0",
        "page=0&status=undefined",
        "page=0&status=",
        "page=0&status=%5B%22unread%22%2C%22read%22%5D",
        "page=0&author=%5B%22somebody%22%5D",
        "page=0&pageSize=15",
    ] {
        assert_eq!(
            app.list(&format!("{query}&{view}")).await,
            newest,
            "{query}"
        );
    }
    let second = app.list(&format!("initial=true&page=1&{view}")).await;
    assert_eq!(second["events"], json!([]));
    assert_eq!(second["totalCount"], newest["totalCount"]);
    let nothing = app
        .list(&format!("category=%5B%22Some+text%22%5D&{view}"))
        .await;
    assert_eq!(nothing["events"], json!([]));
    assert_eq!(nothing["totalCount"], 0);
    assert_eq!(
        nothing["countBySeverityLevel"],
        newest["countBySeverityLevel"]
    );
    assert_eq!(nothing["cursor"], newest["cursor"]);
    let badge = app.list("page=0&pagesize=1&status=unread").await;
    assert_eq!(badge["totalCount"], 9);
    let mut asked = request(Method::GET, &format!("{EVENTS}?{view}"), Body::empty());
    asked
        .headers_mut()
        .insert("X-Current-Orgid", RESOURCE.parse().unwrap());
    assert_eq!(app.send(asked).await.json(), newest);
}
