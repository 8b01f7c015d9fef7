//! The free space of the disk, and the reserve for work that must succeed on a full disk.
//!
//! Deleting, marking and retention write, too: to the log first, and into new pages of the database at a
//! checkpoint. So the store rejects events before the disk is full, while as many bytes are free as the
//! reserve has. A file of that size is released when other programs have filled the rest. Until the
//! reserve is complete again, its missing part and the same number of free bytes have to become free.

mod notices;
mod reserve_file;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::fs::statvfs;

use super::data_files::DATABASE;
use super::directory::RESERVE;
use super::event_budget::{EventBudget, free_pages};
use super::fault::is_full;
use super::log_checkpoint::{RESTART_LOG, checkpoint, empty_log, restart_log};
use super::volume::Volume;
use crate::config::Reserve;
use notices::Told;
use reserve_file::{MOST_RESERVE, length};

/// The largest event with its share of the indexes and a margin. A smaller reserve would be useless.
const LEAST_RESERVE: u64 = 512 * 1024;

/// On a small file system, the default reserve takes at most this part.
const PART_OF_DISK: u64 = 16;

/// The space of the largest event. With less than this to spare, the disk counts as nearly full.
const EVENT_ROOM: u64 = 448 * 1024;

/// An event of ordinary size. A store that has space for it counts as ready, although it rejects the largest.
const ORDINARY_EVENT: u64 = 4 * 1024;

/// How long the writer waits for reads to release the log if there is space, and how long it does not try again
/// after it waited in vain: all commits wait meanwhile, and a read can take seconds.
const TIDY_WAIT: Duration = Duration::from_millis(10);
const TIDY_PAUSE: Duration = Duration::from_secs(1);

/// The log's file is truncated to this size, if the reserve allows it.
const MOST_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// The disk has space for an event, but the reserve needs it.
#[derive(Debug, thiserror::Error)]
#[error("{free} bytes are free, of which {reserve} are kept for deleting and marking")]
pub(crate) struct KeptForChanges {
    free: u64,
    reserve: u64,
}

/// The free space beside a database.
#[derive(Debug)]
pub(crate) struct Disk {
    volume: Volume,
    directory: PathBuf,
    database: PathBuf,
    reserve: PathBuf,
    /// How large the reserve should be; 0 for none.
    wanted: u64,
    /// Whether the disk was nearly full at the last check.
    tight: AtomicBool,
    /// Whether the disk rejected a write although it did not look full.
    rejected: AtomicBool,
    /// The notices in the log.
    told: Mutex<Told>,
    /// Until then, the writer does not wait for reads in order to keep the log small.
    tidied: Mutex<Option<Instant>>,
}

impl Disk {
    /// Creates the reserve, or releases it if the disk is nearly full, so that the database can be opened.
    pub(crate) fn open(volume: &Volume, reserve: Reserve) -> Self {
        let database = volume.file(DATABASE);
        let directory = database.parent().unwrap_or(&database).to_owned();
        let wanted = match reserve {
            Reserve::Nothing => 0,
            Reserve::Bytes(bytes) => bytes,
            Reserve::Automatic => automatic_reserve(&directory),
        };
        let disk = Self {
            volume: volume.clone(),
            database,
            reserve: volume.file(RESERVE),
            directory,
            wanted,
            tight: AtomicBool::new(false),
            rejected: AtomicBool::new(false),
            told: Mutex::default(),
            tidied: Mutex::default(),
        };
        if disk.free().is_some_and(|free| free < disk.wanted) {
            disk.release();
        } else {
            disk.make_reserve();
        }
        disk
    }

    /// How many pages the log can have before a checkpoint: a part of the reserve, since a checkpoint takes
    /// space, too.
    pub(crate) fn log_pages(&self) -> u32 {
        // SQLite's own default, and its usual page.
        const MOST: u64 = 1000;
        const PAGE_BYTES: u64 = 4096;
        let pages = match self.wanted {
            0 => MOST,
            wanted => (wanted / 4 / PAGE_BYTES).clamp(16, MOST),
        };
        u32::try_from(pages).expect("it is at most 1,000")
    }

    /// The size to which the log's file is truncated: below the size from which it is kept small.
    pub(crate) fn log_bytes(&self) -> u64 {
        match self.wanted {
            0 => MOST_LOG_BYTES,
            wanted => (wanted / 3).min(MOST_LOG_BYTES),
        }
    }

    /// The free bytes that are not kept; `None` if the file system does not tell.
    fn spare(&self) -> Option<u64> {
        Some(self.free()?.saturating_sub(self.needed()))
    }

    /// The bytes that must be free: the size of the reserve, its missing part, and the most that the
    /// database can grow by at a checkpoint.
    fn needed(&self) -> u64 {
        self.wanted
            .saturating_add(self.wanted.saturating_sub(self.reserved()))
            .saturating_add(length(&self.log()))
    }

    fn free(&self) -> Option<u64> {
        let file_system = statvfs(&self.directory).ok()?;
        // Without the blocks that only the superuser can use.
        Some(file_system.f_bavail.saturating_mul(file_system.f_frsize))
    }

