//! The category and the action of a published event.

use std::str::FromStr;

use super::Judge;
use crate::given::Given;
use crate::name::{Action, Category, NameError};
use crate::quote::shortened;
use crate::warning::WarningCode;

pub(super) const NAME_REMEDY: &str =
    "write the name in snake_case, such as `remove_from_organization`";

/// The conversion of a text to a name, and the replacement of a missing name.
pub(super) struct Names<T> {
    meant_by: fn(&str) -> Option<T>,
    unknown: fn() -> T,
}

pub(super) const NAMES_OF_CATEGORY: Names<Category> = Names {
    meant_by: Category::meant_by,
    unknown: Category::unknown,
};

pub(super) const NAMES_OF_ACTION: Names<Action> = Names {
    meant_by: Action::meant_by,
    unknown: Action::unknown,
};

impl Judge {
    pub(super) fn name<T>(&mut self, field: &str, key: &str, given: Given<T>, names: &Names<T>) -> T
    where
        T: FromStr<Err = NameError> + std::fmt::Display,
    {
        let text = match given {
            Given::Value(name) => return name,
            Given::Malformed(text) => text,
            Given::Absent => {
                let unknown = (names.unknown)();
                if self.repairs() {
                    let message = format!("is missing; `{unknown}` is stored");
                    self.warn(field, WarningCode::Defaulted, message);
                } else {
                    self.reject(field, "is missing", NAME_REMEDY);
                }
                return unknown;
            }
        };
        if !self.repairs() {
            let fault = text.parse::<T>().err().map(|error| error.to_string());
            let fault = fault.unwrap_or_else(|| "could not be read".to_owned());
            self.reject(field, fault, NAME_REMEDY);
            return (names.unknown)();
        }
        let quoted = shortened(&text);
        // The name loses characters, so the text is kept in the metadata.
        if text.len() > NameError::MAX_BYTES || !text.is_ascii() {
            self.keep(key, &text);
        }
        if let Some(name) = (names.meant_by)(&text) {
            let message = format!("`{quoted}` is stored as `{name}`");
            self.warn(field, WarningCode::Converted, message);
            return name;
        }
        let unknown = (names.unknown)();
        let message = format!("`{quoted}` has no letter of a name; `{unknown}` is stored");
        self.warn(field, WarningCode::Defaulted, message);
        unknown
    }
}
