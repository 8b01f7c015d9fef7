//! Counts open live streams by their owner and by the address of their client.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidings_event::OwnerId;

use super::LimitError;

/// The open streams by owner and by address. `None` is unlimited and counts nothing.
#[derive(Debug)]
pub(super) struct Streams {
    of_owner: Option<Slots<OwnerId>>,
    to_address: Option<Slots<IpAddr>>,
}

/// The slots of an open stream: one of its owner and one of its client address. Dropping this frees
/// them.
#[derive(Debug)]
pub(crate) struct StreamSlot {
    _of_owner: Option<Slot<OwnerId>>,
    _to_address: Option<Slot<IpAddr>>,
}

impl Streams {
    pub(super) fn new(per_owner: Option<NonZeroU32>, per_address: Option<NonZeroU32>) -> Self {
        Self {
            of_owner: per_owner.map(Slots::new),
            to_address: per_address.map(Slots::new),
        }
    }

    /// Takes the slots for a stream of `owner`. Without a known address only the owner's slot is taken.
    pub(super) fn open(
        &self,
        owner: OwnerId,
        address: Option<IpAddr>,
    ) -> Result<StreamSlot, LimitError> {
        let of_owner = match &self.of_owner {
            Some(slots) => Some(
                slots
                    .take(owner)
                    .ok_or(LimitError::StreamsOfOwner { limit: slots.most })?,
            ),
            None => None,
        };
        let to_address = match (&self.to_address, address) {
            (Some(slots), Some(address)) => {
                let slot = slots.take(client(address));
                Some(slot.ok_or(LimitError::StreamsToAddress { limit: slots.most })?)
            }
            _ => None,
        };
        Ok(StreamSlot {
            _of_owner: of_owner,
            _to_address: to_address,
        })
    }
}

/// The address that stands for a client: an IPv4 address, also if it is mapped into IPv6, or the first 64
/// bits of an IPv6 address, since clients choose the rest (RFC 4291 §2.5.1).
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The taken slots of each key.
#[derive(Debug)]
struct Slots<K> {
    most: NonZeroU32,
    /// Never 0: a key without an open stream is absent.
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

#[derive(Debug)]
struct Slot<K: Eq + Hash> {
    key: K,
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Copy + Eq + Hash> Slots<K> {
    fn new(most: NonZeroU32) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    fn take(&self, key: K) -> Option<Slot<K>> {
        let mut taken = lock(&self.taken);
        let number = taken.get(&key).copied().unwrap_or(0);
        if number >= self.most.get() {
            return None;
        }
        taken.insert(key, number + 1);
        Some(Slot {
            key,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl<K: Eq + Hash> Drop for Slot<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        match taken.get_mut(&self.key) {
            Some(number) if *number > 1 => *number -= 1,
            _ => {
                taken.remove(&self.key);
            }
        }
    }
}

/// No code panics while it holds the lock.
fn lock<K>(taken: &Mutex<HashMap<K, u32>>) -> MutexGuard<'_, HashMap<K, u32>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const A: OwnerId = OwnerId::from_uuid(Uuid::from_u128(1));
    const B: OwnerId = OwnerId::from_uuid(Uuid::from_u128(2));

    fn streams(per_owner: u32, per_address: u32) -> Streams {
        Streams::new(NonZeroU32::new(per_owner), NonZeroU32::new(per_address))
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn limits_the_streams_of_an_owner() {
        let streams = streams(2, 0);
        let first = streams.open(A, None).unwrap();
        let _second = streams.open(A, address("10.0.0.1")).unwrap();
        let limit = NonZeroU32::new(2).unwrap();
        let rejected = streams.open(A, None).unwrap_err();
        assert_eq!(rejected, LimitError::StreamsOfOwner { limit });
        let _other = streams.open(B, None).unwrap();
        drop(first);
        let _third = streams.open(A, None).unwrap();
        assert!(streams.open(A, None).is_err());
    }

    #[test]
    fn limits_the_streams_of_an_address() {
        let streams = streams(0, 1);
        let first = streams.open(A, address("10.0.0.1")).unwrap();
        let limit = NonZeroU32::new(1).unwrap();
        for same in ["10.0.0.1", "::ffff:10.0.0.1"] {
            let rejected = streams.open(B, address(same)).unwrap_err();
            assert_eq!(rejected, LimitError::StreamsToAddress { limit }, "{same}");
        }
        let _other = streams.open(B, address("10.0.0.2")).unwrap();
        let _unknown = [streams.open(A, None), streams.open(A, None)].map(Result::unwrap);
        drop(first);
        let _again = streams.open(B, address("10.0.0.1")).unwrap();
    }

    #[test]
    fn counts_an_ipv6_network_as_one_client() {
        let streams = streams(0, 1);
        let _first = streams.open(A, address("2001:db8:0:1::1")).unwrap();
        assert!(streams.open(A, address("2001:db8:0:1:ffff::2")).is_err());
        let _other = streams.open(A, address("2001:db8:0:2::1")).unwrap();
    }

    #[test]
    fn frees_the_owner_slot_when_the_address_is_rejected() {
        let streams = streams(1, 1);
        let _first = streams.open(A, address("10.0.0.1")).unwrap();
        assert!(streams.open(B, address("10.0.0.1")).is_err());
        let _second = streams.open(B, address("10.0.0.2")).unwrap();
    }

    #[test]
    fn forgets_streams_that_have_ended() {
        let streams = streams(5, 5);
        let slots: Vec<_> = (0..5)
            .map(|_| streams.open(A, address("10.0.0.1")).unwrap())
            .collect();
        drop(slots);
        assert!(lock(&streams.of_owner.as_ref().unwrap().taken).is_empty());
        assert!(lock(&streams.to_address.as_ref().unwrap().taken).is_empty());
    }
}