    fn log(&self) -> PathBuf {
        let mut path = self.database.as_os_str().to_owned();
        path.push("-wal");
        path.into()
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    /// Whether the disk was nearly full at the last check.
    pub(crate) fn is_tight(&self) -> bool {
        self.tight.load(Ordering::Relaxed)
    }

    /// The space for events: bytes of the disk, or pages that deleted events have left in the database.
    pub(crate) fn budget(&self, connection: &Connection) -> rusqlite::Result<EventBudget> {
        if self.wanted == 0 {
            return Ok(EventBudget::UNLIMITED);
        }
        let was_tight = self.is_tight();
        // Space that is free for a moment only does not end the rejection.
        let least = EVENT_ROOM + if was_tight { self.wanted / 4 } else { 0 };
        let enough = |spare: u64| spare >= least;
        let Some(mut spare) = self.spare() else {
            return Ok(EventBudget::UNLIMITED);
        };
        if !enough(spare) && length(&self.log()) > 0 {
            empty_log(connection)?;
            spare = self.spare().unwrap_or(spare);
        }
        self.tight.store(!enough(spare), Ordering::Relaxed);
        if enough(spare) {
            return Ok(EventBudget::of_disk(spare));
        }
        Ok(EventBudget::of_pages(free_pages(connection)?))
    }

    /// Whether a store with this many free bytes in its database rejects an event of ordinary size.
    pub(crate) fn rejects(&self, free_pages: u64) -> bool {
        let is_tight = self.spare().is_some_and(|spare| spare < EVENT_ROOM) || self.is_tight();
        let is_kept =
            self.wanted > 0 && is_tight && !EventBudget::of_pages(free_pages).take(ORDINARY_EVENT);
        self.was_rejected() || is_kept
    }

    /// Why events are rejected.
    pub(crate) fn kept(&self) -> KeptForChanges {
        KeptForChanges {
            free: self.free().unwrap_or_default(),
            reserve: self.needed(),
        }
    }

    /// Whether the disk rejected a write that it should have had space for.
    pub(crate) fn was_rejected(&self) -> bool {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Keeps the log small after a commit if there is little space. SQLite restarts the log only while no
    /// read uses it, and reads can follow each other without such a moment.
    pub(crate) fn tidy_log(&self, connection: &Connection) {
        if self.wanted == 0 {
            return;
        }
        // It fails if there is no space or a read does not end. The log then stays as it is.
        if self.is_tight() {
            // Other programs must not get the space that was released for this commit.
            let _ = empty_log(connection);
            self.take_what_is_left();
        } else if length(&self.log()) > self.wanted / 2 {
            let mut tidied = self.tidied.lock().unwrap_or_else(PoisonError::into_inner);
            if tidied.is_some_and(|until| Instant::now() < until) {
                return;
            }
            let done = checkpoint(connection, RESTART_LOG, TIDY_WAIT);
            *tidied = (!done.unwrap_or(false)).then(|| Instant::now() + TIDY_PAUSE);
        }
    }

    /// Records whether the disk rejected a write that it should have had space for.
    pub(crate) fn note(&self, rejected: bool) {
        self.rejected.store(rejected, Ordering::Relaxed);
    }

    /// Runs work on a disk that may be full. If there is no space, it runs again with an empty log and, if it
    /// must succeed, again without the reserve.
    pub(crate) fn make_room_for<T>(
        &self,
        connection: &mut Connection,
        must_work: bool,
        mut work: impl FnMut(&mut Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut done = work(connection);
        for give_up_reserve in [false, true] {
            match &done {
                Err(error) if is_full(error) => {}
                _ => break,
            }
            // Work that can wait, such as the search index, gives up here.
            self.tight.store(true, Ordering::Relaxed);
            if give_up_reserve && !(must_work && self.release()) {
                break;
            }
            // This fails if there is no space for it either; then the next step is tried.
            let _ = restart_log(connection);
            done = work(connection);
        }
        done
    }
}

fn automatic_reserve(directory: &Path) -> u64 {
    let size = statvfs(directory)
        .map(|file_system| file_system.f_blocks.saturating_mul(file_system.f_frsize));
    let part = size.map_or(MOST_RESERVE, |size| size / PART_OF_DISK);
    part.clamp(LEAST_RESERVE, MOST_RESERVE)
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::super::connection::open_read_connection;
    use super::*;
    use crate::config::SqliteConfig;
    use crate::store::Store as _;

    /// Far longer than all commits here take, and shorter than they would wait for a reader.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_long_read_beside_a_long_log_does_not_delay_commits() {
        let reserve: u64 = 4 * 1024 * 1024;
        let directory = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(directory.path()).with_reserve(Reserve::Bytes(reserve));
        let store = SqliteStore::open_with(&config).unwrap();
        let commit = async |sql: &'static str| {
            let done = store
                .writer
                .upkeep_beside_feeds_if_room(move |transaction| transaction.execute_batch(sql));
            done.await.unwrap();
        };
        let small = "INSERT INTO filling VALUES (1)";
        commit("CREATE TABLE filling (bytes)").await;
        let reader = open_read_connection(&store.database).unwrap();
        let read = reader.unchecked_transaction().unwrap();
        read.query_row("SELECT count(*) FROM filling", [], |_| Ok(()))
            .unwrap();
        commit("INSERT INTO filling VALUES (randomblob(8000000))").await;
        assert!(length(&store.disk.log()) > reserve / 2);
        let commits = async {
            for _ in 0..20 {
                commit(small).await;
            }
        };
        tokio::time::timeout(PATIENCE, commits).await.unwrap();

        // Once the read has ended, the log is truncated.
        drop(read);
        let cut_back = async {
            while length(&store.disk.log()) > reserve / 2 {
                commit(small).await;
            }
        };
        tokio::time::timeout(PATIENCE, cut_back).await.unwrap();
        store.close().await;
    }
}
