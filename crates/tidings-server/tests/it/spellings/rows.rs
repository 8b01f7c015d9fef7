//! The parameters of the list with their spellings.

use super::{OPERATION, RESOURCE, SENDER};

/// A parameter of the list, with texts that mean the same.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Other names, besides those that differ only in case and separators.
    also: &'static [&'static str],
    pub(super) texts: &'static [&'static str],
    /// Whether it is a filter, which no other operation ignores.
    pub(super) narrows: bool,
}

const fn filter(
    name: &'static str,
    also: &'static [&'static str],
    texts: &'static [&'static str],
) -> Row {
    Row {
        name,
        also,
        texts,
        narrows: true,
    }
}

const fn paging(
    name: &'static str,
    also: &'static [&'static str],
    texts: &'static [&'static str],
) -> Row {
    Row {
        name,
        also,
        texts,
        narrows: false,
    }
}

pub(super) const ROWS: [Row; 17] = [
    filter(
        "status",
        &["statuses"],
        &["read", "[\"read\"]", "read,read"],
    ),
    filter(
        "severity",
        &["severities"],
        &[
            "warning",
            "[\"warning\"]",
            "\"warning\"",
            "warning,debug",
            "debug, warning,",
        ],
    ),
    filter(
        "category",
        &["categories"],
        &["other", "[\"other\"]", "Free text,other"],
    ),
    filter(
        "action",
        &["actions"],
        &["other", "[\"other\",\"Free, text\"]"],
    ),
    filter(
        "actedUpon",
        &[],
        &[RESOURCE, "[\"7b1d2c3e-0000-4000-8000-00000000000a\"]"],
    ),
    filter(
        "systemId",
        &[],
        &[SENDER, "[\"7b1d2c3e-0000-4000-8000-00000000000c\"]"],
    ),
    filter("ownerKind", &[], &["system", "[\"system\"]"]),
    filter(
        "operationId",
        &[],
        &[OPERATION, "[\"7b1d2c3e-0000-4000-8000-00000000000b\"]"],
    ),
    filter(
        "from",
        &[],
        &["2200-01-01T00:00:00Z", "2200-01-01T01:00:00%2B01:00"],
    ),
    filter("to", &[], &["2026-08-02T00:00:00Z"]),
    filter("search", &[], &["needle", "NEEDLE"]),
    paging("page", &[], &["1"]),
    paging("pagesize", &["perPage"], &["1"]),
    paging(
        "sort",
        &["sortBy", "sortOn"],
        &["created_at", "createdAt", "CREATED_AT", "created_at asc"],
    ),
    paging("order", &["orderBy"], &["desc", "DESC", "updated_at desc"]),
    paging("count", &[], &["none"]),
    filter(
        "filter",
        &["filters"],
        &[
            "{\"severity\":\"warning\"}",
            "{\"Severities\":[\"warning\"],\"limit\":0}",
        ],
    ),
];

impl Row {
    /// The parameter's name as clients write it.
    pub(super) fn spellings(&self) -> Vec<String> {
        let mut spellings = Vec::new();
        for name in [self.name].iter().chain(self.also) {
            let separated = |separator: char| {
                let mut written = String::new();
                for letter in name.chars() {
                    if letter.is_ascii_uppercase() {
                        written.push(separator);
                    }
                    written.push(letter.to_ascii_lowercase());
                }
                written
            };
            let mut pascal = (*name).to_owned();
            pascal[..1].make_ascii_uppercase();
            spellings.extend([
                (*name).to_owned(),
                separated('_'),
                separated('-'),
                separated('_').to_uppercase(),
                name.to_lowercase(),
                pascal,
                format!("{name}[]"),
                format!("{name}[0]"),
            ]);
            if self.name != "filter" {
                spellings.push(format!("filter[{name}]"));
                spellings.push(format!("filter.{}", separated('_')));
            }
        }
        // Some clients write `pagesize` as two words.
        if self.name == "pagesize" {
            spellings.extend([
                "pageSize".to_owned(),
                "page_size".to_owned(),
                "page-size".to_owned(),
            ]);
        }
        spellings
    }
}
