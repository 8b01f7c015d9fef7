//! The events that are measured with: the same content over HTTP, in the engine and in raw rows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// The one user of the server's local identity, who owns every event unless said otherwise.
pub(crate) const LOCAL_USER: Uuid = Uuid::from_u128(0x6c6f_6361_6c00_4000_8000_0000_0000_0001);
pub(crate) const ACTED_UPON: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_0001);
pub(crate) const CATEGORY: &str = "deployment";
pub(crate) const ACTION: &str = "apply";
pub(crate) const SEVERITY: &str = "informational";
pub(crate) const DESCRIPTION: &str = "Applied design \"storefront\" to cluster \"eu-west-1\": 12 \
     components created, 3 updated, 0 unchanged";

/// A time-ordered id. The server would mint one too, but the load must not wait for random bytes.
pub(crate) fn mint_id() -> Uuid {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let milliseconds = u64::try_from(since_1970.as_millis()).unwrap_or(0);
    // Version and variant take bits of the first three bytes.
    let mut rest = [0; 10];
    rest[3..].copy_from_slice(&number[1..]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &rest).into_uuid()
}

/// A publish request whose ids can be renewed in place, so that sending it costs next to nothing.
#[derive(Clone, Debug)]
pub(crate) struct PublishRequest {
    bytes: Vec<u8>,
    /// Where the ids begin.
    ids: Vec<usize>,
}

impl PublishRequest {
    /// A request with one event.
    pub(crate) fn one() -> Self {
        Self::new(1, false)
    }

    /// A request with an array of events.
    pub(crate) fn batch(events: usize) -> Self {
        Self::new(events, true)
    }

    fn new(events: usize, array: bool) -> Self {
        let mut body = String::new();
        let mut ids = Vec::with_capacity(events);
        for index in 0..events {
            body.push_str(match (array, index) {
                (false, _) => "",
                (true, 0) => "[",
                (true, _) => ",",
            });
            body.push_str("{\"id\":\"");
            ids.push(body.len());
            body.push_str(&Uuid::nil().to_string());
            let description = DESCRIPTION.replace('"', "\\\"");
            body.push_str(&format!(
                "\",\"owner\":\"{LOCAL_USER}\",\"actedUpon\":\"{ACTED_UPON}\",\
                 \"category\":\"{CATEGORY}\",\"action\":\"{ACTION}\",\"severity\":\"{SEVERITY}\",\
                 \"description\":\"{description}\"}}"
            ));
        }
        if array {
            body.push(']');
        }
        let head = format!(
            "POST /api/system/events HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        ids.iter_mut().for_each(|id| *id += head.len());
        let bytes = (head + &body).into_bytes();
        Self { bytes, ids }
    }

    /// How many events it has.
    pub(crate) fn events(&self) -> usize {
        self.ids.len()
    }

    /// The request with fresh ids.
    pub(crate) fn renew(&mut self) -> &[u8] {
        for id in &self.ids {
            let place = &mut self.bytes[*id..*id + uuid::fmt::Hyphenated::LENGTH];
            mint_id().hyphenated().encode_lower(place);
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_valid() {
        let (first, second) = (mint_id(), mint_id());
        assert_ne!(first, second);
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn only_the_ids_are_renewed() {
        let mut request = PublishRequest::batch(2);
        let first = String::from_utf8(request.renew().to_vec()).unwrap();
        let second = String::from_utf8(request.renew().to_vec()).unwrap();
        assert_eq!(first.len(), second.len());
        let ids = |text: &str| -> Vec<String> {
            let parts = text.split("{\"id\":\"").skip(1);
            parts.map(|part| part[..36].to_owned()).collect()
        };
        assert_eq!(ids(&first).len(), 2);
        let mut back = second.clone();
        for (old, new) in ids(&first).iter().zip(ids(&second)) {
            assert_ne!(*old, new);
            back = back.replace(&new, old);
        }
        assert_eq!(back, first);
    }
}
