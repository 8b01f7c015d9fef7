//! The checks of a server.

use std::time::Duration;

use tidings_client::{Client, ClientError, ErrorKind, Health, Received};
use tidings_event::{Start, Status, StreamItem, Timestamp};
use tokio::time::{Instant, timeout_at};

use super::finding::{Finding, Report};
use crate::access::AccessArgs;
use crate::output::chain;
use crate::rejection;

/// The time limit for the stream to be live, which takes milliseconds unless the server is overloaded.
const STREAM_TIME: Duration = Duration::from_secs(5);

/// The tolerated difference of clocks; the server reports whole seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 2;

/// Runs the checks of a server.
pub(super) async fn examine(
    client: &Client,
    access: &AccessArgs,
    report: &mut Report,
) -> anyhow::Result<()> {
    let asked_at = Timestamp::now();
    match client.health().await {
        Ok(health) => {
            report.add(&version(client, &health))?;
            if let Some(finding) = clock(&health, asked_at, Timestamp::now()) {
                report.add(&finding)?;
            }
            report.add(&ready(client).await)?;
        }
        Err(error) => {
            report.add(&no_health(&error))?;
            if is_unanswered(&error) {
                return Ok(());
            }
        }
    }
    match events(client, access).await {
        Ok(finding) => {
            report.add(&finding)?;
            report.add(&stream(client).await)
        }
        Err(finding) => report.add(&finding),
    }
}

fn no_health(error: &ClientError) -> Finding {
    const CHECK: &str = "server";
    match error.kind() {
        ErrorKind::Unreachable { .. } => Finding::fail(
            CHECK,
            chain(error),
            "start it with `tidings serve`, or give its URL by --url",
        ),
        ErrorKind::Untrusted { .. } => Finding::fail(
            CHECK,
            chain(error),
            "give the certificate of the server's authority by --ca-cert, or renew the server's certificate \
             for this address",
        ),
        ErrorKind::NoToken(_) => Finding::fail(
            "token",
            chain(error),
            "put a token into the file of --token-file or into TIDINGS_TOKEN",
        ),
        // The server rejects every caller for the same reason.
        ErrorKind::Rejected { .. } if error.rejection().is_some_and(|body| !is_missing(body)) => {
            failure(CHECK, error, "")
        }
        _ => Finding::warn(
            CHECK,
            format!("/healthz is not served by Tidings: {}", chain(error)),
            "ignore this if another program mounts Tidings; otherwise correct --url",
        ),
    }
}

/// Compares the versions of the server and of this command, since the protocol changes with them.
fn version(client: &Client, health: &Health) -> Finding {
    const CHECK: &str = "server";
    const MINE: &str = env!("CARGO_PKG_VERSION");
    let place = format!("Tidings runs at {}", client.server());
    match health.version.as_deref() {
        Some(MINE) => Finding::ok(
            CHECK,
            format!("{place}, with the version of this command, {MINE}"),
        ),
        Some(version) => Finding::warn(
            CHECK,
            format!("{place}, version {version}; this command is version {MINE}"),
            "use the command of the server's version",
        ),
        None => Finding::warn(
            CHECK,
            format!("{place}, which does not report its version; this command is version {MINE}"),
            "use the command of the server's version; old servers do not report theirs",
        ),
    }
}

/// Whether further checks are pointless.
fn is_unanswered(error: &ClientError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unreachable { .. } | ErrorKind::Untrusted { .. } | ErrorKind::NoToken(_)
    )
}

fn is_missing(body: &tidings_event::ErrorBody) -> bool {
    body.code == tidings_event::ErrorCode::RouteNotFound
}

/// Compares the clocks. The server read its clock between `before` and `after`.
fn clock(health: &Health, before: Timestamp, after: Timestamp) -> Option<Finding> {
    const CHECK: &str = "clock";
    let server = health.clock?.as_second();
    let ahead = server - after.as_second();
    let behind = before.as_second() - server;
    let (seconds, direction) = match (ahead, behind) {
        (ahead, _) if ahead > CLOCK_TOLERANCE_SECONDS => (ahead, "ahead of"),
        (_, behind) if behind > CLOCK_TOLERANCE_SECONDS => (behind, "behind"),
        _ => {
            return Some(Finding::ok(
                CHECK,
                "the server's clock agrees with this one",
            ));
        }
    };
    Some(Finding::warn(
        CHECK,
        format!("the server's clock is {seconds} s {direction} this one"),
        "synchronize both machines with NTP, since events have the server's time",
    ))
}

