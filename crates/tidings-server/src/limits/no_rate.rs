//! Rate limits in a build without the feature `jwt`. There are none, since all requests come from one
//! caller.

use std::num::NonZeroU32;
use std::time::Duration;

use tidings_event::OwnerId;

use super::CallerLimits;

#[derive(Debug)]
pub(super) enum Rate {}

impl Rate {
    pub(super) const fn all(_: &CallerLimits, _: usize) -> [Option<Self>; 3] {
        [None, None, None]
    }

    pub(super) const fn per_second(&self) -> NonZeroU32 {
        match *self {}
    }

    pub(super) const fn period(&self) -> Duration {
        match *self {}
    }

    pub(super) const fn take(&self, _: OwnerId, _: u32) -> Result<(), Duration> {
        match *self {}
    }
}
