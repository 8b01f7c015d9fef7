//! The tokens that were verified before, so that a further request with one costs a digest.
//!
//! A token is known by its SHA-256 alone; its text is not kept. Only accepted tokens enter. What can change
//! after that is checked at each use: the time, the keys and the revocations.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tidings_event::OwnerId;

use super::claims::Claims;
use super::current_keys::Generation;

/// The most tokens that are remembered, of about half a KiB each.
pub(super) const MAX_TOKENS: usize = 16_384;

/// The most tokens of one owner. Further ones take the place of that owner's oldest, so that nobody
/// displaces the tokens of others by collecting many.
pub(super) const MAX_OF_OWNER: usize = 64;

/// Tokens that were verified.
#[derive(Debug, Default)]
pub(super) struct VerifiedTokens {
    table: Mutex<Table>,
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; 32]);

#[derive(Debug, Default)]
struct Table {
    places: HashMap<TokenDigest, usize>,
    entries: Vec<VerifiedToken>,
    /// The places of each owner's tokens, the oldest first.
    owners: HashMap<OwnerId, VecDeque<usize>>,
    /// The place that is looked at next to make room.
    hand: usize,
}

#[derive(Debug)]
struct VerifiedToken {
    digest: TokenDigest,
    claims: Arc<Claims>,
    keys: Generation,
    /// When it was verified: `nbf` has passed since then, unless the clock is set back.
    since: Timestamp,
    /// Whether it was used since the hand passed. A token that is used once makes room first.
    used: bool,
}

impl TokenDigest {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

impl VerifiedTokens {
    /// The claims of a token that was verified with the same keys and has not expired. The caller checks
    /// that it was not revoked.
    pub(super) fn get(
        &self,
        digest: TokenDigest,
        keys: Generation,
        now: Timestamp,
    ) -> Option<Arc<Claims>> {
        let mut table = self.lock();
        let place = *table.places.get(&digest)?;
        let entry = &mut table.entries[place];
        if entry.keys != keys || now < entry.since || now >= entry.claims.expires {
            return None;
        }
        entry.used = true;
        Some(Arc::clone(&entry.claims))
    }

    /// Remembers a token that was accepted at `now` with these keys.
    pub(super) fn insert(
        &self,
        digest: TokenDigest,
        claims: Arc<Claims>,
        keys: Generation,
        now: Timestamp,
    ) {
        let mut table = self.lock();
        let place = table.place_for(digest, claims.owner);
        let entry = VerifiedToken {
            digest,
            claims,
            keys,
            since: now,
            used: false,
        };
        table.put(place, entry);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().places.len()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        let table = self.table.lock();
        // No panic can happen between two steps of a change.
        table.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The place that a token gets; that of its entry if it has one.
    fn place_for(&mut self, digest: TokenDigest, owner: OwnerId) -> usize {
        if let Some(known) = self.places.get(&digest) {
            return *known;
        }
        if let Some(places) = self.owners.get(&owner)
            && places.len() >= MAX_OF_OWNER
        {
            return places[0];
        }
        if self.entries.len() < MAX_TOKENS {
            return self.entries.len();
        }
        // Ends after at most two rounds, since the first one clears every mark.
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % MAX_TOKENS;
            if !std::mem::take(&mut self.entries[place].used) {
                return place;
            }
        }
    }

    fn put(&mut self, place: usize, entry: VerifiedToken) {
        self.places.insert(entry.digest, place);
        let owners = self.owners.entry(entry.claims.owner).or_default();
        owners.push_back(place);
        let Some(current) = self.entries.get_mut(place) else {
            self.entries.push(entry);
            return;
        };
        let digest = entry.digest;
        let former = std::mem::replace(current, entry);
        if former.digest != digest {
            self.places.remove(&former.digest);
        }
        self.forget_place(former.claims.owner, place);
    }

    /// Removes the oldest mention of a place from those of an owner.
    fn forget_place(&mut self, owner: OwnerId, place: usize) {
        let Some(places) = self.owners.get_mut(&owner) else {
            return;
        };
        if let Some(index) = places.iter().position(|known| *known == place) {
            places.remove(index);
        }
        if places.is_empty() {
            self.owners.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::token::claims::Fingerprint;
    use crate::token::scopes::Scopes;

    const KEYS: Generation = Generation(1);

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn claims(owner: OwnerId) -> Arc<Claims> {
        Arc::new(Claims {
            owner,
            scopes: Scopes::known([]),
            system: None,
            expires: now() + SignedDuration::from_secs(60),
            id: "id".into(),
            key: Fingerprint::of(&[]),
        })
    }

    fn digest(number: usize) -> TokenDigest {
        TokenDigest::of(&number.to_string())
    }

    #[test]
    fn returns_a_token_only_while_it_would_be_accepted() {
        let tokens = VerifiedTokens::default();
        let accepted = claims(OwnerId::mint());
        tokens.insert(digest(1), Arc::clone(&accepted), KEYS, now());
        let get = |number, keys, seconds| {
            tokens.get(
                digest(number),
                keys,
                now() + SignedDuration::from_secs(seconds),
            )
        };
        assert_eq!(get(1, KEYS, 0), Some(Arc::clone(&accepted)));
        assert_eq!(get(1, KEYS, 59), Some(accepted));
        assert_eq!(get(1, KEYS, 60), None, "expired");
        assert_eq!(get(1, KEYS, -1), None, "perhaps not yet valid");
        assert_eq!(get(1, Generation(2), 0), None, "other keys");
        assert_eq!(get(2, KEYS, 0), None, "another token");
    }

    #[test]
    fn tokens_in_use_stay_when_many_others_come() {
        let tokens = VerifiedTokens::default();
        for number in 0..100 {
            tokens.insert(digest(number), claims(OwnerId::mint()), KEYS, now());
        }
        for number in 100..3 * MAX_TOKENS {
            // Used now and then; the others never again.
            if number % (MAX_TOKENS / 2) == 0 {
                let stays = |used| tokens.get(digest(used), KEYS, now()).is_some();
                assert!((0..100).all(stays), "after {number} others");
            }
            tokens.insert(digest(number), claims(OwnerId::mint()), KEYS, now());
            assert!(tokens.len() <= MAX_TOKENS);
        }
        assert_eq!(tokens.len(), MAX_TOKENS);
        assert_eq!(tokens.lock().owners.len(), MAX_TOKENS);
    }

    #[test]
    fn one_owner_displaces_only_its_own_tokens() {
        let tokens = VerifiedTokens::default();
        let (collector, other) = (OwnerId::mint(), OwnerId::mint());
        tokens.insert(digest(0), claims(other), KEYS, now());
        for number in 1..=2 * MAX_TOKENS {
            tokens.insert(digest(number), claims(collector), KEYS, now());
        }
        assert_eq!(tokens.len(), 1 + MAX_OF_OWNER);
        assert!(tokens.get(digest(0), KEYS, now()).is_some());
        // The newest stay, and a token that is verified again counts once.
        let newest = 2 * MAX_TOKENS;
        for number in newest - MAX_OF_OWNER + 1..=newest {
            tokens.insert(digest(number), claims(collector), KEYS, now());
            assert!(tokens.get(digest(number), KEYS, now()).is_some());
        }
        assert_eq!(tokens.len(), 1 + MAX_OF_OWNER);
        assert_eq!(tokens.lock().owners[&collector].len(), MAX_OF_OWNER);
    }
}
