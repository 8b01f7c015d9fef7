//! Ten thousand streams at once: readers, slow readers, readers that take nothing, clients that half-close or
//! vanish, tokens that expire or are revoked. Everyone else gets every event, and all end with the server.

mod client;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use reqwest::StatusCode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::server::{STUCK, Server, event, soon};
use crate::test_dir::TestDir;
use client::{Client, End, Signer};

/// The most streams, if the limit of open files allows it.
const STREAMS: usize = 10_000;

/// Open files that are not streams.
const OTHER_FILES: usize = 300;

/// The most connections that are opened at the same time.
const DOORS: usize = 64;

/// Events of the system, which every reader gets.
const EVENTS: usize = 20;

/// The time of the tokens that expire while the test runs.
const SHORT: Duration = Duration::from_secs(6);
const LONG: Duration = Duration::from_secs(3600);

/// The behavior of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Reads,
    /// Takes nothing until all others have everything, and then a few bytes at a time.
    Slow,
    /// Takes nothing after the stream has begun.
    Stalled,
    /// Closes its sending side.
    HalfCloses,
    /// Closes its socket.
    Vanishes,
    /// Its token is revoked.
    Revoked,
    /// Its token expires.
    Expires,
}

impl Role {
    const fn of(number: usize) -> Self {
        match number % 50 {
            0 if number.is_multiple_of(100) => Self::Slow,
            0 => Self::Stalled,
            3..6 => Self::HalfCloses,
            6..9 => Self::Vanishes,
            9..12 => Self::Revoked,
            12 => Self::Expires,
            _ => Self::Reads,
        }
    }
}

/// The signals that the clients wait for.
#[derive(Clone, Debug)]
struct Gates {
    /// Has a permit from each client that has got everything.
    have: Arc<Semaphore>,
    /// All that are not slow have everything.
    slow: Arc<Semaphore>,
    leave: Arc<Semaphore>,
    /// The server has ended.
    over: Arc<Semaphore>,
}

