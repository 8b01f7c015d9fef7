//! Two inboxes of equal content, one of which has updated events.

use anyhow::{Context as _, ensure};
use fastrand::Rng;
use serde_json::Value;

use super::reads::{BY_SEVERITY, SEARCH, SUMMARY};
use super::requests::{Content, StoredEvent};
use crate::content::{Description, mint_id};
use crate::http::Client;
use crate::publish_request::Owners;
use crate::system::System;
use crate::waiting::soon;

/// One event in this many is updated.
pub(super) const UPDATE_EVERY: usize = 10;

/// One event in this many is a warning, in both inboxes and also after updates.
pub(super) const WARNING_EVERY: usize = 7;

/// One event in this many has [`Description::RARE_WORD`], in both inboxes and also after updates.
pub(super) const MATCH_EVERY: usize = 97;

/// A filled inbox.
#[derive(Debug)]
pub(super) struct UpdatedInbox {
    events: usize,
}

impl UpdatedInbox {
    /// Publishes the events of one owner, and updates some of them if `updated`.
    pub(super) async fn fill(
        system: &System,
        owner: u32,
        events: usize,
        updated: bool,
    ) -> anyhow::Result<Self> {
        let mut client = Client::connect(system.address).await?;
        let mut random = Rng::with_seed(4);
        let mut description = Description::default();
        let event = |id| StoredEvent {
            id,
            owner: Owners::owner(owner),
            token: &system.publishers[0],
        };
        let mut ids = Vec::with_capacity(events);
        for index in 0..events {
            let id = mint_id();
            description.make(&mut random, has_rare_word(index));
            let request = event(id).publish(&content(index, description.text(), 10));
            soon("a response", client.publish(&request)).await??;
            ids.push(id);
        }
        if updated {
            for (index, id) in ids.into_iter().enumerate().step_by(UPDATE_EVERY) {
                description.make(&mut random, has_rare_word(index));
                let request = event(id).update(&content(index, description.text(), 90), 1);
                soon("a response", client.update(&request)).await??;
            }
        }
        Ok(Self { events })
    }
}

/// Checks that both inboxes have as many events, warnings and matches.
pub(super) async fn check(
    system: &System,
    tokens: [&str; 2],
    inboxes: [&UpdatedInbox; 2],
) -> anyhow::Result<()> {
    let mut client = Client::connect(system.address).await?;
    for (token, inbox) in tokens.into_iter().zip(inboxes) {
        for (path, every) in [
            (SUMMARY, 1),
            (BY_SEVERITY, WARNING_EVERY),
            (SEARCH, MATCH_EVERY),
        ] {
            let found = soon("a page", client.get(path, Some(token))).await??;
            let found: Value = serde_json::from_slice(&found)?;
            let found = found["totalCount"].as_u64().context("no count")?;
            let expected = inbox.events.div_ceil(every) as u64;
            ensure!(
                found == expected,
                "{path} finds {found} of {expected} events"
            );
        }
    }
    Ok(())
}

const fn has_rare_word(index: usize) -> bool {
    index.is_multiple_of(MATCH_EVERY)
}

const fn content(index: usize, description: &str, progress: u8) -> Content<'_> {
    Content {
        severity: if index.is_multiple_of(WARNING_EVERY) {
            "warning"
        } else {
            "informational"
        },
        description,
        progress,
    }
}
