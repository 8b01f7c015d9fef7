//! The seats of a feed: how far each subscriber has got, and what it is told.

use tidings_event::{OwnerId, Rev};

use super::{LiveFeed, Occupant, SeatNumber, State};
use crate::hub::bell::Bell;

impl LiveFeed {
    pub(in crate::hub) fn join(&self, reader: OwnerId) -> SeatNumber {
        let mut state = self.state();
        // Most feeds have one subscriber, and a slab begins with room for four.
        if state.seats.capacity() == 0 {
            state.seats.reserve_exact(1);
        }
        // It is going to read the store up to a head at or beyond this one.
        SeatNumber(state.seats.insert(Occupant {
            reader,
            bell: None,
            behind: false,
            position: None,
        }))
    }

    /// Sets what rings when a seat has something new. What has come before rings nothing.
    pub(in crate::hub) fn set_bell(&self, number: SeatNumber, bell: Bell) {
        if let Some(occupant) = self.state().seats.get_mut(number.0) {
            occupant.bell = Some(bell);
        }
    }

    /// Gives up a seat; whether it was the last.
    pub(in crate::hub) fn leave(&self, number: SeatNumber) -> bool {
        let mut state = self.state();
        if let Some(occupant) = state.seats.try_remove(number.0)
            && occupant.behind
        {
            self.one_less_behind(&mut state);
        }
        state.seats.is_empty()
    }

    /// The subscriber at this seat has reached `position`.
    pub(in crate::hub) fn moved_to(&self, number: SeatNumber, position: Rev) {
        let mut state = self.state();
        if position >= state.head {
            self.caught_up(&mut state, number, position);
        } else if let Some(occupant) = state.seats.get_mut(number.0) {
            occupant.position = Some(position);
        }
    }

    pub(in crate::hub) fn note(&self, number: SeatNumber, position: Rev, head: Rev) {
        let mut state = self.state();
        state.known_head = state.known_head.max(head);
        if let Some(occupant) = state.seats.get_mut(number.0) {
            occupant.position = Some(position);
        }
    }

    /// How many revs the subscriber that is furthest behind has not taken.
    #[cfg(feature = "metrics")]
    pub(in crate::hub) fn largest_lag(&self) -> u64 {
        let state = self.state();
        let head = state.known_head.max(state.head);
        let positions = state
            .seats
            .iter()
            .filter_map(|(_, occupant)| occupant.position);
        positions
            .map(|position| head.get().saturating_sub(position.get()))
            .max()
            .unwrap_or(0)
    }

    pub(in crate::hub) fn wake_all(&self) {
        for (_, occupant) in &self.state().seats {
            if let Some(bell) = &occupant.bell {
                bell.ring();
            }
        }
    }

    pub(super) fn caught_up(&self, state: &mut State, number: SeatNumber, position: Rev) {
        if let Some(occupant) = state.seats.get_mut(number.0) {
            occupant.position = Some(position);
            if std::mem::take(&mut occupant.behind) {
                self.one_less_behind(state);
            }
        }
    }

    /// If no subscriber is behind, none will take these frames again.
    fn one_less_behind(&self, state: &mut State) {
        state.behind -= 1;
        if state.behind == 0 {
            self.clear(state);
        }
    }
}
