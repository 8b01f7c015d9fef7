//! The traffic while all users listen: events for all users, changes by all users, and attempts to
//! access other users' data.

use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::checker::{Checker, Seen};
use super::names::SYSTEM;
use super::stream_socket::{Opened, StreamSocket};
use super::world::{LONG, World};
use crate::server::soon;

/// The number of events in a batch.
const BATCH: usize = 20;

/// Whether a user deletes events. The lists of the other users must have every published event.
pub(super) const fn deletes(user: u32) -> bool {
    user.is_multiple_of(5)
}

/// Publishes `requests` requests: one event or a batch for users, and sometimes an event for the
/// system.
pub(super) async fn publish(world: &World, requests: usize) {
    for number in 0..requests {
        let users: Vec<u32> = match number % 10 {
            0 => vec![SYSTEM],
            1..4 => std::iter::repeat_with(|| world.any_user())
                .take(BATCH)
                .collect(),
            _ => vec![world.any_user()],
        };
        world.publish(&users).await;
    }
}

/// Makes `changes` changes, and as many attempts to change other users' events.
pub(super) async fn change(world: &World, changes: usize, installation: Uuid) {
    for number in 0..changes {
        let Some((owner, id)) = world.any_published() else {
            tokio::task::yield_now().await;
            continue;
        };
        // Each user marks and deletes system events for themselves only.
        let user = match owner {
            SYSTEM => world.any_user(),
            owner => owner,
        };
        change_own(world, number, user, id).await;
        if owner != SYSTEM {
            let other = (owner + 1 + world.dice.roll().u32(..world.users - 1)) % world.users;
            attack(world, number, other, (owner, id), installation).await;
        }
    }
}

/// Changes one or several events of a user.
async fn change_own(world: &World, number: usize, user: u32, id: Uuid) {
    let status = ["read", "unread"][number % 2];
    let is_delete = deletes(user) && number.is_multiple_of(3);
    let selection = match number % 4 {
        0 => json!({"ids": [id]}),
        1 => {
            let (listed, page) = world.ask(user, (Method::GET, "?pagesize=1"), None).await;
            assert_eq!(listed, StatusCode::OK, "{page}");
            json!({"filter": {"severity": ["error"]}, "upTo": page["cursor"]})
        }
        2 => json!({"all": true}),
        _ => {
            let path = if is_delete {
                format!("/{id}")
            } else {
                format!("/status/{id}")
            };
            let (method, body) = if is_delete {
                (Method::DELETE, None)
            } else {
                (Method::PUT, Some(json!({"status": status})))
            };
            let (answered, body) = world.ask(user, (method, &path), body.as_ref()).await;
            // An earlier change can have deleted the event.
            let gone = deletes(user) && answered == StatusCode::NOT_FOUND;
            assert!(answered.is_success() || gone, "{answered} {body}");
            return;
        }
    };
    let (request, mut body) = if is_delete {
        ((Method::DELETE, "/bulk"), selection)
    } else {
        ((Method::PUT, "/status/bulk"), selection)
    };
    if !is_delete {
        body["status"] = json!(status);
    }
    let (answered, body) = world.ask(user, request, Some(&body)).await;
    assert!(answered.is_success(), "{answered} {body}");
}

/// Tries to read, mark or delete another user's event, or to resume from another user's cursor.
async fn attack(
    world: &World,
    number: usize,
    user: u32,
    (victim, id): (u32, Uuid),
    installation: Uuid,
) {
    let one = format!("/{id}");
    let mark = format!("/status/{id}");
    let read = json!({"status": "read"});
    let ids = json!({"ids": [id]});
    let ids_read = json!({"ids": [id], "status": "read"});
    let rejected = match number % 6 {
        0 => world.ask(user, (Method::GET, &one), None).await,
        1 => world.ask(user, (Method::PUT, &mark), Some(&read)).await,
        2 => world.ask(user, (Method::DELETE, &one), None).await,
        3 | 4 => {
            let (request, body) = if number % 6 == 3 {
                ((Method::PUT, "/status/bulk"), &ids_read)
            } else {
                ((Method::DELETE, "/bulk"), &ids)
            };
            let (answered, body) = world.ask(user, request, Some(body)).await;
            assert!(answered.is_success(), "{answered} {body}");
            let named =
                ["updated", "deleted"].map(|list| body[list].as_array().map_or(0, Vec::len));
            assert_eq!(named, [0, 0], "{body}");
            return;
        }
        _ => return follow_from(world, user, victim, installation).await,
    };
    let (answered, body) = rejected;
    assert_eq!(answered, StatusCode::NOT_FOUND, "{body}");
}

/// Requests a user's stream with the cursor of another user.
async fn follow_from(world: &World, user: u32, victim: u32, installation: Uuid) {
    let (answered, summary) = world.ask(victim, (Method::GET, "/summary"), None).await;
    assert_eq!(answered, StatusCode::OK, "{summary}");
    let cursor = summary["cursor"].as_str().expect("it has a cursor");
    let token = world.token(user, LONG);
    let opened = soon("a stream", StreamSocket::open(world.server, &token, cursor)).await;
    let Ok(Opened::Stream(mut stream)) = opened else {
        panic!("the server must open a stream with any cursor");
    };
    let mut checker = Checker::new(user, installation);
    loop {
        let block = soon("a frame", stream.next_block()).await;
        let block = block.expect("the connection holds");
        match checker.take(&block.expect("the stream continues")) {
            Seen::Comment => {}
            seen => return assert_eq!(seen, Seen::Reset),
        }
    }
}