impl Default for Gates {
    fn default() -> Self {
        let [have, slow, leave, over] = [(); 4].map(|()| Arc::new(Semaphore::new(0)));
        Self {
            have,
            slow,
            leave,
            over,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_get_everything_and_end_in_order() {
    let number = raise_open_files();
    let place = TestDir::new().await;
    let revoked = place.path("revoked");
    std::fs::write(&revoked, "").expect("writable");
    let mut command = place.serve(&["--jwt-leeway", "1s", "--publish-rate", "0"]);
    command.args(["--revoked-tokens"]).arg(&revoked);
    let server = Server::from_command(command).await;
    let secret = std::fs::read(&place.secret).expect("it is there");
    let signer = Signer::new(secret.trim_ascii_end());

    // Tokens that expire come last, so that they live when the events come.
    let mut numbers: Vec<usize> = (0..number).collect();
    numbers.sort_by_key(|number| Role::of(*number) == Role::Expires);
    let mut clients = Vec::with_capacity(number);
    let opened = stream::iter(&numbers).map(|number| {
        let role = Role::of(*number);
        let lasts = if role == Role::Expires { SHORT } else { LONG };
        let token = signer.token(*number, lasts);
        let (server, is_old) = (server.address, number.is_multiple_of(2));
        let narrow = matches!(role, Role::Slow | Role::Stalled);
        async move { (role, Client::open(server, &token, is_old, narrow).await) }
    });
    let mut opened = opened.buffered(DOORS);
    while let Some(client) = opened.next().await {
        clients.push(client);
    }
    drop(opened);
    let with = |role| clients.iter().filter(move |(of, _)| *of == role).count();
    let leaving = [
        Role::HalfCloses,
        Role::Vanishes,
        Role::Revoked,
        Role::Expires,
    ];
    let leaving = leaving.map(with).iter().sum::<usize>();
    assert!(leaving > number / 10);
    let stay = number - leaving;
    let slow = with(Role::Slow);
    let served = number - with(Role::Stalled) - with(Role::Expires);
    let revoked_ids = (0..number).filter(|number| Role::of(*number) == Role::Revoked);
    let revoked_ids: Vec<_> = revoked_ids.map(Signer::id).collect();

    let backend = signer.publisher();
    fill_connections(&server, &backend, &numbers).await;
    let gates = Gates::default();
    let journeys: Vec<_> = clients
        .into_iter()
        .map(|(role, client)| tokio::spawn(journey(role, client, gates.clone())))
        .collect();
    for number in 0..EVENTS {
        let mut event = event("system", &number.to_string());
        event["owner"] = "system".into();
        publish(&server, &backend, &json!([event])).await;
    }
    // Those that are full hold up nobody.
    all_have(&gates, served - slow).await;
    gates.slow.add_permits(slow);
    all_have(&gates, served).await;
    // Now some leave, by themselves or because the server ends their streams.
    gates.leave.add_permits(number);
    std::fs::write(&revoked, revoked_ids.join("\n") + "\n").expect("writable");
    until_subscribers(&server, &signer.administrator(), stay).await;

    server.terminate();
    assert!(server.ended().await.success());
    gates.over.add_permits(number);
    for journey in journeys {
        let ended = soon("a client to end", journey).await;
        ended.expect("no check has failed");
    }
}

/// Waits until this number of clients has everything.
async fn all_have(gates: &Gates, clients: usize) {
    let number = u32::try_from(clients).expect("it is small");
    let all_have = tokio::time::timeout(STUCK, gates.have.acquire_many(number)).await;
    let have = gates.have.available_permits();
    assert!(all_have.is_ok(), "{have} of {clients} have everything");
}

/// Raises the soft limit of open files. Returns how many streams it allows.
fn raise_open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a limit can be raised to its maximum");
    let files = limit.maximum.and_then(|files| usize::try_from(files).ok());
    STREAMS.min(files.unwrap_or(usize::MAX) - OTHER_FILES)
}

async fn publish(server: &Server, token: &str, events: &Value) {
    let http = reqwest::Client::builder().no_proxy().build();
    let request = http
        .expect("a client is made")
        .post(server.url("/api/system/events"));
    let response = soon("a response", request.bearer_auth(token).json(events).send()).await;
    let status = response.expect("the connection holds").status();
    assert_eq!(status, StatusCode::CREATED);
}

/// Sends each client that takes nothing, for a while or for good, more than the buffers of its connection hold.
async fn fill_connections(server: &Server, backend: &str, numbers: &[usize]) {
    for number in numbers {
        if matches!(Role::of(*number), Role::Slow | Role::Stalled) {
            let mut large = event(&Signer::owner(*number).to_string(), "large");
            large["metadata"] = json!({"fill": "x".repeat(60_000)});
            let many = (0..5).map(|_| {
                let mut large = large.clone();
                large["id"] = Uuid::now_v7().to_string().into();
                large
            });
            publish(server, backend, &many.collect()).await;
        }
    }
}

/// Waits until the server has this many streams.
async fn until_subscribers(server: &Server, token: &str, number: usize) {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    let mut seen = String::new();
    let reached = async {
        loop {
            let request = http.get(server.url("/metrics")).bearer_auth(token).send();
            let text = request.await.expect("the connection holds").text().await;
            let text = text.expect("metrics are text");
            let mut lines = text.lines();
            let value = lines.find_map(|line| line.strip_prefix("tidings_subscribers "));
            seen = value.expect("it is shown").to_owned();
            if seen == number.to_string() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let reached = tokio::time::timeout(STUCK, reached).await;
    assert!(reached.is_ok(), "{seen} streams, and {number} expected");
}

/// Follows one client to the end of its stream, and checks what it got.
async fn journey(role: Role, mut client: Client, gates: Gates) {
    let all: Vec<String> = (0..EVENTS).map(|number| number.to_string()).collect();
    if role == Role::Stalled {
        let _over = gates.over.acquire().await.expect("it stays open");
        while client.read(false).await {}
        assert_ne!(client.end(), End::Chunked, "it could not be told");
        return;
    }
    if role == Role::Slow {
        let slow = soon("the others", gates.slow.acquire()).await;
        slow.expect("it stays open").forget();
    }
    if role != Role::Expires {
        while client.events.len() < EVENTS {
            assert!(
                client.read(role == Role::Slow).await,
                "{role:?}: the stream ended"
            );
        }
        assert_eq!(client.events, all, "{role:?}");
        gates.have.add_permits(1);
        let leave = soon("the others", gates.leave.acquire()).await;
        let _leave = leave.expect("it stays open");
    }
    match role {
        Role::HalfCloses => client.half_close().await,
        Role::Vanishes => return,
        Role::Reads | Role::Slow | Role::Stalled | Role::Revoked | Role::Expires => {}
    }
    while client.read(false).await {}
    let expiring = match role {
        Role::Revoked => 1,
        Role::Expires => 2,
        Role::Reads | Role::Slow | Role::Stalled | Role::HalfCloses | Role::Vanishes => 0,
    };
    assert_eq!(client.expiring, expiring, "{role:?}");
    if role == Role::Expires {
        assert!(
            all.starts_with(&client.events),
            "{role:?}: {:?}",
            client.events
        );
    } else {
        assert_eq!(client.events, all, "{role:?}");
    }
    if role != Role::HalfCloses {
        assert_ne!(client.end(), End::Cut, "{role:?}");
        // Only the server's end says when to come back.
        let farewell = matches!(role, Role::Reads | Role::Slow);
        assert_eq!(client.retries, 1 + usize::from(farewell), "{role:?}");
    }
}
