//! Parts for programs that store or transport events: the engine, a server, another backend.
//!
//! A program that only publishes or reads events needs nothing from here. The parts are public because
//! the engine and the server are crates of their own, and they are a module instead of a feature
//! because a feature does not separate anything: Cargo unifies features, so that every program that
//! contains the engine would see these names at the root anyway, and documentation would have to explain
//! two shapes of the crate.
//!
//! The structs are exhaustive where a store must supply every field: a new field must break its build.

pub use crate::cursor::Epoch;
pub use crate::digest::{Digest, Digests};
pub use crate::encoding::EventFields;
pub use crate::policy::Policy;
