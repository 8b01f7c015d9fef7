//! Numbers in the blobs of a feed's row: seven bits a byte, the lowest first.

use rusqlite::types::Type;

use super::fault::UnreadableColumn;

/// The bits of a number that a byte holds; the bit above says that another byte follows.
const BITS: u32 = 7;
const MORE: u8 = 1 << BITS;

/// Appends a number.
pub(super) fn put_number(to: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & u64::from(MORE - 1)).to_le_bytes()[0];
        number >>= BITS;
        if number == 0 {
            to.push(low);
            return;
        }
        to.push(low | MORE);
    }
}

/// Appends a number that can be negative. Those near 0 are short.
pub(super) fn put_signed(to: &mut Vec<u8>, number: i64) {
    put_number(
        to,
        (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned(),
    );
}

/// Reads a blob. Each part is `None` if the blob ends within it.
#[derive(Debug)]
pub(super) struct BlobReader<'a> {
    left: &'a [u8],
    bytes: usize,
}

impl<'a> BlobReader<'a> {
    pub(super) const fn new(blob: &'a [u8]) -> Self {
        Self {
            left: blob,
            bytes: blob.len(),
        }
    }

    /// How many bytes are read.
    pub(super) const fn position(&self) -> usize {
        self.bytes - self.left.len()
    }

    /// Whether all of it is read.
    pub(super) const fn is_at_end(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.left.split_first()?;
        self.left = rest;
        Some(*first)
    }

    pub(super) fn bytes(&mut self, number: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.left.split_at_checked(number)?;
        self.left = rest;
        Some(bytes)
    }

    /// A number that [`put_number`] wrote; `None` also if it is none of 64 bits.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(BITS as usize) {
            let byte = self.byte()?;
            let bits = u64::from(byte & (MORE - 1));
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & MORE == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number that [`put_signed`] wrote.
    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A count of things that take at least `bytes` bytes each; `None` if they do not fit in the rest.
    pub(super) fn count(&mut self, bytes: usize) -> Option<usize> {
        let number = usize::try_from(self.number()?).ok()?;
        (number.checked_mul(bytes)? <= self.left.len()).then_some(number)
    }
}

/// The error for a blob that no version of Tidings has written.
pub(super) fn unreadable(column: &'static str, index: usize, blob: &[u8]) -> rusqlite::Error {
    let shown = blob.iter().take(20).map(|byte| format!("{byte:02x}"));
    let value = format!("{} bytes, {}", blob.len(), shown.collect::<String>());
    let error = UnreadableColumn { column, value };
    rusqlite::Error::FromSqlConversionFailure(index, Type::Blob, error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, u64::MAX >> 1, u64::MAX] {
            let mut blob = Vec::new();
            put_number(&mut blob, number);
            put_signed(&mut blob, number.cast_signed());
            put_signed(&mut blob, number.cast_signed().wrapping_neg());
            let mut reader = BlobReader::new(&blob);
            assert_eq!(reader.number(), Some(number));
            assert_eq!(reader.signed(), Some(number.cast_signed()));
            assert_eq!(reader.signed(), Some(number.cast_signed().wrapping_neg()));
            assert!(reader.is_at_end());
        }
        let mut near = Vec::new();
        put_signed(&mut near, -64);
        assert_eq!(near.len(), 1);
    }

    #[test]
    fn numbers_of_more_than_64_bits_are_rejected() {
        let mut largest = Vec::new();
        put_number(&mut largest, u64::MAX);
        assert_eq!(largest.len(), 10);
        *largest.last_mut().unwrap() = 2;
        assert_eq!(BlobReader::new(&largest).number(), None);
        assert_eq!(BlobReader::new(&[0xFF; 30]).number(), None);
        assert_eq!(BlobReader::new(&[0x80]).number(), None);
    }

    #[test]
    fn counts_are_bounded_by_the_blob() {
        assert_eq!(BlobReader::new(&[2, 0, 0]).count(1), Some(2));
        assert_eq!(BlobReader::new(&[3, 0, 0]).count(1), None);
        let mut huge = Vec::new();
        put_number(&mut huge, u64::MAX);
        assert_eq!(BlobReader::new(&huge).count(8), None);
    }
}
