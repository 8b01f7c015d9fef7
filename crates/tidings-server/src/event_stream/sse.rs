//! Frames as Server-Sent Events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::fmt::Write;

use bytes::{BufMut as _, Bytes, BytesMut};
use tidings::wire::StreamFrame;
use tidings_event::{Cursor, StreamItem};

/// Room for the lines around the JSON: the longest `id:` line and the field names.
const ENVELOPE_BYTES: usize = 96;

/// Writes frames one after the other into one buffer.
pub(crate) fn frames(frames: &[StreamFrame]) -> Bytes {
    let sizes = frames
        .iter()
        .map(|frame| frame.data_bytes() + ENVELOPE_BYTES);
    let mut bytes = BytesMut::with_capacity(sizes.sum());
    for frame in frames {
        write(frame.cursor(), frame.name(), frame.pieces(), &mut bytes);
    }
    bytes.freeze()
}

/// Writes the frame of an item that does not come from a feed.
pub(crate) fn item(item: &StreamItem) -> Bytes {
    let data = item.data();
    let mut bytes = BytesMut::with_capacity(data.len() + ENVELOPE_BYTES);
    write(item.cursor(), item.name(), [data.as_bytes()], &mut bytes);
    bytes.freeze()
}

fn write<const N: usize>(cursor: Cursor, name: Option<&str>, json: [&[u8]; N], out: &mut BytesMut) {
    put_head(cursor, name, out);
    for piece in json {
        out.put_slice(piece);
    }
    out.put_slice(END);
}

/// Appends the part of a frame before its JSON.
pub(crate) fn put_head(cursor: Cursor, name: Option<&str>, out: &mut impl Write) {
    // Writing into memory cannot fail.
    let _ = writeln!(out, "id: {cursor}");
    if let Some(name) = name {
        let _ = writeln!(out, "event: {name}");
    }
    let _ = out.write_str("data: ");
}

/// The part of a frame after its JSON.
pub(crate) const END: &[u8] = b"\n\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_one_block() {
        let cursor = "2-1-00000000".parse().unwrap();
        let at = "2026-08-01T10:00:00Z".parse().unwrap();
        let bytes = item(&StreamItem::Expiring { cursor, at });
        let expected =
            "id: 2-1-00000000\nevent: expiring\ndata: {\"at\":\"2026-08-01T10:00:00Z\"}\n\n";
        assert_eq!(bytes, expected);
    }
}
