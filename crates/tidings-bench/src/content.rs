//! The events of the benchmarks: the same content over HTTP, in the engine and in raw rows.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use uuid::Uuid;

/// The user of the server's local identity, the owner of every event by default.
pub(crate) const LOCAL_USER: Uuid = Uuid::from_u128(0x6c6f_6361_6c00_4000_8000_0000_0000_0001);
pub(crate) const ACTED_UPON: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_0001);
pub(crate) const CATEGORY: &str = "deployment";
pub(crate) const ACTION: &str = "apply";
pub(crate) const SEVERITY: &str = "informational";
pub(crate) const DESCRIPTION: &str = "Applied design \"storefront\" to cluster \"eu-west-1\": 12 \
     components created, 3 updated, 0 unchanged";

/// The stored cause of an event with severity error.
pub(crate) const FAILURE: &str = r#"{"error":{"Code":"cluster-1021","Severity":"ERROR","ShortDescription":["The cluster did not answer"],"LongDescription":["dial tcp: i/o timeout"],"ProbableCause":["The cluster is stopped"],"SuggestedRemediation":["Start the cluster, then try again"]}}"#;

/// Descriptions that differ like those of a real server, in names, numbers and random suffixes.
#[derive(Debug, Default)]
pub(crate) struct Description(String);

impl Description {
    /// A word that occurs only where it is requested.
    pub(crate) const RARE_WORD: &str = "quarantined";
    /// The start of that word, which occurs in no other.
    pub(crate) const RARE_LETTERS: &str = "qu";
    /// A word in one description of four.
    pub(crate) const COMMON_WORD: &str = "deployed";
    /// Two letters that occur in many descriptions.
    pub(crate) const COMMON_LETTERS: &str = "eu";
    /// A word that occurs in none.
    pub(crate) const ABSENT_WORD: &str = "zeppelin";

    const DESIGNS: [&str; 8] = [
        "storefront",
        "billing",
        "search",
        "telemetry",
        "checkout",
        "gateway",
        "catalog",
        "identity",
    ];
    const CLUSTERS: [&str; 5] = [
        "eu-west-1",
        "eu-central-1",
        "us-east-2",
        "ap-south-1",
        "staging",
    ];
    /// The letters of random names in Kubernetes, without vowels, so that they form no words.
    const RANDOM: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

    /// Makes the next description. Returns the category and action of its event.
    pub(crate) fn make(
        &mut self,
        random: &mut Rng,
        has_rare_word: bool,
    ) -> (&'static str, &'static str) {
        let design = Self::DESIGNS[random.usize(..Self::DESIGNS.len())];
        let cluster = Self::CLUSTERS[random.usize(..Self::CLUSTERS.len())];
        let number = random.u16(..1000);
        let text = &mut self.0;
        text.clear();
        let (kind, written) = match random.u8(..4) {
            0 => (
                ("deployment", "apply"),
                write!(
                    text,
                    "Deployed version {number} of design \"{design}\" to cluster \"{cluster}\": \
                     {} components created, {} unchanged",
                    random.u8(..40),
                    random.u8(..40)
                ),
            ),
            1 => (
                ("connection", "register"),
                write!(
                    text,
                    "Registered connection \"{design}-{number}\" in cluster \"{cluster}\""
                ),
            ),
            2 => {
                let mut ending = || char::from(Self::RANDOM[random.usize(..Self::RANDOM.len())]);
                let ending: String = (0..5).map(|_| ending()).collect();
                (
                    ("pod", "restart"),
                    write!(
                        text,
                        "Pod {design}-{ending} in cluster \"{cluster}\" was restarted, {number} \
                         times by now"
                    ),
                )
            }
            _ => (
                ("cluster", "ping"),
                write!(
                    text,
                    "Cluster \"{cluster}\" answered at 10.{}.{}.{}:6443 within {number} ms",
                    random.u8(..),
                    random.u8(..),
                    random.u8(..)
                ),
            ),
        };
        written.expect("a string takes all that is written to it");
        if has_rare_word {
            text.push_str("; the image was ");
            text.push_str(Self::RARE_WORD);
        }
        kind
    }

    /// The description that was made last.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// A time-ordered id. It is not minted with `uuid`, because the load generator must not wait for
/// random bytes.
pub(crate) fn mint_id() -> Uuid {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let milliseconds = u64::try_from(since_1970.as_millis()).unwrap_or(0);
    // Version and variant take bits of the first three bytes.
    let mut rest = [0; 10];
    rest[3..].copy_from_slice(&number[1..]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &rest).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_valid() {
        let (first, second) = (mint_id(), mint_id());
        assert_ne!(first, second);
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn only_rare_descriptions_have_the_rare_word() {
        let mut random = Rng::with_seed(1);
        let mut description = Description::default();
        let mut number_of = |rare: bool, text: &str| {
            let texts = (0..10_000).map(|_| {
                description.make(&mut random, rare);
                description.text().to_lowercase()
            });
            texts.filter(|made| made.contains(text)).count()
        };
        assert_eq!(number_of(false, Description::RARE_LETTERS), 0);
        assert_eq!(number_of(true, Description::RARE_WORD), 10_000);
        assert_eq!(number_of(true, Description::ABSENT_WORD), 0);
        assert!((2_000..3_000).contains(&number_of(false, Description::COMMON_WORD)));
        assert!((2_000..6_000).contains(&number_of(false, Description::COMMON_LETTERS)));
    }
}
