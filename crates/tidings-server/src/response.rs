//! The memory of responses that their clients have not read yet.
//!
//! A response reserves its memory before it is made: before a page is read, or an event is stored whose
//! JSON is returned. Its bytes hold that memory until they are freed, whether they are in the body, in
//! the HTTP library's buffers or on their way into the socket. So the memory of unread responses is
//! bounded, and a caller who reads nothing delays only themselves.

mod body;
mod error;

use std::time::Duration;

use bytes::Bytes;
use tidings_event::OwnerId;
use tokio::sync::OwnedSemaphorePermit;

use crate::identity::{Credential, ended};
use crate::limits::LimitError;
use crate::pool::{self, Pool, Share};
use crate::shutdown::unless_abandoned;

pub(crate) use body::ResponseBody;
pub(crate) use error::ResponseError;

/// The memory of responses that reserve little, such as counts, and of all others: unread pages do not
/// delay a badge.
const SHORT_POOL_BYTES: usize = 16 * 1024 * 1024;
const LONG_POOL_BYTES: usize = 64 * 1024 * 1024;

/// The most that a short response reserves.
const SHORT_BYTES: usize = 16 * 1024;

/// The smallest size that a response counts for: about the memory of its request without the body.
const LEAST_BYTES: usize = 4 * 1024;

/// One caller gets an eighth of each pool: 8 MiB for pages, of which each takes 1 MiB while it is read.
const CALLER_PARTS: usize = 8;

/// How long a request waits for its memory before it is rejected. Clients usually read a response in
/// far less time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bounds the memory of all unread responses.
#[derive(Debug)]
pub(crate) struct ResponseBudget {
    short: Pool,
    long: Pool,
    /// Whether the server has a login. Without one all requests have the same caller, who can use all
    /// of the memory.
    by_caller: bool,
}

/// How much memory a request needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryNeed {
    /// The most bytes of the response.
    pub(crate) bytes: usize,
    /// The bytes that the request holds while it waits, such as the events to store.
    pub(crate) kept: usize,
}

impl ResponseBudget {
    pub(crate) fn new(has_login: bool) -> Self {
        Self {
            short: Pool::new(SHORT_POOL_BYTES, CALLER_PARTS),
            long: Pool::new(LONG_POOL_BYTES, CALLER_PARTS),
            by_caller: has_login,
        }
    }

    /// Reserves the memory of a response of at most `bytes`; one that is larger than a caller's share
    /// reserves all of the share. Waits while other responses hold the memory, but no longer than the
    /// client is connected and the credential is accepted.
    pub(crate) async fn reserve(
        &self,
        caller: OwnerId,
        credential: Option<Credential>,
        MemoryNeed { bytes, kept }: MemoryNeed,
    ) -> Result<Reservation, ResponseError> {
        let pool = if bytes <= SHORT_BYTES {
            &self.short
        } else {
            &self.long
        };
        let bytes = bytes.clamp(LEAST_BYTES, pool.each());
        let mut share = self.by_caller.then(|| pool.share_of(caller));
        let is_held = share
            .as_mut()
            .is_none_or(|share| share.try_hold(bytes).is_ok());
        if is_held && let Some(part) = pool.try_take(bytes) {
            return Ok(Reservation {
                part: Some(part),
                share,
            });
        }
        let waiting = async {
            if let (false, Some(share)) = (is_held, &mut share) {
                let held = share.hold(bytes, kept, PATIENCE).await;
                let bytes = pool.each();
                held.map_err(|_| ResponseError::Limit(LimitError::Responses { bytes }))?;
            }
            let part = pool.take(bytes, PATIENCE).await;
            part.map_err(|_| ResponseError::Overloaded)
        };
        // Rarely needed: boxed, it takes no room in every request.
        let part = Box::pin(async {
            tokio::select! {
                part = unless_abandoned(waiting) => part.ok_or(ResponseError::Disconnected)?,
                rejected = ended(credential) => Err(ResponseError::Credential(rejected.into())),
            }
        })
        .await?;
        Ok(Reservation {
            part: Some(part),
            share,
        })
    }
}

