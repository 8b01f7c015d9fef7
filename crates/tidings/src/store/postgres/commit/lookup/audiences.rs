//! Makes, locks and reads the audiences of events that go to several owners.

use std::collections::BTreeMap;

use tidings_event::{EventId, SystemId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::store::moment::nanoseconds;
use crate::store::postgres::commit::columns::{digest, get};
use crate::store::postgres::commit::state::{AudienceState, State, Text};
use crate::store::postgres::commit::subjects::NewAudience;
use crate::store::postgres::row::{id, moment, number, optional_moment, severity, severity_number};
use crate::store::{Audience, StoreError};

/// Makes the audiences that are missing, and locks all.
pub(super) const MAKE: &str = "INSERT INTO audience (id, system_id, key, digest, created_at, severity) \
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::bigint[], $6::smallint[]) \
     ON CONFLICT (id, system_id) DO UPDATE SET members = audience.members \
     RETURNING id, system_id, content, digest, created_at, severity, sequence, retracted_at, members";

/// The audiences of events that may be updated or deleted.
pub(super) const LOCK: &str = "SELECT audience.id, audience.system_id, audience.content, \
     audience.digest, audience.created_at, audience.severity, audience.sequence, audience.retracted_at, \
     audience.members FROM unnest($1::uuid[]) AS k (id) CROSS JOIN LATERAL (SELECT * FROM audience \
     WHERE audience.id = k.id ORDER BY audience.system_id FOR UPDATE) AS audience";

/// The contents of locked audiences. A statement of its own, which sees what was committed before the locks.
pub(super) const TEXTS: &str = "SELECT content.key, content.description, content.metadata \
     FROM unnest($1::uuid[]) AS k (id) CROSS JOIN LATERAL (SELECT content FROM audience \
     WHERE audience.id = k.id) AS audience CROSS JOIN LATERAL (SELECT * FROM shared_content \
     WHERE shared_content.key = audience.content LIMIT 1) AS content";

/// The parameters of [`MAKE`].
pub(super) fn parameters(
    fanned: &BTreeMap<(EventId, SystemId), NewAudience>,
) -> Vec<Box<dyn ToSql + Sync + Send>> {
    let ids: Vec<Uuid> = fanned.keys().map(|(id, _)| *id.as_uuid()).collect();
    let systems: Vec<Uuid> = fanned.keys().map(|(_, system)| *system.as_uuid()).collect();
    let keys: Vec<Uuid> = fanned.values().map(|new| new.key).collect();
    let digests = fanned.values().map(|new| new.digest.as_bytes().to_vec());
    let digests: Vec<Vec<u8>> = digests.collect();
    let times: Vec<i64> = fanned
        .values()
        .map(|new| nanoseconds(new.created_at))
        .collect();
    let severities = fanned.values().map(|new| severity_number(new.severity));
    let severities: Vec<i16> = severities.collect();
    vec![
        Box::new(ids),
        Box::new(systems),
        Box::new(keys),
        Box::new(digests),
        Box::new(times),
        Box::new(severities),
    ]
}

/// Adds an audience to the state.
pub(super) fn read(row: &Row, state: &mut State<'_>) -> Result<(), StoreError> {
    let sequence: Option<i64> = get(row, 6)?;
    let record = Audience {
        content: get(row, 2)?,
        digest: digest(row, 3)?,
        created_at: moment(row, 4)?,
        severity: severity(row, 5)?,
        sequence: sequence.map(i64::unsigned_abs),
        retracted_at: optional_moment(row, 7)?,
        members: number(row, 8)?,
    };
    let audience = AudienceState {
        // Nobody else commits an audience without members, unless it is retracted.
        is_changed: record.members == 0 && record.retracted_at.is_none(),
        is_begun: false,
        record,
    };
    let system = SystemId::from(get::<Uuid>(row, 1)?);
    state.audiences.insert((id(row, 0)?, system), audience);
    Ok(())
}

/// Adds the content of an audience to the state.
pub(super) fn read_text(row: &Row, state: &mut State<'_>) -> Result<(), StoreError> {
    let text = Text {
        description: get(row, 1)?,
        metadata: get(row, 2)?,
        is_new: false,
    };
    state.texts.insert(get(row, 0)?, text);
    Ok(())
}
