//! The OpenAPI schema of the counts in a frame.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use crate::severity::Severity;

/// The difference that a change made to the counts, as part of a frame.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the struct only describes `Option<CountDelta>`")]
pub(crate) struct FrameCounts {
    /// The difference in unread events by severity. Absent while the stream catches up.
    #[schema(nullable = false)]
    unread: Option<BTreeMap<Severity, i64>>,
    /// The difference in read events by severity. Absent while the stream catches up.
    #[schema(nullable = false)]
    read: Option<BTreeMap<Severity, i64>>,
}
