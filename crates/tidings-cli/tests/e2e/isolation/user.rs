//! A user who listens, loses the connection and reconnects.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use super::checker::{Checker, Seen};
use super::stream_socket::{Opened, StreamSocket};
use super::world::{LONG, World};
use crate::server::soon;

/// The lifetime of tokens that expire while their stream is open, without the leeway.
const SHORT: Duration = Duration::from_secs(2);

/// How often a user's connection is cut or a token expires before the user stays connected.
const CUTS: usize = 4;

/// The most frames before a connection is cut.
const FRAMES: usize = 6;

/// The reason why a user's connections end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// They do not end.
    Stays,
    /// The test closes the socket within the stream.
    Cuts,
    /// The token expires.
    Expires,
}

impl Habit {
    const fn of(user: u32) -> Self {
        match user % 3 {
            0 => Self::Stays,
            1 => Self::Cuts,
            _ => Self::Expires,
        }
    }
}

/// The counts of a user's interruptions.
pub(super) struct Journey {
    pub(super) checker: Checker,
    pub(super) cuts: usize,
    pub(super) expiries: usize,
    pub(super) rejections: usize,
}

/// Follows the stream until its cursor equals `target`, once that is known.
pub(super) async fn follow(
    user: u32,
    world: Arc<World>,
    installation: Uuid,
    doors: Arc<Semaphore>,
    mut target: watch::Receiver<Option<String>>,
) -> Journey {
    let habit = Habit::of(user);
    let mut journey = Journey {
        checker: Checker::new(user, installation),
        cuts: 0,
        expiries: 0,
        rejections: 0,
    };
    loop {
        let is_last = journey.cuts + journey.expiries >= CUTS || target.borrow().is_some();
        let lifetime = match habit {
            Habit::Expires if !is_last => SHORT,
            Habit::Stays | Habit::Cuts | Habit::Expires => LONG,
        };
        let (token, mut stream) = {
            // Limited, because the server's queue of new connections is bounded.
            let _door = doors.acquire().await.expect("the doors stay open");
            let token = world.token(user, lifetime);
            match open(&world, &token, journey.checker.cursor()).await {
                Opened::Stream(stream) => (token, stream),
                // On a busy machine a short token can expire before the server checks it.
                Opened::Rejected(401) if lifetime == SHORT => {
                    journey.rejections += 1;
                    continue;
                }
                Opened::Rejected(status) => panic!("a valid token was rejected with {status}"),
            }
        };
        let cut_after = match habit {
            Habit::Cuts if !is_last => world.dice.roll().usize(1..=FRAMES),
            Habit::Stays | Habit::Cuts | Habit::Expires => usize::MAX,
        };
        let mut frames = 0;
        let mut expiring = false;
        while frames < cut_after {
            if target.borrow().as_deref() == Some(journey.checker.cursor()) {
                return journey;
            }
            tokio::select! {
                block = stream.next_block() => match block.expect("only we close connections") {
                    Some(block) => match journey.checker.take(&block) {
                        Seen::Comment => {}
                        Seen::Frame => frames += 1,
                        Seen::Expiring => expiring = true,
                        Seen::Reset => panic!("user {user}: unexpected reset"),
                    },
                    None => break,
                },
                changed = target.changed() => changed.expect("the test continues"),
            }
        }
        if frames >= cut_after {
            journey.cuts += 1;
            continue;
        }
        assert!(expiring, "user {user}: the stream ended without a reason");
        journey.expiries += 1;
        if user.is_multiple_of(2) {
            match open(&world, &token, journey.checker.cursor()).await {
                Opened::Rejected(401) => journey.rejections += 1,
                Opened::Rejected(status) => panic!("user {user}: status {status} instead of 401"),
                Opened::Stream(_) => panic!("user {user}: the server accepted an expired token"),
            }
        }
    }
}

async fn open(world: &World, token: &str, cursor: &str) -> Opened {
    let opened = soon(
        "a response",
        StreamSocket::open(world.server, token, cursor),
    )
    .await;
    opened.expect("the connection holds")
}
