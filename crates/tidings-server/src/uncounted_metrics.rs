//! The module `metrics` of a build without the feature: it counts nothing.

use std::error::Error;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use tidings::Tidings;

use crate::dropped_lines::DroppedLines;
use crate::identity::Foreign;
use crate::limits::LimitError;

#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) requests: Requests,
}

/// A type without values, since no route is counted.
#[derive(Debug)]
pub(crate) enum CountedRoute {}

#[derive(Debug)]
pub(crate) struct OpenConnection;

#[derive(Debug)]
pub(crate) struct Requests;

#[derive(Clone, Copy, Debug)]
pub(crate) struct SeriesIndex;

impl SeriesIndex {
    pub(crate) const OTHER: Self = Self;
}

impl Metrics {
    pub(crate) fn new(_: &Tidings, _: &DroppedLines, _: Vec<CountedRoute>) -> Self {
        Self { requests: Requests }
    }

    pub(crate) const fn connection(&self) -> OpenConnection {
        OpenConnection
    }

    pub(crate) const fn count_foreign(&self, _: Foreign) {}

    pub(crate) const fn count_rejection(&self, _: LimitError) {}

    pub(crate) const fn count_stalled(&self) {}

    pub(crate) const fn count_beyond_limit(&self) {}

    #[cfg(feature = "tls")]
    pub(crate) const fn count_failed_handshake(&self) {}

    pub(crate) const fn count_broken(&self, _: &(dyn Error + 'static)) {}
}

impl Requests {
    pub(crate) const fn series_of(&self, _: &Method, _: &str) -> SeriesIndex {
        SeriesIndex
    }

    pub(crate) const fn begin(&self) {}

    pub(crate) const fn end(&self) {}

    pub(crate) const fn count(&self, _: SeriesIndex, _: StatusCode, _: Duration) {}
}
