//! The parameter `filter`: an object with the parameters of a list, as the published clients of newer
//! schemas send it.

use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_event::{OwnerKind, OwnerName, Violations};

use super::Viewer;
use super::names::{MAX_PARAMETERS, find, remedy};
use crate::problem::quoted;
use crate::request::json;
use crate::request::parameters::Parameters;
use crate::request::spelling::{self, PAGING};

/// The parameter's name.
pub(super) const NAME: &str = "filter";

const REMEDY: &str = "write a JSON object with the list's parameters, or leave `filter` out";

/// The field with the size of a page.
const LIMIT: &str = "limit";

/// The field with the number of events to skip.
const OFFSET: &str = "offset";

/// The field that names owners, as clients of Meshery Cloud send it.
const OWNER: &str = "owner";

/// The request that the object belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// Whether the query names the page, from which these clients derive `limit` and `offset`.
    pub(super) has_page: bool,
    /// The caller of the list; `None` if the request returns no list.
    pub(super) viewer: Option<Viewer>,
}

/// Reads the parameters in `text`. A field that is `null` or empty is absent.
pub(super) fn read(
    text: &str,
    context: Context,
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
        let is_known_elsewhere = context.has_page && [LIMIT, OFFSET].contains(&name.as_str())
            || spelling::find(&spelling::IGNORED, &name).is_some();
        if is_nothing(value) || is_known_elsewhere {
            continue;
        }
        if name == OWNER
            && let Some(viewer) = context.viewer
            && let Ok(Owners(owners)) = serde_json::from_str(value.get())
        {
            given.insert_owner_kinds(owners.iter().map(|owner| viewer.kind_of(owner)));
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

/// One owner, or several.
#[derive(Deserialize)]
#[serde(from = "OneOrMany")]
struct Owners(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Owners {
    fn from(owners: OneOrMany) -> Self {
        match owners {
            OneOrMany::One(owner) => Self(vec![owner]),
            OneOrMany::Many(owners) => Self(owners),
        }
    }
}

impl Viewer {
    /// Whether an owner is the viewer or the system. The events of any other owner are invisible.
    fn kind_of(self, owner: &str) -> Option<OwnerKind> {
        match owner.parse() {
            Ok(OwnerName::User(owner)) if owner == self.owner => Some(OwnerKind::User),
            Ok(OwnerName::User(owner)) if owner == self.system => Some(OwnerKind::System),
            Ok(OwnerName::System) => Some(OwnerKind::System),
            Ok(OwnerName::User(_)) | Err(_) => None,
        }
    }
}

/// Whether a value is absent. A 0 is a number that the client has not set.
fn is_nothing(value: &RawValue) -> bool {
    let text = value.get();
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    matches!(text, "null" | "\"\"" | "0")
        || inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}
