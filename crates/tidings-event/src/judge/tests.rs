//! Judging events: one file per subject.

mod causes;
mod digests;
mod fixture;
mod ids;
mod repairs;
mod sizes;
