//! UUIDs that contain the number of their user, so that a test recognizes data of another user in any
//! field.

use uuid::Uuid;

/// The first bits of each UUID.
const MARK: u128 = 0x7e57_0000 << 96;

/// The number of the system.
pub(super) const SYSTEM: u32 = u32::MAX;

#[derive(Clone, Copy)]
enum Kind {
    Owner = 1,
    Event = 2,
    Resource = 3,
}

/// The UUID of a user.
pub(super) fn owner(user: u32) -> Uuid {
    name(Kind::Owner, user, 0)
}

/// The UUID of the `number`th event for a user.
pub(super) fn event(user: u32, number: u32) -> Uuid {
    name(Kind::Event, user, number)
}

/// The `actedUpon` of a user's events.
pub(super) fn resource(user: u32) -> Uuid {
    name(Kind::Resource, user, 0)
}

fn name(kind: Kind, user: u32, number: u32) -> Uuid {
    Uuid::from_u128(MARK | (kind as u128) << 80 | u128::from(user) << 32 | u128::from(number))
}

/// The user of a UUID. `None` if it is not from this test.
pub(super) fn user_of(name: Uuid) -> Option<u32> {
    let bits = name.as_u128();
    let user = u32::try_from((bits >> 32) & u128::from(u32::MAX)).expect("32 bits are left");
    (bits >> 96 == MARK >> 96).then_some(user)
}

/// All UUIDs in a text.
pub(super) fn all_in(text: &[u8]) -> impl Iterator<Item = Uuid> {
    const LENGTH: usize = 36;
    text.windows(LENGTH)
        .filter(|window| [8, 13, 18, 23].iter().all(|place| window[*place] == b'-'))
        .filter_map(|window| Uuid::try_parse_ascii(window).ok())
}
