//! Reads of one owner, over HTTP.

use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::http::{Client, Subscriber, stream_request};
use crate::statistics::Samples;
use crate::system::System;
use crate::waiting::soon;

/// How many events or updates a client has missed when it resumes.
const MISSED: u64 = 10;

pub(super) const SUMMARY: &str = "/api/system/events/summary";
pub(super) const BY_SEVERITY: &str =
    "/api/system/events?pagesize=25&sort=created_at&order=desc&severity=warning";
/// The path has [`crate::content::Description::RARE_WORD`].
pub(super) const SEARCH: &str =
    "/api/system/events?pagesize=25&sort=created_at&order=desc&search=quarantined";

/// A read that is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) name: &'static str,
    what: What,
    /// How many times it is read in each turn.
    pub(super) tries: usize,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Path(&'static str),
    Resume,
}

impl Read {
    pub(super) const ALL: [Self; 6] = [
        Self {
            name: "first page",
            what: What::Path("/api/system/events?pagesize=25&sort=created_at&order=desc"),
            tries: 2_000,
        },
        Self {
            name: "first page by `updatedAt`",
            what: What::Path("/api/system/events?pagesize=25&sort=updated_at&order=desc"),
            tries: 2_000,
        },
        Self {
            name: "page of warnings",
            what: What::Path(BY_SEVERITY),
            tries: 2_000,
        },
        Self {
            name: "page of a search",
            what: What::Path(SEARCH),
            tries: 400,
        },
        Self {
            name: "summary",
            what: What::Path(SUMMARY),
            tries: 5_000,
        },
        Self {
            name: "resuming a stream",
            what: What::Resume,
            tries: 1_000,
        },
    ];
}

/// The cost of one read in one inbox.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) cpu_us: Samples,
    pub(super) medians: Samples,
}

/// The parts of a turn. The inboxes alternate from part to part, so that the noise of the machine reaches both.
const PARTS: usize = 20;

impl Read {
    /// Measures one turn in both inboxes.
    pub(super) async fn measure(
        &self,
        system: &System,
        tokens: [&str; 2],
        tries: usize,
        figures: &mut [Figures; 2],
    ) -> anyhow::Result<()> {
        let mut turns = [
            Turn::begin(system, tokens[0]).await?,
            Turn::begin(system, tokens[1]).await?,
        ];
        for part in 0..PARTS {
            // Neither inbox is always the first.
            for side in [part % 2, (part + 1) % 2] {
                turns[side].read(system, self.what, tries / PARTS).await?;
            }
        }
        for (figures, turn) in figures.iter_mut().zip(turns) {
            figures.cpu_us.push(turn.cpu_us.median());
            figures.medians.push(turn.times.median());
        }
        Ok(())
    }
}

/// One turn in one inbox.
struct Turn<'a> {
    token: &'a str,
    client: Client,
    /// The request of a client that resumes.
    resume: String,
    /// Of each part.
    cpu_us: Samples,
    /// Of each read.
    times: Samples,
}

impl<'a> Turn<'a> {
    async fn begin(system: &System, token: &'a str) -> anyhow::Result<Self> {
        let behind = behind(system, token).await?;
        Ok(Self {
            token,
            client: Client::connect(system.address).await?,
            resume: stream_request(Some(token), Some(&behind)),
            cpu_us: Samples::default(),
            times: Samples::default(),
        })
    }

    /// Reads `tries` times, one after the other.
    async fn read(&mut self, system: &System, what: What, tries: usize) -> anyhow::Result<()> {
        let before = system.process.threads_cpu()?;
        for _ in 0..tries {
            let start = Instant::now();
            match what {
                What::Path(path) => {
                    let page = self.client.get(path, Some(self.token));
                    soon("a page", page).await??;
                }
                What::Resume => {
                    let missed = resume(system, &self.resume);
                    soon("the missed events", missed).await??;
                }
            }
            self.times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let cpu = system.process.threads_cpu()?.saturating_sub(before);
        self.cpu_us.push(cpu.as_secs_f64() * 1e6 / tries as f64);
        Ok(())
    }
}

/// The cursor of a client that has missed a few events or updates.
async fn behind(system: &System, token: &str) -> anyhow::Result<String> {
    let request = stream_request(Some(token), None);
    let mut stream = Subscriber::request(system.address, &request).await?;
    let head = soon("a stream to begin", stream.read_to_live()).await??;
    let (own, rest) = head.split_once('-').context("the cursor has no hyphen")?;
    let behind = own.parse::<u64>()?.checked_sub(MISSED);
    let behind = behind.context("the owner has too few events")?;
    Ok(format!("{behind}-{rest}"))
}

/// Reconnects to a stream, and reads to the frame `live`.
async fn resume(system: &System, request: &str) -> anyhow::Result<()> {
    let mut stream = Subscriber::request(system.address, request).await?;
    let mut buffer = vec![0; 16 * 1024];
    let mut frames = 0;
    // `ready` comes first, `live` last.
    while frames < MISSED + 2 {
        frames += stream.read(&mut buffer).await?;
    }
    ensure!(frames == MISSED + 2, "received more than was missed");
    Ok(())
}
