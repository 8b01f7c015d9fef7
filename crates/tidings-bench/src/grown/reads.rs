//! Reads of single owners, over HTTP.

use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::http::{Client, Subscriber, stream_request};
use crate::statistics::Samples;
use crate::system::{Accounts, System};
use crate::waiting::soon;

const MISSED: u64 = 10;

/// The milliseconds of each read, one of each owner.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) first_page: Samples,
    pub(super) counts: Samples,
    pub(super) resume: Samples,
}

impl Reads {
    pub(super) async fn measure(system: &System, accounts: &Accounts) -> anyhow::Result<Self> {
        const PAGE: &str = "/api/system/events?pagesize=25&sort=created_at&order=desc";
        const COUNTS: &str = "/api/system/events/summary";
        let mut reads = Self::default();
        let mut client = Client::connect(system.address).await?;
        for index in 0..accounts.users() {
            let token = Some(accounts.user(index));
            let start = Instant::now();
            let page = soon("a page", client.get(PAGE, token)).await??;
            reads.first_page.push(milliseconds(start));
            ensure!(page.len() > 1000, "the inbox has no full page");
            let start = Instant::now();
            soon("the counts", client.get(COUNTS, token)).await??;
            reads.counts.push(milliseconds(start));
            let resume = soon("a stream", resume(system, token)).await??;
            reads.resume.push(resume);
        }
        Ok(reads)
    }
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// Reconnects to a stream. Returns the milliseconds until the first missed event.
async fn resume(system: &System, token: Option<&str>) -> anyhow::Result<f64> {
    let mut stream = Subscriber::request(system.address, &stream_request(token, None)).await?;
    let head = stream.read_to_live().await?;
    drop(stream);
    let (own, rest) = head.split_once('-').context("the cursor has no hyphen")?;
    let behind = own.parse::<u64>()?.checked_sub(MISSED);
    let behind = behind.context("the owner has too few events")?;
    let cursor = format!("{behind}-{rest}");
    let request = stream_request(token, Some(&cursor));
    let start = Instant::now();
    let mut stream = Subscriber::request(system.address, &request).await?;
    let mut buffer = vec![0; 16 * 1024];
    let mut frames = 0;
    // `ready` comes first.
    while frames < 2 {
        frames += stream.read(&mut buffer).await?;
    }
    Ok(milliseconds(start))
}
