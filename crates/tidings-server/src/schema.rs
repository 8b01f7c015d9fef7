//! Schemas and examples for the documentation of bodies and parameters that are not read or written by
//! one type.

pub(crate) mod bodies;
pub(crate) mod changes;
pub(crate) mod errors;
pub(crate) mod examples;
pub(crate) mod parameters;
