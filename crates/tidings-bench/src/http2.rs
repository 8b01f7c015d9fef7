//! As much of HTTP/2 (RFC 9113) as the load generator speaks: frames, and requests without a body.

pub(crate) const HEADERS: u8 = 1;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const ACKNOWLEDGED: u8 = 1;
/// The flags `END_HEADERS` and `END_STREAM`: a complete head without a body.
pub(crate) const WHOLE: u8 = 0x5;

/// The first bytes of a connection.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The head of a request over TLS. Two indexed fields, `GET` and `https`, then literal fields without
/// indexing (RFC 7541 §6.2.2).
pub(crate) fn head(path: &str, authority: &str, token: &str) -> Vec<u8> {
    let mut head = vec![0x82, 0x87];
    for (name, value) in [
        (":path", path),
        (":authority", authority),
        ("authorization", &*format!("Bearer {token}")),
    ] {
        head.push(0);
        put_text(&mut head, name);
        put_text(&mut head, value);
    }
    head
}

/// Appends a string literal without Huffman coding (RFC 7541 §5.2).
fn put_text(head: &mut Vec<u8>, text: &str) {
    let mut left = text.len();
    if left < 0x7f {
        head.push(u8::try_from(left).unwrap_or(0));
    } else {
        head.push(0x7f);
        left -= 0x7f;
        while left >= 0x80 {
            head.push(u8::try_from(left % 0x80).unwrap_or(0) | 0x80);
            left /= 0x80;
        }
        head.push(u8::try_from(left).unwrap_or(0));
    }
    head.extend(text.as_bytes());
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
