//! Requests that publish events, with ids and owners that are renewed in place.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION, LOCAL_USER, SEVERITY, mint_id};

/// Where a header can be added.
const HEAD: &str = "POST /api/system/events HTTP/1.1\r\n";

/// A publish request whose ids and owners can be renewed in place, so that sending it costs next to
/// nothing.
#[derive(Clone, Debug)]
pub(crate) struct PublishRequest {
    bytes: Vec<u8>,
    /// The offsets of the ids.
    ids: Vec<usize>,
    /// The offsets of the owners.
    owners: Vec<usize>,
    /// The owners of the events, if they differ.
    drawn: Option<Owners>,
}

/// Owners in random order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owners {
    /// How many there are.
    pub(crate) number: u32,
    /// Whether some have many more events than others: the first hundredth gets 22 % of them, the last
    /// half 21 %.
    pub(crate) skewed: bool,
    /// How many events of a request go to an owner before the next one is drawn.
    pub(crate) burst: usize,
}

impl Owners {
    /// The owner with this number; the first is the server's local identity.
    pub(crate) const fn owner(index: u32) -> Uuid {
        Uuid::from_u128(LOCAL_USER.as_u128() + index as u128)
    }

    /// Draws an owner.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the product is below the number of owners"
    )]
    pub(crate) fn draw(&self) -> u32 {
        let part = fastrand::f64();
        let part = if self.skewed { part.powi(3) } else { part };
        (part * f64::from(self.number)) as u32
    }
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
        let (mut ids, mut owners) = (Vec::with_capacity(events), Vec::with_capacity(events));
        for index in 0..events {
            body.push_str(match (array, index) {
                (false, _) => "",
                (true, 0) => "[",
                (true, _) => ",",
            });
            body.push_str("{\"id\":\"");
            ids.push(body.len());
            body.push_str(&Uuid::nil().to_string());
            body.push_str("\",\"owner\":\"");
            owners.push(body.len());
            let description = DESCRIPTION.replace('"', "\\\"");
            body.push_str(&format!(
                "{LOCAL_USER}\",\"actedUpon\":\"{ACTED_UPON}\",\
                 \"category\":\"{CATEGORY}\",\"action\":\"{ACTION}\",\"severity\":\"{SEVERITY}\",\
                 \"description\":\"{description}\"}}"
            ));
        }
        if array {
            body.push(']');
        }
        let head = format!(
            "{HEAD}Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut request = Self {
            bytes: (head.clone() + &body).into_bytes(),
            ids,
            owners,
            drawn: None,
        };
        request.shift(head.len());
        request
    }

    /// Bytes that are sent as they are.
    pub(crate) fn fixed(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ids: Vec::new(),
            owners: Vec::new(),
            drawn: None,
        }
    }

    /// The request with a bearer token.
    pub(crate) fn authorized(mut self, token: &str) -> Self {
        let header = format!("Authorization: Bearer {token}\r\n");
        self.bytes
            .splice(HEAD.len()..HEAD.len(), header.bytes())
            .for_each(drop);
        self.shift(header.len());
        self
    }

    /// The request with its events for `owner`.
    pub(crate) fn for_owner(mut self, owner: Uuid) -> Self {
        for place in &self.owners {
            write_id(&mut self.bytes, *place, owner);
        }
        self
    }

    /// The request with owners that are drawn each time.
    pub(crate) fn for_drawn(mut self, owners: Owners) -> Self {
        self.drawn = Some(owners);
        self
    }

    fn shift(&mut self, bytes: usize) {
        self.ids.iter_mut().for_each(|id| *id += bytes);
        self.owners.iter_mut().for_each(|owner| *owner += bytes);
    }

    /// The number of events.
    pub(crate) fn events(&self) -> usize {
        self.ids.len()
    }

    /// The request with fresh ids, and with fresh owners if they are drawn.
    pub(crate) fn renew(&mut self) -> &[u8] {
        for place in &self.ids {
            write_id(&mut self.bytes, *place, mint_id());
        }
        if let Some(drawn) = &self.drawn {
            for burst in self.owners.chunks(drawn.burst) {
                let owner = Owners::owner(drawn.draw());
                for place in burst {
                    write_id(&mut self.bytes, *place, owner);
                }
            }
        }
        &self.bytes
    }
}

fn write_id(bytes: &mut [u8], place: usize, id: Uuid) {
    let place = &mut bytes[place..place + Hyphenated::LENGTH];
    id.hyphenated().encode_lower(place);
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_parts_of_a_request_stay_in_place() {
        let owner = Owners::owner(7);
        let mut request = PublishRequest::batch(2)
            .for_owner(owner)
            .authorized("a.b.c");
        let text = String::from_utf8(request.renew().to_vec()).unwrap();
        assert!(text.starts_with(HEAD) && text.contains("\r\nAuthorization: Bearer a.b.c\r\n"));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        let events: serde_json::Value = serde_json::from_str(body).unwrap();
        for event in events.as_array().unwrap() {
            assert_eq!(event["owner"], owner.to_string());
            assert_ne!(event["id"], Uuid::nil().to_string());
        }
    }

    #[test]
    fn owners_are_drawn_a_burst_at_a_time_and_with_a_skew() {
        fastrand::seed(1);
        let owners = Owners {
            number: 1_000,
            skewed: true,
            burst: 5,
        };
        let mut request = PublishRequest::batch(20).for_drawn(owners);
        let text = String::from_utf8(request.renew().to_vec()).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let events: serde_json::Value = serde_json::from_str(body).unwrap();
        let to = |event: &serde_json::Value| event["owner"].as_str().unwrap().to_owned();
        let to: Vec<_> = events.as_array().unwrap().iter().map(to).collect();
        assert!(
            to.chunks(5)
                .all(|burst| burst.iter().all(|one| *one == burst[0]))
        );
        assert_ne!(to[0], to[19]);
        let first = (0..10_000).filter(|_| owners.draw() < 10).count();
        assert!((1_950..2_350).contains(&first), "{first}");
    }
}
