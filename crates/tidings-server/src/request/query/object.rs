//! The parameter `filter`: an object with all of a list's parameters, as the published clients of newer
//! schemas send it.

use serde_json::value::RawValue;
use tidings_event::Violations;

use super::{MAX_PARAMETERS, find, remedy};
use crate::problem::quoted;
use crate::request::json;
use crate::request::parameters::Parameters;
use crate::request::spelling::{self, PAGING};

/// The parameter's name.
pub(super) const NAME: &str = "filter";

const REMEDY: &str = "write a JSON object with the list's parameters, or leave it out";

/// The field that says how large a page is.
const LIMIT: &str = "limit";

/// The field that says how many events to pass over.
const OFFSET: &str = "offset";

/// Reads the parameters in `text`. What is `null` or empty there is absent. `has_page` says that the
/// query has the page as well, of which these clients make `limit` and `offset`.
pub(super) fn read(
    text: &str,
    has_page: bool,
    given: &mut Parameters<'_>,
    violations: &mut Violations,
) {
    if text.is_empty() || matches!(text, "null" | "undefined") {
        return;
    }
    let Ok(fields) = json::fields(text, text, NAME, MAX_PARAMETERS) else {
        let fault = format!("({}) is not a JSON object", quoted(text));
        return violations.add(NAME, fault, REMEDY);
    };
    if fields.count > MAX_PARAMETERS {
        let fault = format!("has {} fields, more than {MAX_PARAMETERS}", fields.count);
        violations.add(NAME, fault, "leave some out");
    }
    for (name, value) in fields.first {
        let is_known_elsewhere = has_page && [LIMIT, OFFSET].contains(&name.as_str())
            || spelling::find(&spelling::IGNORED, &name).is_some();
        if is_nothing(value) || is_known_elsewhere {
            continue;
        }
        let parameter = match name.as_str() {
            LIMIT => spelling::find(&PAGING, "pagesize"),
            _ => find(&name),
        };
        match parameter {
            Some(parameter) if parameter.name != NAME => {
                given.insert_field(parameter, value, violations);
            }
            _ => {
                let field = format!("{NAME}.{}", quoted(&name));
                violations.add(field, "is not a parameter of the list", remedy(&name));
            }
        }
    }
}

/// Whether a value asks for nothing. Numbers that are 0 are those that a client has not set.
fn is_nothing(value: &RawValue) -> bool {
    let text = value.get();
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    matches!(text, "null" | "\"\"" | "0")
        || inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}