/// The memory that is reserved for a response. Dropping it gives back the unused part.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    part: Option<OwnedSemaphorePermit>,
    share: Option<Share>,
}

impl Reservation {
    /// Bytes of the response, which hold their part of the memory until they are freed.
    pub(crate) fn hold<T: AsRef<[u8]> + Send + 'static>(&mut self, bytes: T) -> Bytes {
        let number = bytes.as_ref().len().max(LEAST_BYTES);
        let part = self.part.as_mut();
        Bytes::from_owner(Held {
            bytes,
            _part: part.and_then(|part| pool::split(part, number)),
            _share: self.share.as_mut().map(|share| share.split(number)),
        })
    }
}

/// Bytes with the memory that they hold.
struct Held<T> {
    bytes: T,
    _part: Option<OwnedSemaphorePermit>,
    _share: Option<Share>,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    const A: OwnerId = OwnerId::from_uuid(Uuid::from_u128(1));
    const B: OwnerId = OwnerId::from_uuid(Uuid::from_u128(2));
    const MIB: usize = 1024 * 1024;

    async fn reserve(
        budget: &ResponseBudget,
        caller: OwnerId,
        bytes: usize,
    ) -> Result<Reservation, ResponseError> {
        let room = MemoryNeed { bytes, kept: 0 };
        budget.reserve(caller, None, room).await
    }

    #[tokio::test(start_paused = true)]
    async fn unread_responses_of_one_caller_do_not_delay_others() {
        let budget = ResponseBudget::new(true);
        let mut unread = Vec::new();
        let share = LONG_POOL_BYTES / CALLER_PARTS;
        for _ in 0..share / MIB {
            let mut reserved = reserve(&budget, A, MIB).await.unwrap();
            unread.push(reserved.hold(vec![0_u8; MIB]));
        }
        let rejected = reserve(&budget, A, MIB).await;
        let Err(ResponseError::Limit(LimitError::Responses { bytes })) = rejected else {
            panic!("{rejected:?}");
        };
        assert_eq!(bytes, share);
        // Counts of the same caller, and pages of others, are not delayed.
        assert!(reserve(&budget, A, 100).now_or_never().unwrap().is_ok());
        assert!(reserve(&budget, B, MIB).now_or_never().unwrap().is_ok());

        let mut waiting = Box::pin(reserve(&budget, A, MIB));
        assert!((&mut waiting).now_or_never().is_none());
        // A slice keeps all of its bytes.
        let slice = unread.pop().unwrap().slice(..1);
        assert!((&mut waiting).now_or_never().is_none());
        drop(slice);
        assert!(waiting.await.is_ok());
        drop(unread);
        assert_eq!((budget.long.callers(), budget.short.callers()), (0, 0));
        assert!(budget.long.try_take(LONG_POOL_BYTES).is_some());
    }

    #[tokio::test]
    async fn unused_memory_is_given_back_at_once() {
        let budget = ResponseBudget::new(true);
        let mut reserved = reserve(&budget, A, MIB).await.unwrap();
        let response = reserved.hold(vec![0_u8; LEAST_BYTES]);
        drop(reserved);
        let left = LONG_POOL_BYTES - LEAST_BYTES;
        assert!(budget.long.try_take(left + 1).is_none());
        assert!(budget.long.try_take(left).is_some());
        drop(response);
        assert!(budget.long.try_take(LONG_POOL_BYTES).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_login_the_one_caller_can_use_all_memory() {
        let budget = ResponseBudget::new(false);
        let mut unread = Vec::new();
        for _ in 0..LONG_POOL_BYTES / MIB {
            unread.push(reserve(&budget, A, MIB).await.unwrap());
        }
        let rejected = reserve(&budget, A, MIB).await;
        assert!(matches!(rejected, Err(ResponseError::Overloaded)));
        drop(unread);
        assert!(reserve(&budget, A, MIB).await.is_ok());
    }
}
