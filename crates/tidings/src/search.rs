//! The meaning of a search, and the blocks of events that it can skip.
//!
//! Texts are compared folded: upper and lower case of any script are the same. The store keeps a
//! [`GramFilter`] for each block of consecutive events, which says of any run of one, two or three
//! letters whether it may occur in them.

/// The size of a filter, in bytes. With [`MAX_GRAMS`] bits of it set, that is one in six; so a word of
/// six letters that does not occur is passed over in more than 999 of 1,000 blocks.
pub(crate) const FILTER_BYTES: usize = 2048;

/// A block ends with the event that passes this number of bits.
const MAX_GRAMS: usize = 3_000;

/// A block ends with this number of events, all of which are read where the filter says "perhaps".
const MAX_EVENTS: usize = 256;

/// A text without its case, by Unicode's full mappings, letter by letter: down, up and down again, so
/// that letters with two lower forms, such as the final sigma, have one, and `ß` and `ẞ` are `ss`. Accents
/// count, and a letter with one is another than the same letter followed by it.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether `text` contains `needle`, which is folded already.
pub(crate) fn contains_folded(text: &str, needle: &str) -> bool {
    if text.is_ascii() {
        // Without a folded copy. In the folded form of such a text there is nothing but ASCII.
        let mut runs = text.as_bytes().windows(needle.len().max(1));
        return needle.is_empty()
            || (needle.is_ascii() && runs.any(|run| run.eq_ignore_ascii_case(needle.as_bytes())));
    }
    fold(text).contains(needle)
}

/// Which runs of letters may occur in a block of texts: a Bloom filter with one hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GramFilter(Box<Words>);

/// The bits of a filter; stored, the first eight of each are its first byte.
type Words = [u64; FILTER_BYTES / 8];

impl GramFilter {
    fn new() -> Self {
        Self(Box::new([0; FILTER_BYTES / 8]))
    }

    /// A filter as it was stored; one of another size lets everything through.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut filter = Self(Box::new([u64::MAX; FILTER_BYTES / 8]));
        if bytes.len() == FILTER_BYTES {
            let (stored, _) = bytes.as_chunks();
            for (word, stored) in filter.0.iter_mut().zip(stored) {
                *word = u64::from_le_bytes(*stored);
            }
        }
        filter
    }

    /// The bytes to store.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The filter with a further text.
    pub(crate) fn with_text(mut self, text: &str) -> Self {
        self.add(&fold(text));
        self
    }

    /// Adds a folded text; how many bits that set.
    fn add(&mut self, text: &str) -> usize {
        let mut set = 0;
        // The runs of one and of two letters that end with the letter before.
        let (mut one, mut two) = (None, None);
        for letter in text.chars() {
            if let Some(begun) = two {
                set += self.set(with_letter(begun, letter), 3);
            }
            two = one.map(|begun| with_letter(begun, letter));
            if let Some(run) = two {
                set += self.set(run, 2);
            }
            let run = with_letter(NO_LETTERS, letter);
            set += self.set(run, 1);
            one = Some(run);
        }
        set
    }

    /// Adds a run of `letters` letters. Returns the number of bits that it set. It is called for every part of
    /// every event; inlined, the number of letters is a constant.
    #[inline(always)]
    fn set(&mut self, hash: u64, letters: usize) -> usize {
        let mut set = 0;
        for (word, bit) in places(hash, letters) {
            let bits = &mut self.0[word];
            if *bits >> bit & 1 == 0 {
                *bits |= 1 << bit;
                set += 1;
            }
        }
        set
    }

    /// Whether a folded text may occur in the block.
    pub(crate) fn may_contain(&self, needle: &str) -> bool {
        bits_of(needle).all(|bit| self.0[bit / 64] >> (bit % 64) & 1 != 0)
    }
}

/// The bits that a filter has if a folded text may occur in its block: the number of each in the stored bytes,
/// whose lowest bits are the first. Of the empty text, which occurs everywhere, there are none.
pub(crate) fn bits_of(needle: &str) -> impl Iterator<Item = usize> {
    let letters: Vec<char> = needle.chars().collect();
    let length = letters.len().min(LONGEST_GRAM);
    let runs = match length {
        0 => 0,
        _ => letters.len() - length + 1,
    };
    (0..runs).flat_map(move |start| {
        let gram = &letters[start..start + length];
        let hash = gram.iter().copied().fold(NO_LETTERS, with_letter);
        places(hash, length).map(|(word, bit)| word * 64 + bit)
    })
}

const LONGEST_GRAM: usize = 3;

