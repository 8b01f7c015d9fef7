//! The counts of a feed as a blob.

use rusqlite::Row;

use super::blob::{BlobReader, put_number, unreadable};
use crate::store::kind::{Kind, KindCounts};

/// The first byte of a blob.
const VERSION: u8 = 1;

/// As the column `feed.counts` has them. No events are an empty blob.
pub(super) fn to_blob(counts: &KindCounts) -> Vec<u8> {
    let mut blob = Vec::new();
    if counts.total() > 0 {
        blob.push(VERSION);
        for count in counts.by_number() {
            put_number(&mut blob, *count);
        }
    }
    blob
}

/// Reads the column `index`.
pub(super) fn read(row: &Row<'_>, index: usize) -> rusqlite::Result<KindCounts> {
    let blob = row.get_ref(index)?.as_blob()?;
    from_blob(blob).ok_or_else(|| unreadable("counts", index, blob))
}

fn from_blob(blob: &[u8]) -> Option<KindCounts> {
    if blob.is_empty() {
        return Some(KindCounts::default());
    }
    let mut reader = BlobReader::new(blob);
    if reader.byte()? != VERSION {
        return None;
    }
    let mut counts = [0; Kind::NUMBER];
    let mut total = 0_u64;
    for count in &mut counts {
        *count = reader.number()?;
        total = total.checked_add(*count)?;
    }
    reader.is_at_end().then(|| counts.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_counts_are_an_empty_blob() {
        assert!(to_blob(&KindCounts::default()).is_empty());
    }

    proptest! {
        #[test]
        fn counts_come_back(counts: [u32; 16]) {
            let counts = KindCounts::from(counts.map(u64::from));
            let blob = to_blob(&counts);
            prop_assert_eq!(from_blob(&blob), Some(counts));
            for end in 1..blob.len() {
                prop_assert_eq!(from_blob(&blob[..end]), None);
            }
        }

        #[test]
        fn any_bytes_are_read_or_rejected(mut blob: Vec<u8>, version in 0_u8..3) {
            if let Some(first) = blob.first_mut() {
                *first = version;
            }
            if let Some(counts) = from_blob(&blob) {
                prop_assert!(blob.is_empty() || version == 1);
                prop_assert_eq!(from_blob(&to_blob(&counts)), Some(counts));
            }
        }
    }
}
