//! Power fails the moment a response is sent: everything acknowledged is on disk.
//!
//! SIGKILL cannot show this, since the kernel keeps the data that the process has written. This test
//! traces the server's system calls and replays them on a disk that keeps only synced data.

mod disk;
mod trace;

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tidings::{Config, EventFilter, PageRequest, Tidings};
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, event, soon};
use disk::{Disk, Obeys};
use trace::Call;

/// The user's events by description, and whether each is read.
type Inbox = Vec<(String, bool)>;

/// The system calls of the requests, and the user's inbox after each response.
struct Traced {
    calls: Vec<Call>,
    acknowledged: Vec<Inbox>,
}

#[tokio::test]
async fn acknowledged_requests_survive_power_loss() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    // The kernel reports canonical paths.
    let path = fs::canonicalize(directory.path()).expect("it is there");
    let Traced {
        calls,
        acknowledged,
    } = traced(&path).await;
    let survived = survivors(&path, &calls, Obeys::All).await;
    assert_eq!(survived, acknowledged);
    // Without some of the syncs, the simulated disk must lose acknowledged data.
    for obeys in [Obeys::None, Obeys::NotTheLog, Obeys::NoDirectories] {
        let survived = survivors(&path, &calls, obeys).await;
        assert_eq!(survived.len(), acknowledged.len());
        for (survived, acknowledged) in survived.iter().zip(&acknowledged) {
            assert_ne!(survived, acknowledged, "{obeys:?}");
        }
    }
}

/// Runs a server on a new data directory under `strace`, and sends requests one after another.
async fn traced(directory: &Path) -> Traced {
    let trace = directory.join("trace");
    let mut command = Command::new("strace");
    command
        // The server stays a child of this process, and ends with it.
        .args(["-D", "-f", "-q", "-y", "-xx", "-s", "1000000"])
        .args(["-e", &format!("trace={}", trace::CALLS), "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_tidings"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.join("data"));
    let server = Server::from_command(command).await;
    let acknowledged = send_requests(&server).await;
    let pid = server.pid();
    server.terminate();
    assert!(server.ended().await.success());
    let end = format!("{pid} +++ exited with 0 +++");
    let written = async {
        loop {
            // `strace` aligns the process ids in columns.
            let text = fs::read_to_string(&trace).expect("strace has written");
            let mut lines = text.lines().rev();
            if lines.any(|line| line.split_whitespace().eq(end.split(' '))) {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    let text = soon("the end of the trace", written).await;
    Traced {
        calls: trace::read(&text),
        acknowledged,
    }
}

async fn send_requests(server: &Server) -> Vec<Inbox> {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    let send = async |method: Method, path: &str, body: Value| {
        let request = http.request(method, server.url(path)).json(&body);
        let response = soon("a response", request.send()).await;
        let response = response.expect("the connection holds");
        let status = response.status();
        assert!(status.is_success(), "{path}: {status}");
        // The next request starts after the end of the response.
        response.bytes().await.expect("the connection holds")
    };
    let one = event(LOCAL_USER, "one");
    let (two, three) = (event(LOCAL_USER, "two"), event(LOCAL_USER, "three"));
    let id = |event: &Value| event["id"].as_str().expect("an id").to_owned();
    let events = "/api/system/events";
    let inbox = |events: &[(&str, bool)]| -> Inbox {
        let events = events.iter();
        events
            .map(|(text, is_read)| ((*text).to_owned(), *is_read))
            .collect()
    };
    let mut acknowledged = Vec::new();
    let read = json!({"status": "read"});

    send(Method::POST, events, one.clone()).await;
    acknowledged.push(inbox(&[("one", false)]));
    send(Method::POST, events, json!([two, three])).await;
    acknowledged.push(inbox(&[("one", false), ("three", false), ("two", false)]));
    send(Method::PUT, &format!("{events}/status/{}", id(&one)), read).await;
    acknowledged.push(inbox(&[("one", true), ("three", false), ("two", false)]));
    send(Method::DELETE, &format!("{events}/{}", id(&two)), json!({})).await;
    acknowledged.push(inbox(&[("one", true), ("three", false)]));
    let all = json!({"all": true, "status": "read"});
    send(Method::PUT, &format!("{events}/status/bulk"), all).await;
    acknowledged.push(inbox(&[("one", true), ("three", true)]));
    acknowledged
}

/// The inboxes that survive a power loss at the start of each response.
async fn survivors(directory: &Path, calls: &[Call], obeys: Obeys) -> Vec<Inbox> {
    let mut disk = Disk::new(directory, obeys);
    let data = directory.join("data");
    let mut moments: Vec<(usize, bool, usize)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        // A call ends after it starts, and both can be on the same line.
        moments.push((call.begun, false, index));
        moments.push((call.ended, true, index));
    }
    moments.sort_unstable();
    let mut syncs: Vec<_> = calls.iter().map(|_| None).collect();
    let mut survived = Vec::new();
    for (_, is_end, index) in moments {
        let call = &calls[index];
        let is_sync = ["fsync", "fdatasync"].contains(&call.name.as_str());
        match (is_sync, is_end) {
            (true, false) => syncs[index] = disk.begin_sync(call),
            (true, true) => {
                if let Some(sync) = syncs[index].take() {
                    disk.end_sync(call, sync);
                }
            }
            (false, false) if is_response(call) => survived.push(left_on(&disk, &data).await),
            (false, false) => {}
            (false, true) => disk.apply(call),
        }
    }
    survived
}

fn is_response(call: &Call) -> bool {
    let is_socket = call.path.to_string_lossy().starts_with("socket:");
    let mut texts = call.texts.iter();
    is_socket && texts.any(|text| text.starts_with(b"HTTP/1.1 2"))
}

/// Opens the durable files with an engine and returns the inbox.
async fn left_on(disk: &Disk, data: &Path) -> Inbox {
    let directory = tempfile::tempdir().expect("a directory can be made");
    disk.write_durable(data, directory.path());
    let tidings = Tidings::open(Config::new(directory.path())).await;
    let tidings = tidings.expect("a store can be opened after a loss of power");
    let owner = LOCAL_USER.parse().expect("a user");
    let page = tidings.list(owner, EventFilter::default(), PageRequest::default());
    let mut inbox: Vec<_> = page
        .await
        .expect("readable")
        .events
        .into_iter()
        .map(|event| (event.description, event.status == tidings::Status::Read))
        .collect();
    inbox.sort_unstable();
    tidings.close().await;
    inbox
}
