//! Every target with the fuzzer's corpus, and with variations of it.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use super::{TARGETS, Target};

/// Words that are likely to be misread.
const WORDS: &[&str] = &[
    "",
    "0",
    "-1",
    "1e400",
    "18446744073709551616",
    "null",
    "true",
    "\"",
    "\\u0000",
    "\\ud800",
    "{}",
    "[]",
    "[",
    "}",
    ",",
    ":",
    "é",
    "\u{202e}",
    "\u{feff}",
    "\0",
    "\n",
    "%00",
    "%",
    "+",
    "&",
    "=",
    ";",
    ".",
    "-",
    "://",
    "earliest",
    "system",
    "00000000-0000-0000-0000-000000000000",
    "7b1d2c3e-0000-4000-8000-000000000001",
    "9999-12-31T23:59:59.999999999Z",
    "0001-01-01T00:00:00Z",
    "none",
    "HS256",
    "Bearer ",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "__Host-tidings-000000000000=",
    "tidings-session-000000000000=",
];

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The files of a target's corpus, sorted, so that a seed always names the same.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("corpus").join(name);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has no corpus");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// One change of an input.
#[derive(Clone, Debug)]
enum Edit {
    Remove(Index, Index),
    Repeat(Index, Index),
    Insert(Index, Vec<u8>),
    Replace(Index, u8),
    /// The input's end is that of another.
    Graft(Index, Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    let word = prop::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec());
    let bytes = prop::collection::vec(any::<u8>(), 1..8);
    let inserted = prop_oneof![3 => word, 1 => bytes];
    prop_oneof![
        (place(), place()).prop_map(|(from, to)| Edit::Remove(from, to)),
        (place(), place()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        (place(), inserted).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (place(), place(), place()).prop_map(|(at, other, from)| Edit::Graft(at, other, from)),
    ]
}

impl Edit {
    fn apply(&self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        // A position can be the end.
        let place = |index: &Index, input: &[u8]| index.index(input.len() + 1);
        let range = |one: &Index, two: &Index, input: &[u8]| {
            let (one, two) = (place(one, input), place(two, input));
            one.min(two)..one.max(two)
        };
        match self {
            Self::Remove(from, to) => drop(input.drain(range(from, to, input))),
            Self::Repeat(from, to) => input.extend_from_within(range(from, to, input)),
            Self::Insert(at, bytes) => {
                let at = place(at, input);
                input.splice(at..at, bytes.iter().copied());
            }
            Self::Replace(at, byte) if !input.is_empty() => {
                let at = at.index(input.len());
                input[at] = *byte;
            }
            Self::Replace(..) => {}
            Self::Graft(at, other, from) => {
                let other = other.get(corpus);
                input.truncate(place(at, input));
                input.extend_from_slice(&other[place(from, other)..]);
            }
        }
    }
}

fn input(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (any::<Index>(), prop::collection::vec(edit(), 1..6));
    let changed = changed.prop_map(move |(seed, edits)| {
        let mut input = seed.get(&corpus).clone();
        for edit in &edits {
            edit.apply(&mut input, &corpus);
        }
        input
    });
    let any_text = ".{0,60}".prop_map(String::into_bytes);
    let any_bytes = prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![8 => changed, 1 => any_text, 1 => any_bytes]
}

/// As text, which can be added to the corpus.
fn shown(input: &[u8]) -> String {
    format!("input {:?}", String::from_utf8_lossy(input))
}

fn check(name: &str, target: Target) {
    let corpus = corpus(name);
    for seed in &corpus {
        target(seed);
    }
    // Failing inputs are added to the corpus by hand.
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(fastrand::u64(..));
    }
    if let RngSeed::Fixed(seed) = config.rng_seed {
        print(name, seed);
    }
    let run = TestRunner::new(config).run(&input(corpus), |input| {
        let outcome = std::panic::catch_unwind(|| target(&input));
        outcome.map_err(|_| TestCaseError::fail(shown(&input)))
    });
    if let Err(error) = run {
        panic!("{name}: {error}");
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the test harness shows it if the test fails"
)]
fn print(name: &str, seed: u64) {
    eprintln!("{name}: PROPTEST_RNG_SEED={seed}");
}

macro_rules! properties {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                check(stringify!($target), super::$target);
            }
        )*

        #[test]
        fn every_target_is_checked() {
            let names = TARGETS.map(|(name, _)| name);
            assert_eq!(names, [$(stringify!($target)),*]);
        }
    };
}

properties! {
    batch caller change claims cursor event key_set last_event_id list_query revocation_list token update
}

/// The fuzzer runs the same functions: each has its program, which is in the manifest.
#[test]
fn every_target_is_fuzzed() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        let program = format!("fuzz_targets/{name}.rs");
        assert!(
            manifest.contains(&format!("path = \"{program}\"")),
            "{name}"
        );
        let source = fs::read_to_string(fuzz().join(program)).unwrap();
        assert!(source.contains(&format!("fuzzing::{name}(data)")), "{name}");
    }
    let programs = fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
    assert_eq!(programs.count(), TARGETS.len());
}
