//! Names that tell whose they are: each UUID of this test carries the number of its user, so that a
//! reader can tell by any of them, wherever it stands, that something is not for it.

use uuid::Uuid;

/// What each of them begins with.
const MARK: u128 = 0x7e57_0000 << 96;

/// The number that stands for the system.
pub(super) const SYSTEM: u32 = u32::MAX;

#[derive(Clone, Copy)]
enum Kind {
    Owner = 1,
    Event = 2,
    Resource = 3,
}

/// The user with a number.
pub(super) fn owner(user: u32) -> Uuid {
    name(Kind::Owner, user, 0)
}

/// The `number`th event for a user.
pub(super) fn event(user: u32, number: u32) -> Uuid {
    name(Kind::Event, user, number)
}

/// What an event for a user is about.
pub(super) fn resource(user: u32) -> Uuid {
    name(Kind::Resource, user, 0)
}

fn name(kind: Kind, user: u32, number: u32) -> Uuid {
    Uuid::from_u128(MARK | (kind as u128) << 80 | u128::from(user) << 32 | u128::from(number))
}

/// Whose it is; `None` if it is no name of this test.
pub(super) fn user_of(name: Uuid) -> Option<u32> {
    let bits = name.as_u128();
    let user = u32::try_from((bits >> 32) & u128::from(u32::MAX)).expect("32 bits are left");
    (bits >> 96 == MARK >> 96).then_some(user)
}

/// Every UUID in a text.
pub(super) fn all_in(text: &[u8]) -> impl Iterator<Item = Uuid> {
    const LENGTH: usize = 36;
    text.windows(LENGTH)
        .filter(|window| [8, 13, 18, 23].iter().all(|place| window[*place] == b'-'))
        .filter_map(|window| Uuid::try_parse_ascii(window).ok())
}