/// The bits of a run of letters: one of a run of three, of which a search has several; two of a
/// shorter one, which is all that a search for it has.
fn places(hash: u64, letters: usize) -> impl Iterator<Item = (usize, usize)> {
    let number = if letters < LONGEST_GRAM { 2 } else { 1 };
    // The upper half is as well mixed as the lower one.
    [hash, hash >> 32].into_iter().take(number).map(|half| {
        let bit = (half & 0xffff_ffff) as usize % (FILTER_BYTES * 8);
        (bit / 64, bit % 64)
    })
}

/// The hash of a run without letters.
const NO_LETTERS: u64 = 0;

/// The hash of a run that continues with `letter`, by one multiplication (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4): each run begins those that are longer, so that all runs of a text
/// cost three a letter. It is stored in filters: another hash needs a migration that empties them.
fn with_letter(hash: u64, letter: char) -> u64 {
    // 2^64 divided by the golden ratio.
    let mixed = (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // A product's lower bits depend on few of its factors' bits, its upper ones on all of them.
    mixed ^ (mixed >> 32)
}

/// A block that is being filled.
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    filter: GramFilter,
    grams: usize,
    events: usize,
}

impl BlockBuilder {
    pub(crate) fn new() -> Self {
        Self {
            filter: GramFilter::new(),
            grams: 0,
            events: 0,
        }
    }

    /// Adds the description of an event.
    pub(crate) fn add(&mut self, description: &str) {
        self.grams += self.filter.add(&fold(description));
        self.events += 1;
    }

    /// Whether the block takes no more.
    pub(crate) fn is_full(&self) -> bool {
        self.events >= MAX_EVENTS || self.grams >= MAX_GRAMS
    }

    pub(crate) fn finish(self) -> GramFilter {
        self.filter
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_is_nothing_in_any_script() {
        for (text, needle) in [
            ("Could NOT deploy", "not dep"),
            ("ÄRGER mit Straße", "ärger MIT strasse"),
            ("STRAẞE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("οδός", "ΟΔΌΣ"),
            ("Запуск НЕ удался", "не УДАЛСЯ"),
            ("100% of_it", "% of_"),
            ("デプロイ失敗", "失敗"),
        ] {
            assert!(contains_folded(text, &fold(needle)), "{needle} in {text}");
        }
        assert!(!contains_folded("100 percent", &fold("0%")));
        assert!(!contains_folded("abc", &fold("a_c")));
    }

    #[test]
    fn a_filter_passes_over_what_does_not_occur() {
        let mut block = BlockBuilder::new();
        let mut number = 0;
        while !block.is_full() {
            block.add(&format!("Deployed version {number} to cluster production"));
            number += 1;
        }
        assert_eq!(number, MAX_EVENTS);
        let filter = block.finish();
        assert!(filter.may_contain("version 17"));
        for absent in ["zebra", "quux", "失敗", "ж", "xq"] {
            assert!(!filter.may_contain(absent), "{absent}");
        }
    }

    #[test]
    fn long_texts_end_a_block_early() {
        let mut block = BlockBuilder::new();
        let text: String = ('\u{4e00}'..='\u{9fff}').take(1300).collect();
        block.add(&text);
        assert!(block.is_full());
    }

    /// Filters are stored: with other bits, those that are there would pass over what they should not.
    #[test]
    fn the_bits_of_a_text_stay_where_they_are() {
        let mut filter = GramFilter::new();
        let set = filter.add("Δop");
        let stored = filter.to_bytes();
        let bits = (0..FILTER_BYTES * 8).filter(|bit| stored[bit / 8] & (1 << (bit % 8)) != 0);
        let bits: Vec<usize> = bits.collect();
        let stored = [
            295, 1902, 2071, 2677, 3003, 4830, 7193, 8105, 8230, 11447, 12447,
        ];
        assert_eq!(bits, stored);
        assert_eq!(set, stored.len());
    }

    proptest! {
        #[test]
        fn what_a_text_contains_is_never_passed_over(
            texts in prop::collection::vec("\\PC{0,30}", 1..20),
            which in any::<prop::sample::Index>(),
            from in any::<prop::sample::Index>(),
            length in 1..8_usize,
        ) {
            let mut block = BlockBuilder::new();
            for text in &texts {
                block.add(text);
            }
            let filter = GramFilter::from_bytes(&block.finish().to_bytes());
            let letters: Vec<char> = texts[which.index(texts.len())].chars().collect();
            if !letters.is_empty() {
                let start = from.index(letters.len());
                let end = (start + length).min(letters.len());
                let needle: String = letters[start..end].iter().collect();
                let text = &texts[which.index(texts.len())];
                prop_assert!(contains_folded(text, &fold(&needle)));
                prop_assert!(filter.may_contain(&fold(&needle)));
            }
        }
    }
}
