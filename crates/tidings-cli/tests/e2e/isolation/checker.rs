//! Checks that a user receives only their own and the system's events, and in the end all of them.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::names::{self, SYSTEM};

/// Follows one user's stream.
pub(super) struct Checker {
    user: u32,
    /// The id of the installation, which belongs to no user.
    installation: Uuid,
    /// The last part of all cursors of this user.
    tag: Option<String>,
    cursor: String,
    /// The user's events by the stream, with the status of each.
    inbox: BTreeMap<Uuid, String>,
}

/// The kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A comment, such as a keepalive.
    Comment,
    Frame,
    /// The token expires soon or has expired.
    Expiring,
    Reset,
}

impl Checker {
    pub(super) fn new(user: u32, installation: Uuid) -> Self {
        Self {
            user,
            installation,
            tag: None,
            cursor: "earliest".to_owned(),
            inbox: BTreeMap::new(),
        }
    }

    /// The cursor to continue from.
    pub(super) fn cursor(&self) -> &str {
        &self.cursor
    }

    pub(super) const fn user(&self) -> u32 {
        self.user
    }

    pub(super) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    pub(super) const fn inbox(&self) -> &BTreeMap<Uuid, String> {
        &self.inbox
    }

    /// Checks every byte of a block and applies its frame.
    pub(super) fn take(&mut self, block: &[u8]) -> Seen {
        self.check_names(block);
        let text = std::str::from_utf8(block).expect("the stream is UTF-8");
        let (mut id, mut name, mut data) = ("", "", None);
        for line in text.trim_end_matches('\n').lines() {
            match line.split_once(": ") {
                Some(("id", value)) => id = value,
                Some(("event", value)) => name = value,
                Some(("data", value)) => {
                    data = Some(serde_json::from_str(value).expect("the data is JSON"));
                }
                Some(("retry", value)) => {
                    value.parse::<u32>().expect("a time to wait is a number");
                }
                Some(("", "keepalive")) => {}
                _ => panic!("user {}: unexpected line {line:?}", self.user),
            }
        }
        let Some(data) = data else {
            assert!(id.is_empty() && name.is_empty(), "no frame: {text:?}");
            return Seen::Comment;
        };
        self.move_to(id);
        self.apply(name, &data)
    }

    fn apply(&mut self, name: &str, data: &Value) -> Seen {
        match name {
            "" => {
                let owner = uuid(&data["owner"]);
                let of_system = owner == self.installation;
                assert!(of_system || owner == names::owner(self.user), "{data}");
                let id = uuid(&data["id"]);
                let user = names::user_of(id).expect("every event is of this test");
                assert_eq!(user == SYSTEM, of_system, "{data}");
                let status = data["status"].as_str().expect("it has a status");
                self.inbox.insert(id, status.to_owned());
            }
            "status" => {
                let status = data["status"].as_str().expect("it has a status");
                for id in ids(data) {
                    if let Some(known) = self.inbox.get_mut(&id) {
                        status.clone_into(known);
                    }
                }
            }
            "deleted" => {
                for id in ids(data) {
                    self.inbox.remove(&id);
                }
            }
            "ready" | "live" => {}
            "expiring" => return Seen::Expiring,
            "reset" => return Seen::Reset,
            other => panic!("user {}: unexpected frame {other:?}", self.user),
        }
        Seen::Frame
    }

    /// Checks that every UUID in the block belongs to this user, the system or the installation.
    fn check_names(&self, block: &[u8]) {
        for name in names::all_in(block) {
            let allowed = match names::user_of(name) {
                Some(user) => user == self.user || user == SYSTEM,
                None => name == self.installation,
            };
            let shown = String::from_utf8_lossy(block);
            assert!(allowed, "user {} received {name}: {shown}", self.user);
        }
    }

    fn move_to(&mut self, cursor: &str) {
        let tag = cursor.rsplit('-').next().expect("a text has a last part");
        let known = self.tag.get_or_insert_with(|| tag.to_owned());
        assert_eq!(known, tag, "user {} received {cursor}", self.user);
        cursor.clone_into(&mut self.cursor);
    }
}

fn ids(data: &Value) -> impl Iterator<Item = Uuid> {
    let ids = data["ids"].as_array().expect("it names events");
    ids.iter().map(uuid)
}

pub(super) fn uuid(value: &Value) -> Uuid {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    text.parse().expect("it is a UUID")
}