async fn ready(client: &Client) -> Finding {
    match client.ready().await {
        Ok(()) => Finding::ok(
            "ready",
            "the server accepts requests and its store responds",
        ),
        Err(error) => failure("ready", &error, "read the server's log"),
    }
}

async fn events(client: &Client, access: &AccessArgs) -> Result<Finding, Finding> {
    match client.summary().await {
        Ok(summary) => {
            let noun = if summary.total_count == 1 {
                "event"
            } else {
                "events"
            };
            let text = format!(
                "the inbox has {} {noun}, {} of them {}",
                summary.total_count,
                summary.read_count,
                Status::Read
            );
            Ok(Finding::ok("events", text))
        }
        Err(error) if rejection::is_of_token(&error) => {
            let mut finding = failure("token", &error, "");
            let remedies = finding.remedy.into_iter().chain([access.renewal()]);
            finding.remedy = Some(remedies.collect::<Vec<_>>().join("; "));
            Err(finding)
        }
        Err(error) => {
            let remedy = "give the URL of a Tidings server by --url";
            Err(failure("events", &error, remedy))
        }
    }
}

async fn stream(client: &Client) -> Finding {
    const CHECK: &str = "stream";
    let start = Instant::now();
    let mut subscription = client.subscribe(Start::Now);
    let mut is_ready = false;
    loop {
        let next = timeout_at(start + STREAM_TIME, subscription.next()).await;
        let missing = if is_ready { "live" } else { "ready" };
        match next {
            Ok(Ok(Received::Item(StreamItem::Live { .. }))) if is_ready => {
                let text = format!("ready and live after {:.0?}", start.elapsed());
                return Finding::ok(CHECK, text);
            }
            Ok(Ok(Received::Item(item))) => is_ready |= matches!(item, StreamItem::Ready { .. }),
            Ok(Ok(Received::Disconnected { error, .. }) | Err(error)) => {
                return failure(CHECK, &error, "read the server's log");
            }
            Err(_) => {
                return Finding::fail(
                    CHECK,
                    format!("no `{missing}` within {STREAM_TIME:?}"),
                    "if a proxy is in front of the server, turn off its buffering of text/event-stream; \
                     otherwise read the server's log",
                );
            }
        }
    }
}

/// The fault that the server reports, with its suggested fixes, or else `remedy`.
fn failure(check: &'static str, error: &ClientError, remedy: &str) -> Finding {
    let mut text = chain(error);
    let mut remedies = Vec::new();
    if let Some(body) = error.rejection() {
        for fault in &body.long_description {
            text += "; ";
            text += fault;
        }
        remedies.clone_from(&body.suggested_remediation);
    }
    if remedies.is_empty() {
        remedies.push(remedy.to_owned());
    }
    let mut finding = Finding::fail(check, text, remedies.join("; "));
    finding.remedy = finding.remedy.filter(|remedy| !remedy.is_empty());
    finding
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn warns_of_clocks_that_differ() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let judge = |server, before, after| {
            let clock = Some(at(server));
            let finding = super::clock(&health(clock), at(before), at(after)).unwrap();
            (finding.verdict, finding.text)
        };
        assert_eq!(judge(100, 100, 101).0, Verdict::Ok);
        assert_eq!(judge(98, 100, 101).0, Verdict::Ok);
        assert_eq!(judge(103, 100, 101).0, Verdict::Ok);
        // A slow response is not a difference of clocks.
        assert_eq!(judge(120, 100, 125).0, Verdict::Ok);
        let (verdict, text) = judge(160, 100, 101);
        assert_eq!(verdict, Verdict::Warn);
        assert!(text.contains("59 s ahead of"), "{text}");
        let (verdict, text) = judge(60, 100, 101);
        assert_eq!(verdict, Verdict::Warn);
        assert!(text.contains("40 s behind"), "{text}");
        assert_eq!(super::clock(&health(None), at(1), at(1)), None);
    }

    fn health(clock: Option<Timestamp>) -> Health {
        let mut health = Health::default();
        health.clock = clock;
        health
    }
}
