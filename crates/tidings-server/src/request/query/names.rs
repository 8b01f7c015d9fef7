//! The names of the list's parameters.

use crate::request::spelling::{self, FILTERS, PAGING, Parameter};

/// More parameters than any client sends. Further ones are not read.
pub(super) const MAX_PARAMETERS: usize = 50;

/// The documented names of the list's parameters.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    let all = PAGING.iter().chain(&FILTERS);
    all.map(|parameter| parameter.name)
}

/// The parameter of the list with this name, in any spelling.
pub(super) fn find(name: &str) -> Option<&'static Parameter> {
    spelling::find(&FILTERS, name).or_else(|| spelling::find(&PAGING, name))
}

/// The remedy for an unknown parameter of the list.
pub(super) fn remedy(name: &str) -> String {
    let filter = spelling::suggestion(&FILTERS, name);
    match filter.or_else(|| spelling::suggestion(&PAGING, name)) {
        Some(meant) => format!("write `{meant}`, or leave the parameter out"),
        None => {
            let known: Vec<_> = known().collect();
            format!(
                "leave the parameter out; known names are {}",
                known.join(", ")
            )
        }
    }
}
