//! A system that takes events for users and delivers each to the stream of its user: Tidings, another
//! build of it, or a peer.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use tempfile::TempDir;
use tidings_event::OwnerId;
use uuid::Uuid;

use crate::Bench;
use crate::http::{Client, stream_request};
use crate::process::Process;
use crate::publish_request::{Owners, PublishRequest};
use crate::scan::Delivery;
use crate::server::Server;
use crate::tokens::Tokens;

/// The number of the first publisher among the owners, beyond all users.
const FIRST_PUBLISHER: u32 = 1 << 30;

/// A running system with its users.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) dialect: Dialect,
    pub(crate) users: Vec<User>,
    /// A token for each publisher, if the system asks for tokens.
    pub(crate) publishers: Vec<String>,
    /// A token that reads the metrics.
    pub(crate) administrator: Option<String>,
    pub(crate) directory: TempDir,
}

/// A user with one stream.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// The bytes that request the stream.
    pub(crate) subscribe: Vec<u8>,
    /// The request that publishes an event to the user.
    pub(crate) publish: PublishRequest,
}

/// The protocol of a system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// The first deliveries of a stream, before any event, and their number.
    pub(crate) opening: (Delivery, u64),
    pub(crate) delivery: Delivery,
    pub(crate) acknowledgement: Acknowledgement,
}

/// How the system acknowledges a publish request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Acknowledgement {
    /// With the status 201.
    Created,
    /// With one line that starts with `sign`.
    Line {
        sign: u8,
        /// The first bytes of a publisher, which the system acknowledges with such a line too; can be empty.
        hello: &'static [u8],
    },
}

/// Users and publishers with their tokens, for servers that are started one after the other.
#[derive(Debug)]
pub(crate) struct Accounts {
    tokens: Tokens,
    /// The number of each user among the owners, and the token.
    users: Vec<(u32, String)>,
    publishers: Vec<String>,
    administrator: String,
}

impl Accounts {
    /// Signs a token for each of the users with these numbers, and for each publisher.
    pub(crate) fn new(bench: &Bench, users: &[u32], publishers: u32) -> anyhow::Result<Self> {
        let tokens = Tokens::new(&bench.server)?;
        let sign = |index: u32, scopes: &str| tokens.sign(Owners::owner(index), scopes);
        let mut signed = Vec::with_capacity(users.len());
        for user in users {
            signed.push((*user, sign(*user, "events:read,events:write")?));
        }
        let publishers = FIRST_PUBLISHER..FIRST_PUBLISHER + publishers;
        let publishers = publishers.map(|publisher| sign(publisher, "events:publish"));
        Ok(Self {
            users: signed,
            publishers: publishers.collect::<anyhow::Result<_>>()?,
            administrator: tokens.sign(Uuid::from(OwnerId::mint()), "events:admin")?,
            tokens,
        })
    }

    /// How many users there are.
    pub(crate) const fn users(&self) -> usize {
        self.users.len()
    }

    /// The numbers of all users among the owners.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.users.iter().map(|(number, _)| *number).collect()
    }

    /// The number of a user among the owners.
    pub(crate) fn number(&self, index: usize) -> u32 {
        self.users[index].0
    }

    /// The token of a user.
    pub(crate) fn user(&self, index: usize) -> &str {
        &self.users[index].1
    }

    /// Starts a server with the store in a directory, and with more flags of `tidings serve`.
    pub(crate) async fn start(
        &self,
        bench: &Bench,
        binary: &Path,
        directory: TempDir,
        more: &[&str],
    ) -> anyhow::Result<System> {
        let mut flags = self.tokens.flags().to_vec();
        // The load generator is one caller, and its rates are what is measured.
        flags.extend(["--publish-rate", "0", "--request-rate", "0"]);
        flags.extend(more);
        let data = directory.path().join("data");
        let server = Server::start_binary(bench, binary, &data, &flags).await?;
        let address = server.address();
        let users = self.users.iter().map(|(index, token)| User {
            subscribe: stream_request(Some(token), None).into_bytes(),
            publish: PublishRequest::one().for_owner(Owners::owner(*index)),
        });
        Ok(System {
            process: server.into_process(),
            address,
            dialect: Dialect {
                // `ready` and `live`.
                opening: (Delivery::Frame, 2),
                delivery: Delivery::Frame,
                acknowledgement: Acknowledgement::Created,
            },
            users: users.collect(),
            publishers: self.publishers.clone(),
            administrator: Some(self.administrator.clone()),
            directory,
        })
    }
}

impl System {
    /// The number of commits and of events in them so far, if the system counts them.
    pub(crate) async fn commits(&self) -> anyhow::Result<Option<(f64, f64)>> {
        let Some(token) = &self.administrator else {
            return Ok(None);
        };
        let mut client = Client::connect(self.address).await?;
        let metrics = client.get("/metrics", Some(token)).await?;
        let metrics = String::from_utf8(metrics).context("the metrics are not UTF-8")?;
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name));
            let value = line.with_context(|| format!("the server does not measure {name}"))?;
            anyhow::Ok(value.trim().parse::<f64>()?)
        };
        Ok(Some((
            value("tidings_commit_events_count ")?,
            value("tidings_commit_events_sum ")?,
        )))
    }

    /// Stops it. Returns the directory of its store.
    pub(crate) async fn stop(self) -> anyhow::Result<TempDir> {
        self.process.stop().await?;
        Ok(self.directory)
    }
}
