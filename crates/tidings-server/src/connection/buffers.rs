//! The sizes of buffers.

/// The buffer of each direction of a connection. Streams wait while it is full, and no head can be
/// larger.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// The most bytes that the kernel buffers for a slow client. It doubles the value for its own
/// bookkeeping.
pub(super) const SEND_BUFFER_BYTES: usize = 64 * 1024;
