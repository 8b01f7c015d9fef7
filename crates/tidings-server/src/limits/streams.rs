//! The live streams that are open, by their owner and by the address they go to.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidings_event::OwnerId;

use super::LimitError;

/// Without a limit nothing is counted.
#[derive(Debug)]
pub(super) struct Streams {
    of_owner: Option<Places<OwnerId>>,
    to_address: Option<Places<IpAddr>>,
}

/// An open stream's place among those of its owner, and of its address. It is free again when this is
/// dropped.
#[derive(Debug)]
pub(crate) struct StreamPlace {
    _of_owner: Option<Place<OwnerId>>,
    _to_address: Option<Place<IpAddr>>,
}

impl Streams {
    pub(super) fn new(per_owner: Option<NonZeroU32>, per_address: Option<NonZeroU32>) -> Self {
        Self {
            of_owner: per_owner.map(Places::new),
            to_address: per_address.map(Places::new),
        }
    }

    /// Takes a place for a stream of `owner`. One whose address is not known counts for none.
    pub(super) fn open(
        &self,
        owner: OwnerId,
        address: Option<IpAddr>,
    ) -> Result<StreamPlace, LimitError> {
        let of_owner = match &self.of_owner {
            Some(places) => Some(
                places
                    .take(owner)
                    .ok_or(LimitError::StreamsOfOwner { limit: places.most })?,
            ),
            None => None,
        };
        let to_address = match (&self.to_address, address) {
            (Some(places), Some(address)) => {
                let place = places.take(client(address));
                Some(place.ok_or(LimitError::StreamsToAddress { limit: places.most })?)
            }
            _ => None,
        };
        Ok(StreamPlace {
            _of_owner: of_owner,
            _to_address: to_address,
        })
    }
}

/// What stands for one client: an IPv4 address, also where it is written as one of IPv6, and of an
/// IPv6 address the first 64 bits, since the rest is the client's to choose (RFC 4291 §2.5.1).
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The places that each key has.
#[derive(Debug)]
struct Places<K> {
    most: NonZeroU32,
    /// Never 0: a key without an open stream is not in it.
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

#[derive(Debug)]
struct Place<K: Eq + Hash> {
    key: K,
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Copy + Eq + Hash> Places<K> {
    fn new(most: NonZeroU32) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    fn take(&self, key: K) -> Option<Place<K>> {
        let mut taken = lock(&self.taken);
        let number = taken.get(&key).copied().unwrap_or(0);
        if number >= self.most.get() {
            return None;
        }
        taken.insert(key, number + 1);
        Some(Place {
            key,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
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

/// Nothing panics while it is held.
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
    fn an_owner_has_so_many_places_and_gets_them_back() {
        let streams = streams(2, 0);
        let first = streams.open(A, None).unwrap();
        let _second = streams.open(A, address("10.0.0.1")).unwrap();
        let limit = NonZeroU32::new(2).unwrap();
        let refused = streams.open(A, None).unwrap_err();
        assert_eq!(refused, LimitError::StreamsOfOwner { limit });
        let _other = streams.open(B, None).unwrap();
        drop(first);
        let _third = streams.open(A, None).unwrap();
        assert!(streams.open(A, None).is_err());
    }

    #[test]
    fn an_address_has_so_many_places_whoever_streams() {
        let streams = streams(0, 1);
        let first = streams.open(A, address("10.0.0.1")).unwrap();
        let limit = NonZeroU32::new(1).unwrap();
        for same in ["10.0.0.1", "::ffff:10.0.0.1"] {
            let refused = streams.open(B, address(same)).unwrap_err();
            assert_eq!(refused, LimitError::StreamsToAddress { limit }, "{same}");
        }
        let _other = streams.open(B, address("10.0.0.2")).unwrap();
        let _unknown = [streams.open(A, None), streams.open(A, None)].map(Result::unwrap);
        drop(first);
        let _again = streams.open(B, address("10.0.0.1")).unwrap();
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let streams = streams(0, 1);
        let _first = streams.open(A, address("2001:db8:0:1::1")).unwrap();
        assert!(streams.open(A, address("2001:db8:0:1:ffff::2")).is_err());
        let _other = streams.open(A, address("2001:db8:0:2::1")).unwrap();
    }

    #[test]
    fn who_is_refused_for_the_address_keeps_no_place_of_the_owner_s() {
        let streams = streams(1, 1);
        let _first = streams.open(A, address("10.0.0.1")).unwrap();
        assert!(streams.open(B, address("10.0.0.1")).is_err());
        let _second = streams.open(B, address("10.0.0.2")).unwrap();
    }

    #[test]
    fn nothing_is_remembered_of_streams_that_have_ended() {
        let streams = streams(5, 5);
        let places: Vec<_> = (0..5)
            .map(|_| streams.open(A, address("10.0.0.1")).unwrap())
            .collect();
        drop(places);
        assert!(lock(&streams.of_owner.as_ref().unwrap().taken).is_empty());
        assert!(lock(&streams.to_address.as_ref().unwrap().taken).is_empty());
    }
}
