//! Reads beside the writer: a few connections, each used by one request at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};
use tidings_event::{Event, EventId, OwnerId, Summary, SystemId};
use tokio::sync::Semaphore;

use super::connection::open_reader;
use super::fault::store_error;
use super::row::{EVENT_COLUMNS, read_event, rev, rev_to_sql, word};
use crate::store::{FeedBounds, ReplayPage, RevRange, Snapshot, StoreError};

/// As many reads as run at once; more wait.
const READERS: usize = 4;

/// A piece of a replay ends with the event that passes this size.
const REPLAY_PAGE_BYTES: usize = 64 * 1024;

/// About what an event takes beside its description and metadata.
const EVENT_OVERHEAD_BYTES: usize = 512;

/// The connections for reading.
#[derive(Debug)]
pub(crate) struct Readers {
    permits: Arc<Semaphore>,
    idle: Arc<Idle>,
}

#[derive(Debug)]
struct Idle {
    database: PathBuf,
    system: SystemId,
    readers: Mutex<Vec<Reader>>,
}

/// One connection, and whose events are everybody's.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(super) connection: Connection,
    pub(super) system: SystemId,
}

impl Readers {
    /// Opens the connections at once: later there might be no file descriptors left for them.
    pub(crate) fn open(database: &Path, system: SystemId) -> rusqlite::Result<Self> {
        let idle = Idle {
            database: database.to_owned(),
            system,
            readers: Mutex::default(),
        };
        for _ in 0..READERS {
            idle.put(idle.connect()?);
        }
        Ok(Self {
            permits: Arc::new(Semaphore::new(READERS)),
            idle: Arc::new(idle),
        })
    }

    /// Runs `query` on a connection of its own, on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let answer = tokio::task::spawn_blocking(move || {
            // Until the query has ended, even if its caller is gone.
            let _permit = permit;
            idle.read(query)
        });
        answer
            .await
            .map_err(|error| StoreError::Internal(error.into()))?
            .map_err(store_error)
    }

    /// Refuses new reads and closes the idle connections.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.take_all();
    }
}

impl Idle {
    fn read<T>(&self, query: impl FnOnce(&Reader) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.readers().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.connect()?,
        };
        let answer = query(&reader)?;
        // Only after success: a connection that failed is closed, in case the fault lies in it.
        self.put(reader);
        Ok(answer)
    }

    fn connect(&self) -> rusqlite::Result<Reader> {
        Ok(Reader {
            connection: open_reader(&self.database)?,
            system: self.system,
        })
    }

    fn put(&self, reader: Reader) {
        self.readers().push(reader);
    }

    fn take_all(&self) {
        self.readers().clear();
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// What `owner` sees now.
    pub(crate) fn snapshot(&self, owner: OwnerId) -> rusqlite::Result<Snapshot> {
        let transaction = self.connection.unchecked_transaction()?;
        let snapshot = self.snapshot_within(owner)?;
        transaction.finish()?;
        Ok(snapshot)
    }

    /// As [`Self::snapshot`], in the caller's transaction.
    pub(super) fn snapshot_within(&self, owner: OwnerId) -> rusqlite::Result<Snapshot> {
        let system = OwnerId::from(self.system);
        let mut summary = Summary::default();
        let system_bounds = self.count_feed(system, &mut summary)?;
        // The system's own feed is the system's: nothing beside it.
        let own_bounds = if owner == system {
            FeedBounds::default()
        } else {
            self.count_feed(owner, &mut summary)?
        };
        Ok(Snapshot {
            own: own_bounds,
            system: system_bounds,
            summary,
        })
    }

    /// Adds a feed's counters to `summary`. A feed that was never begun is empty.
    fn count_feed(&self, owner: OwnerId, summary: &mut Summary) -> rusqlite::Result<FeedBounds> {
        let Some((key, bounds)) = self.feed(owner)? else {
            return Ok(FeedBounds::default());
        };
        let mut counters = self
            .connection
            .prepare_cached("SELECT severity, status, number FROM counter WHERE feed = ?1")?;
        let mut rows = counters.query([key])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(2)?;
            let number = u64::try_from(number)
                .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(2, number))?;
            summary.add(word(row, 1, "status")?, word(row, 0, "severity")?, number);
        }
        Ok(bounds)
    }

    /// The key and bounds of `owner`'s feed, if it has one.
    pub(super) fn feed(&self, owner: OwnerId) -> rusqlite::Result<Option<(i64, FeedBounds)>> {
        self.connection
            .prepare_cached("SELECT key, head, floor FROM feed WHERE owner = ?1")?
            .query_row([owner.as_uuid().as_bytes()], |row| {
                Ok((
                    row.get(0)?,
                    FeedBounds {
                        head: rev(row, 1)?,
                        floor: rev(row, 2)?,
                    },
                ))
            })
            .optional()
    }

    /// The next piece of a replay of `owner`'s feed.
    pub(crate) fn replay(&self, owner: OwnerId, range: RevRange) -> rusqlite::Result<ReplayPage> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM feed JOIN event ON event.feed = feed.key \
             WHERE feed.owner = ?1 AND event.created_rev > ?2 AND event.created_rev <= ?3 \
             ORDER BY event.created_rev"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((
            owner.as_uuid().as_bytes(),
            rev_to_sql(range.after)?,
            rev_to_sql(range.up_to)?,
        ))?;
        let mut events: Vec<(_, Event)> = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let description = row.get_ref(12)?.as_bytes()?.len();
            let metadata = row.get_ref(13)?.as_bytes_or_null()?.map_or(0, <[u8]>::len);
            bytes += EVENT_OVERHEAD_BYTES + description + metadata;
            let (rev, event) = read_event(row)?;
            events.push((rev, event));
            if bytes >= REPLAY_PAGE_BYTES {
                return Ok(ReplayPage {
                    events,
                    reached: rev,
                });
            }
        }
        Ok(ReplayPage {
            events,
            reached: range.up_to,
        })
    }

    /// One event that `owner` sees.
    pub(crate) fn event(&self, owner: OwnerId, id: EventId) -> rusqlite::Result<Option<Event>> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event JOIN feed ON feed.key = event.feed \
             WHERE event.id = ?1 AND feed.owner IN (?2, ?3)"
        );
        self.connection
            .prepare_cached(&sql)?
            .query_row(
                (
                    id.as_uuid().as_bytes(),
                    owner.as_uuid().as_bytes(),
                    self.system.as_uuid().as_bytes(),
                ),
                |row| read_event(row).map(|(_, event)| event),
            )
            .optional()
    }

    /// Whether the database answers.
    pub(crate) fn check(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("SELECT 1 FROM installation", [], |_| Ok(()))
    }
}
