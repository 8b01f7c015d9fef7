//! The checks of a server.

use std::time::Duration;

use tidings_client::{Client, ClientError, ErrorKind, Followed, Health};
use tidings_event::{Start, Status, StreamItem, Timestamp};
use tokio::time::{Instant, timeout_at};

use super::finding::{Finding, Report};
use crate::access::Access;
use crate::output::chain;
use crate::refusal;

/// How long the stream may take to be live: on a server that is not overloaded, milliseconds.
const STREAM_TIME: Duration = Duration::from_secs(5);

/// Clocks that differ by less do not confuse anybody, and the server's comes in whole seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 2;

/// Makes the checks of the server of `client`.
pub(super) async fn examine(
    client: &Client,
    access: &Access,
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
            "start it with `tidings serve`, or give its address by --url",
        ),
        ErrorKind::Untrusted { .. } => Finding::fail(
            CHECK,
            chain(error),
            "give the certificate of the server's authority by --ca-cert, or the server a certificate for \
             this address that has not expired",
        ),
        ErrorKind::NoToken(_) => Finding::fail(
            "token",
            chain(error),
            "put a token into the file of --token-file, or into TIDINGS_TOKEN",
        ),
        // Whatever keeps us out keeps everybody out.
        ErrorKind::Refused { .. } if error.refusal().is_some_and(|body| !is_missing(body)) => {
            failure(CHECK, error, "")
        }
        _ => Finding::warn(
            CHECK,
            format!("/healthz is not that of Tidings: {}", chain(error)),
            "if Tidings is mounted in another program, that is all right; otherwise give the right \
             address by --url",
        ),
    }
}

/// The server, and whether it is as old as this command: what they say to each other changes with
/// their versions.
fn version(client: &Client, health: &Health) -> Finding {
    const CHECK: &str = "server";
    const MINE: &str = env!("CARGO_PKG_VERSION");
    let place = format!("Tidings runs at {}", client.server());
    match health.version.as_deref() {
        Some(MINE) => Finding::ok(CHECK, format!("{place}, version {MINE} as this command")),
        Some(version) => Finding::warn(
            CHECK,
            format!("{place}, version {version}; this command has version {MINE}"),
            "use the command of the server's version",
        ),
        None => Finding::warn(
            CHECK,
            format!("{place}, and does not tell its version; this command has version {MINE}"),
            "use the command of the server's version; older servers do not tell theirs",
        ),
    }
}

/// Whether nothing more can be asked.
fn is_unanswered(error: &ClientError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unreachable { .. } | ErrorKind::Untrusted { .. } | ErrorKind::NoToken(_)
    )
}

fn is_missing(body: &tidings_event::ErrorBody) -> bool {
    body.code == tidings_event::ErrorCode::RouteNotFound
}

/// The server's clock was read at some moment between the two of ours.
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
        "let both machines take their time from the network: events bear the server's",
    ))
}

async fn ready(client: &Client) -> Finding {
    match client.ready().await {
        Ok(()) => Finding::ok("ready", "the server takes requests and its store answers"),
        Err(error) => failure("ready", &error, "look into the server's log"),
    }
}

async fn events(client: &Client, access: &Access) -> Result<Finding, Finding> {
    match client.summary().await {
        Ok(summary) => {
            let text = format!(
                "{} events are kept for you, {} of them {}",
                summary.total_count,
                summary.read_count,
                Status::Read
            );
            Ok(Finding::ok("events", text))
        }
        Err(error) if refusal::is_of_token(&error) => {
            let mut finding = failure("token", &error, "");
            let remedies = finding.remedy.into_iter().chain([access.renewal()]);
            finding.remedy = Some(remedies.collect::<Vec<_>>().join("; "));
            Err(finding)
        }
        Err(error) => {
            let remedy = "give the address of a Tidings server by --url";
            Err(failure("events", &error, remedy))
        }
    }
}

async fn stream(client: &Client) -> Finding {
    const CHECK: &str = "stream";
    let start = Instant::now();
    let mut follow = client.subscribe(Start::Now);
    let mut is_ready = false;
    loop {
        let next = timeout_at(start + STREAM_TIME, follow.next()).await;
        let missing = if is_ready { "live" } else { "ready" };
        match next {
            Ok(Ok(Followed::Item(StreamItem::Live { .. }))) if is_ready => {
                let text = format!("ready and live after {:.0?}", start.elapsed());
                return Finding::ok(CHECK, text);
            }
            Ok(Ok(Followed::Item(item))) => is_ready |= matches!(item, StreamItem::Ready { .. }),
            Ok(Ok(Followed::Disconnected { error, .. }) | Err(error)) => {
                return failure(CHECK, &error, "look into the server's log");
            }
            Err(_) => {
                return Finding::fail(
                    CHECK,
                    format!("no `{missing}` within {STREAM_TIME:?}"),
                    "if a proxy stands before the server, let it pass text/event-stream on at once, \
                     without a buffer; otherwise look into the server's log",
                );
            }
        }
    }
}

/// What the server says is wrong, with its own remedies, or else `remedy`.
fn failure(check: &'static str, error: &ClientError, remedy: &str) -> Finding {
    let mut text = chain(error);
    let mut remedies = Vec::new();
    if let Some(body) = error.refusal() {
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
    fn only_a_clock_that_is_off_is_a_warning() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let judge = |server, before, after| {
            let clock = Some(at(server));
            let finding = super::clock(&health(clock), at(before), at(after)).unwrap();
            (finding.verdict, finding.text)
        };
        assert_eq!(judge(100, 100, 101).0, Verdict::Ok);
        assert_eq!(judge(98, 100, 101).0, Verdict::Ok);
        assert_eq!(judge(103, 100, 101).0, Verdict::Ok);
        // A slow answer is no difference of clocks.
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
