//! Counting deliveries in a stream of bytes.

/// Counts the deliveries of a stream, wherever its reads end.
#[derive(Debug)]
pub(crate) struct Scan {
    delivery: Delivery,
    /// Whether the current line has started.
    within_line: bool,
    /// The first byte of the last line that has started.
    began_with: u8,
}

/// The form of a delivery on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// A frame of server-sent events, which ends with an empty line. Chunk headers end in `\r\n`, so they
    /// cannot be mistaken for one. Only frames whose last field is `data` count, so comments and `retry`
    /// do not.
    Frame,
    /// A line that starts with this byte.
    Line(u8),
}

impl Scan {
    pub(crate) const fn new(delivery: Delivery) -> Self {
        Self {
            delivery,
            within_line: false,
            began_with: 0,
        }
    }

    /// Counts the deliveries that end in `bytes`, which continue the previous ones.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> u64 {
        let mut deliveries = 0;
        while let Some(first) = bytes.first() {
            if !self.within_line {
                if *first == b'\n' {
                    let frame = self.delivery == Delivery::Frame && self.began_with == b'd';
                    deliveries += u64::from(frame);
                    self.began_with = 0;
                    bytes = &bytes[1..];
                    continue;
                }
                self.within_line = true;
                self.began_with = *first;
            }
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            deliveries += u64::from(self.delivery == Delivery::Line(self.began_with));
            self.within_line = false;
            bytes = &bytes[end + 1..];
        }
        deliveries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n\
        c\r\nretry: 2731\n\r\n\
        d7\r\nevent: ready\nid: 1-2-x\ndata: {}\n\n\r\n\
        c\r\n: keepalive\n\r\n\
        d9\r\nid: 2-2-x\ndata: {\"a\":\"\\n\"}\n\nid: 3-2-x\ndata: {}\n\n\r\n";

    const LINES: &[u8] = b"MSG user 1 9\r\n{\"a\":\"{\"}\r\nPING\r\nMSG user 1 2\r\n{}\r\n";

    #[test]
    fn it_does_not_matter_where_reads_end() {
        for (stream, delivery, expected) in [
            (STREAM, Delivery::Frame, 3),
            (LINES, Delivery::Line(b'{'), 2),
        ] {
            for size in 1..=stream.len() {
                let mut scan = Scan::new(delivery);
                let counted: u64 = stream.chunks(size).map(|piece| scan.scan(piece)).sum();
                assert_eq!(counted, expected, "in pieces of {size}");
            }
        }
    }
}
