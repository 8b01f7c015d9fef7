//! The admission of connections: each is served, or rejected because there are too many.

mod full;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection_limits::ConnectionLimits;
use crate::metrics::OpenConnection;
pub(crate) use full::Full;

/// Connections beyond the limit that are accepted for health checks. One more closes the oldest, so that a
/// client that holds such a connection cannot block the next check.
pub(crate) const RESERVE: usize = 16;

/// Open files that are not connections: those of the store and the log, and the listener.
const OTHER_FILES: u64 = 64;

/// The default limit of connections, if the limit of open files allows it.
const MAX_CONNECTIONS: usize = 16_000;

/// The part of all connections that one address can have by default. An office or a proxy has room for
/// many clients, and no address can take all connections.
const ADDRESS_SHARE: usize = 4;

/// The least time between two warnings that connections are not served.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// Assigns a seat to each connection.
#[derive(Debug)]
pub(crate) struct Admission {
    most: usize,
    most_per_address: usize,
    /// The remedy for too many connections, for the log.
    remedy: &'static str,
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    served: usize,
    /// The number of connections by address. Empty if addresses have no limit.
    by_address: HashMap<IpAddr, usize>,
    /// The oldest first.
    reserve: VecDeque<ReserveSeat>,
    next_reserve: u64,
    warned: Option<Instant>,
}

#[derive(Debug)]
struct ReserveSeat {
    number: u64,
    /// Cancelled when another connection takes the seat.
    taken: CancellationToken,
}

/// The seat of a connection. Dropping it frees the seat.
#[derive(Debug)]
pub(crate) struct ConnectionSeat {
    admission: Arc<Admission>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Served(Option<IpAddr>),
    Reserve {
        number: u64,
        taken: CancellationToken,
        why: Full,
    },
}

/// All that a connection takes until it ends.
#[derive(Debug)]
pub(crate) struct Occupancy {
    pub(crate) seat: ConnectionSeat,
    /// Its part of all open connections, those that are being closed included.
    _room: OwnedSemaphorePermit,
    /// Counts it in the metrics.
    _open: OpenConnection,
}

impl Occupancy {
    pub(crate) const fn new(
        seat: ConnectionSeat,
        room: OwnedSemaphorePermit,
        open: OpenConnection,
    ) -> Self {
        Self {
            seat,
            _room: room,
            _open: open,
        }
    }
}

impl Admission {
    /// Creates the seats of a server that listens on this address.
    pub(crate) fn new(limits: &ConnectionLimits, listen: IpAddr) -> Self {
        let most = most_connections(limits.most);
        let by_default = || {
            if listen.to_canonical().is_loopback() {
                0
            } else {
                (most / ADDRESS_SHARE).max(1)
            }
        };
        Self {
            most,
            most_per_address: limits.most_per_address.unwrap_or_else(by_default),
            remedy: "raise --max-connections, or find the client that opens them",
            seats: Mutex::default(),
        }
    }

    /// Creates the seats of the listener of `--metrics-listen`.
    #[cfg(feature = "metrics")]
    pub(crate) fn for_metrics(most: usize) -> Self {
        Self {
            most,
            most_per_address: 0,
            remedy: "find the client that connects to --metrics-listen",
            seats: Mutex::default(),
        }
    }

    /// The most connections of one address; 0 is unlimited.
    pub(crate) const fn most_per_address(&self) -> usize {
        self.most_per_address
    }

    /// The most connections at any time, except those that are being closed.
    pub(crate) const fn most_at_all(&self) -> usize {
        self.most + RESERVE
    }

    /// A seat for a connection from this address.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> ConnectionSeat {
        let network = (self.most_per_address > 0).then(|| network_of(address));
        let mut seats = self.seats();
        let kind = match self.full(&seats, network) {
            None => {
                seats.served += 1;
                if let Some(network) = network {
                    *seats.by_address.entry(network).or_default() += 1;
                }
                Kind::Served(network)
            }
            Some(why) => {
                self.warn(&mut seats, why, address);
                seats.take_reserve(why)
            }
        };
        drop(seats);
        ConnectionSeat {
            admission: Arc::clone(self),
            kind,
        }
    }

    fn full(&self, seats: &Seats, network: Option<IpAddr>) -> Option<Full> {
        if seats.served >= self.most {
            return Some(Full::Server);
        }
        let from_there = network.and_then(|network| seats.by_address.get(&network));
        from_there
            .is_some_and(|number| *number >= self.most_per_address)
            .then_some(Full::Address)
    }

    /// Warns the operator, at most once a minute.
    fn warn(&self, seats: &mut Seats, why: Full, address: IpAddr) {
        let now = Instant::now();
        let silent = |warned: Instant| now.duration_since(warned) < WARN_INTERVAL;
        if seats.warned.is_some_and(silent) {
            return;
        }
        seats.warned = Some(now);
        match why {
            Full::Server => tracing::warn!(
                limit = self.most,
                remedy = self.remedy,
                "too many connections: further ones get health checks only"
            ),
            Full::Address => tracing::warn!(
                limit = self.most_per_address,
                %address,
                remedy = "raise --max-connections-per-address behind a proxy",
                "too many connections from one address: further ones get health checks only"
            ),
        }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // A panic cannot leave the seats half changed.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn take_reserve(&mut self, why: Full) -> Kind {
        if self.reserve.len() >= RESERVE
            && let Some(oldest) = self.reserve.pop_front()
        {
            oldest.taken.cancel();
        }
        let number = self.next_reserve;
        self.next_reserve += 1;
        let taken = CancellationToken::new();
        self.reserve.push_back(ReserveSeat {
            number,
            taken: taken.clone(),
        });
        Kind::Reserve { number, taken, why }
    }
}

impl ConnectionSeat {
    /// `None` for a connection that is served. Otherwise the reason, and a token that is cancelled when the
    /// connection must close.
    pub(crate) const fn reserve(&self) -> Option<(Full, &CancellationToken)> {
        match &self.kind {
            Kind::Served(_) => None,
            Kind::Reserve { taken, why, .. } => Some((*why, taken)),
        }
    }
}

impl Drop for ConnectionSeat {
    fn drop(&mut self) {
        let mut seats = self.admission.seats();
        match &self.kind {
            Kind::Served(network) => {
                seats.served -= 1;
                if let Some(network) = network
                    && let Some(number) = seats.by_address.get_mut(network)
                {
                    *number -= 1;
                    if *number == 0 {
                        seats.by_address.remove(network);
                    }
                }
            }
            Kind::Reserve { number, .. } => {
                seats.reserve.retain(|seat| seat.number != *number);
            }
        }
    }
}

/// The requested number, reduced if the store would otherwise run out of open files.
fn most_connections(wanted: Option<usize>) -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // As many connections as the reserve can be closing at the same time.
    let spare = OTHER_FILES + 2 * RESERVE as u64;
    let room = usize::try_from(files.saturating_sub(spare).max(1)).unwrap_or(usize::MAX);
    if let Some(wanted) = wanted
        && wanted > room
    {
        tracing::warn!(
            wanted,
            served = room,
            "the limit of open files allows fewer connections than --max-connections; raise it (`ulimit -n`)"
        );
    }
    wanted.unwrap_or(MAX_CONNECTIONS).min(room)
}

/// The address that is counted. A client with one IPv6 address has a network of 64 bits of them.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}
