//! What may be in the tree although it should not, and why.

/// The licences that need nothing but what the notices already give, as SPDX writes them, and what each
/// asks for. Of a choice one has to be here, of several that hold together each.
pub(super) const LICENCES: &[(&str, &str)] = &[
    ("Apache-2.0", "our own"),
    (
        "Apache-2.0 WITH LLVM-exception",
        "ours, with less to ask for",
    ),
    ("BSD-3-Clause", "its notice"),
    (
        "CDLA-Permissive-2.0",
        "for data: its text beside the data, here the list of root certificates",
    ),
    ("ISC", "its notice"),
    ("MIT", "its notice"),
    (
        "Unicode-3.0",
        "its notice, for the tables of letters in `icu_*`",
    ),
    ("Zlib", "no notice in what is built"),
];

/// A version of a crate that is there beside a newer one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duplicate {
    pub(super) name: &'static str,
    /// As in a manifest: `0.22` means any 0.22.x.
    pub(super) version: &'static str,
    /// Who needs it; what has to happen until this entry can go.
    pub(super) why: &'static str,
}

const fn duplicate(name: &'static str, version: &'static str, why: &'static str) -> Duplicate {
    Duplicate { name, version, why }
}

/// All of them. One that is no duplicate any more is refused, so this shrinks by itself.
pub(super) const DUPLICATES: &[Duplicate] = &[
    duplicate(
        "base64",
        "0.22",
        "jsonwebtoken 11 and k8s-openapi 0.29; until both use 0.23",
    ),
    duplicate(
        "getrandom",
        "0.2",
        "jsonwebtoken 11 and ring 0.17; until both use 0.4",
    ),
    duplicate(
        "hashbrown",
        "0.16",
        "governor 0.10 and rusqlite's VFS for the web; until both use 0.17",
    ),
    duplicate(
        "jiff",
        "0.2",
        "k8s-openapi and kube, for the example only; until they use 1",
    ),
    duplicate("jiff-core", "0.1", "a part of jiff 0.2, see there"),
    duplicate("jiff-static", "0.2", "a part of jiff 0.2, see there"),
    duplicate(
        "rand_core",
        "0.6",
        "the trait crate `signature` 2 of jsonwebtoken; until that uses 3",
    ),
    duplicate(
        "syn",
        "2",
        "macros of several crates, none of which is in what is built; until they use 3",
    ),
    duplicate(
        "synstructure",
        "0.13",
        "asn1-rs-derive, a macro for the certificates of the tests; until it uses 0.14",
    ),
    duplicate("tower-http", "0.6", "reqwest 0.13; until it uses 0.7"),
    duplicate("untrusted", "0.7", "aws-lc-rs 1; until it uses 0.9"),
    duplicate(
        "windows-sys",
        "0.52",
        "ring 0.17, on Windows only; until it uses 0.61",
    ),
];
