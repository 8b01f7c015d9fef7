//! One of the two stores of a move.

use crate::config::StoreConfig;
use crate::error::OpenError;
use crate::store::audit::Audit;
use crate::store::postgres::ExclusivePostgres;
use crate::store::records::{Part, Record, RecordPosition, StoreHead, TargetState};
use crate::store::sqlite::ExclusiveSqlite;
use crate::store::{RevokedToken, StoreError};

/// A store that is read or written by this process alone.
#[derive(Debug)]
pub(super) enum ExclusiveStore {
    /// `None` while a thread works with it.
    Sqlite(Option<Box<ExclusiveSqlite>>),
    Postgres(Box<ExclusivePostgres>),
}

/// Works with a store in SQLite on a thread that may block.
async fn blocking<T: Send + 'static>(
    side: &mut Option<Box<ExclusiveSqlite>>,
    work: impl FnOnce(&mut ExclusiveSqlite) -> T + Send + 'static,
) -> T {
    let mut taken = side.take().expect("one call at a time, each to its end");
    let done = tokio::task::spawn_blocking(move || (work(&mut taken), taken)).await;
    let (result, taken) = done.expect("the work does not panic");
    *side = Some(taken);
    result
}

impl ExclusiveStore {
    /// Opens a store to be read; `None` if there is none.
    pub(super) async fn source(config: &StoreConfig) -> Result<Option<Self>, OpenError> {
        match config {
            StoreConfig::Sqlite(config) => {
                let path = config.data_dir.clone();
                let opened =
                    tokio::task::spawn_blocking(move || ExclusiveSqlite::source(&path)).await;
                let side = opened.expect("opening does not panic")?;
                Ok(side.map(|side| Self::Sqlite(Some(Box::new(side)))))
            }
            StoreConfig::Postgres(config) => {
                let side = ExclusivePostgres::source(config).await;
                let side = side.map_err(|fault| OpenError::Store(fault.into()))?;
                Ok(side.map(|side| Self::Postgres(Box::new(side))))
            }
        }
    }

    /// Opens an empty store, or one into which a move has begun.
    pub(super) async fn target(config: &StoreConfig) -> Result<(Self, TargetState), OpenError> {
        match config {
            StoreConfig::Sqlite(config) => {
                let path = config.data_dir.clone();
                let opened =
                    tokio::task::spawn_blocking(move || ExclusiveSqlite::target(&path)).await;
                let (side, state) = opened.expect("opening does not panic")?;
                Ok((Self::Sqlite(Some(Box::new(side))), state))
            }
            StoreConfig::Postgres(config) => {
                let opened = ExclusivePostgres::target(config).await;
                let (side, state) = opened.map_err(|fault| OpenError::Store(fault.into()))?;
                Ok((Self::Postgres(Box::new(side)), state))
            }
        }
    }

    /// Makes an empty store one that takes the rows of `source`.
    pub(super) async fn create(&mut self, source: &StoreHead) -> Result<(), OpenError> {
        let source = source.clone();
        match self {
            Self::Sqlite(side) => Ok(blocking(side, move |side| side.create(&source)).await?),
            Self::Postgres(side) => {
                let created = side.create(&source).await;
                created.map_err(|error| OpenError::Store(error.into()))
            }
        }
    }

    pub(super) async fn head(&mut self) -> Result<StoreHead, StoreError> {
        match self {
            Self::Sqlite(side) => blocking(side, ExclusiveSqlite::head).await,
            Self::Postgres(side) => side.head().await,
        }
    }

    /// The next rows of a part; none after the last.
    pub(super) async fn page(
        &mut self,
        part: Part,
        after: RecordPosition,
    ) -> Result<Vec<Record>, StoreError> {
        match self {
            Self::Sqlite(side) => blocking(side, move |side| side.page(part, after)).await,
            Self::Postgres(side) => side.page(part, after).await,
        }
    }

    /// Writes rows of one part, and how far the move has got.
    pub(super) async fn write(
        &mut self,
        records: Vec<Record>,
        part: i16,
        place: RecordPosition,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(side) => {
                blocking(side, move |side| side.write(&records, part, place)).await
            }
            Self::Postgres(side) => side.write(&records, part, place).await,
        }
    }

    /// The revoked tokens that the store has. One in SQLite has none.
    pub(super) async fn revoked(&self) -> Result<Vec<RevokedToken>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(side) => side.revoked().await,
        }
    }

    /// Adds revoked tokens. Returns whether the store takes them: one in SQLite does not.
    pub(super) async fn revoke(&mut self, tokens: &[RevokedToken]) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(false),
            Self::Postgres(side) => side.revoke(tokens).await.map(|()| true),
        }
    }

    /// Makes what the store keeps beside the rows.
    pub(super) async fn settle(&mut self) -> Result<(), OpenError> {
        match self {
            Self::Sqlite(side) => Ok(blocking(side, ExclusiveSqlite::settle).await?),
            // Its indexes are kept with the rows.
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Counts everything again.
    pub(super) async fn audit(&mut self) -> Result<Audit, StoreError> {
        match self {
            Self::Sqlite(side) => blocking(side, ExclusiveSqlite::audit).await,
            Self::Postgres(side) => side.audit().await,
        }
    }

    /// Lets engines open the store.
    pub(super) async fn finish(&mut self, source: &StoreHead) -> Result<(), StoreError> {
        let source = source.clone();
        match self {
            Self::Sqlite(side) => blocking(side, move |side| side.finish(&source)).await,
            Self::Postgres(side) => side.finish(&source).await,
        }
    }

    /// Lets others use the store. Without it they could only when the server has seen the end of the connection.
    pub(super) async fn release(self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(side) => side.release().await,
        }
    }
}
