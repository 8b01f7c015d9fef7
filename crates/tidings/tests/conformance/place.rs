//! Where an engine can be opened again and again.

use std::time::Duration;

use tempfile::TempDir;
use tidings::{Config, Tidings};

/// A backend with nothing in it yet.
pub(crate) struct Place {
    directory: TempDir,
    page_bytes: usize,
}

impl Place {
    /// SQLite in a new directory.
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Self {
            directory,
            page_bytes: Config::DEFAULT_PAGE_BYTES,
        }
    }

    /// Another one of the same backend.
    pub(crate) fn another(&self) -> Self {
        // So far there is one backend.
        Self::sqlite()
    }

    /// The same, where so many bytes of a page are read at once.
    pub(crate) fn with_page_bytes(self, page_bytes: usize) -> Self {
        Self { page_bytes, ..self }
    }

    /// How an engine is opened here.
    pub(crate) fn config(&self) -> Config {
        Config {
            page_bytes: self.page_bytes,
            ..Config::new(self.directory.path())
        }
    }

    /// Compares what is counted here with what there is; no engine may be open.
    pub(crate) fn audit(&self) {
        let audited = tidings::audit(self.directory.path(), Duration::from_secs(60));
        let audit = audited.expect("a closed store can be read");
        assert!(audit.complete && audit.wrong.is_empty(), "{audit:?}");
    }

    /// Opens an engine on what is here.
    pub(crate) async fn open(&self) -> Tidings {
        Tidings::open(self.config())
            .await
            .expect("an engine opens where none is open")
    }
}
