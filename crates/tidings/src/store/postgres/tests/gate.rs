//! A proxy before the server, which a test can close.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Database;
use crate::config::PostgresConfig;

/// The treatment of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// They are forwarded.
    Open,
    /// They are closed.
    Closed,
    /// Nothing passes, and neither side learns of an end.
    Silent,
}

/// The proxy.
pub(super) struct Gate {
    url: String,
    way: watch::Sender<Way>,
    /// How often the connections have ended without a word.
    ends: watch::Sender<u32>,
    _tasks: JoinSet<()>,
}

impl Gate {
    /// An open one before the server of a database.
    pub(super) async fn before(database: &Database) -> Self {
        let url = database.url();
        let (_, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = watch::Sender::new(Way::Open);
        let ends = watch::Sender::new(0);
        let (ways, server) = (way.subscribe(), server.to_owned());
        let ended = ends.subscribe();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(forward(client, server.clone(), ways.clone(), ended.clone()));
            }
        });
        Self {
            url: format!("postgres://postgres@127.0.0.1:{port}/{name}"),
            way,
            ends,
            _tasks: tasks,
        }
    }

    /// A node behind it, with this time limit.
    pub(super) fn config(&self, timeout: Duration) -> PostgresConfig {
        PostgresConfig::new(self.url.clone()).with_timeout(timeout)
    }

    /// Ends the connections that are there without telling the node, which finds out when it uses them.
    pub(super) fn end_unnoticed(&self) {
        self.ends.send_modify(|times| *times += 1);
    }

    /// Changes what happens to connections, also to those that are there.
    pub(super) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn forward(
    mut client: TcpStream,
    server: String,
    mut ways: watch::Receiver<Way>,
    mut ends: watch::Receiver<u32>,
) {
    ends.mark_unchanged();
    if *ways.borrow_and_update() == Way::Closed {
        return;
    }
    let mut server = TcpStream::connect(server).await.unwrap();
    let is_silent = async {
        let way = *ways.wait_for(|way| *way != Way::Open).await.unwrap();
        way == Way::Silent
    };
    let is_silent = tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => false,
        is_silent = is_silent => is_silent,
        _ = ends.changed() => {
            drop(server);
            let _ = client.readable().await;
            return;
        }
    };
    if is_silent {
        let _ = ways.wait_for(|way| *way == Way::Closed).await;
    }
}
