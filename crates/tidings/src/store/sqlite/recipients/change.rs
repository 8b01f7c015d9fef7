//! Changes of an event for its whole audience, which begin with the record of the audience.

use rusqlite::{Transaction, params};
use tidings_event::{EventId, SystemId, Timestamp};
use uuid::Uuid;

use super::member::drop_unused;
use super::{add_content, find, text};
use crate::store::decide::audience::ContentStep;
use crate::store::moment::nanoseconds;
use crate::store::sqlite::row::{number_to_sql, uuid};
use crate::store::{
    Audience, AudienceChange, AudienceOutcome, AudienceRequest, BegunChange, SharedContent,
    new_content_key,
};

/// Begins a change of an event for its audience.
pub(in crate::store::sqlite) fn begin(
    transaction: &Transaction<'_>,
    request: &AudienceRequest,
) -> rusqlite::Result<AudienceOutcome> {
    let systems = systems(transaction, request.id)?;
    let is_of_publisher = |system: &SystemId| {
        let systems = request.systems.as_deref();
        systems.is_none_or(|systems| systems.contains(system))
    };
    let (ours, foreign): (Vec<_>, Vec<_>) = systems.into_iter().partition(is_of_publisher);
    let mut begun = Vec::new();
    let mut later = None;
    for system in ours {
        let Some(audience) = find(transaction, request.id, system)? else {
            continue;
        };
        match &request.change {
            AudienceChange::Retract(at) => {
                transaction
                    .prepare_cached(
                        "UPDATE audience SET retracted_at = coalesce(retracted_at, ?3) \
                         WHERE id = ?1 AND system_id = ?2",
                    )?
                    .execute((
                        request.id.as_uuid().as_bytes(),
                        system.as_uuid().as_bytes(),
                        nanoseconds(*at),
                    ))?;
                begun.push(BegunChange {
                    system,
                    content: None,
                });
            }
            AudienceChange::Update(update) => {
                match replace(transaction, (request.id, system), &audience, update)? {
                    Ok(content) => begun.push(BegunChange {
                        system,
                        content: Some(content),
                    }),
                    Err(ContentStep::Later(number)) => later = Some(number),
                    Err(_) => {}
                }
            }
        }
    }
    Ok(match (begun.is_empty(), later, foreign.first()) {
        (false, ..) => AudienceOutcome::Begun(begun),
        (true, Some(number), _) => AudienceOutcome::Later(number),
        (true, None, Some(system)) => AudienceOutcome::ForeignSystem(*system),
        (true, None, None) => AudienceOutcome::NotFound,
    })
}

/// The publishers of an id to audiences, sorted.
fn systems(transaction: &Transaction<'_>, id: EventId) -> rusqlite::Result<Vec<SystemId>> {
    transaction
        .prepare_cached("SELECT system_id FROM audience WHERE id = ?1 ORDER BY system_id")?
        .query_map([id.as_uuid().as_bytes()], |row| {
            Ok(SystemId::from(uuid(row, 0)?))
        })?
        .collect()
}

/// Replaces the content that new owners get, unless they get this or a later one already. Returns its key.
fn replace(
    transaction: &Transaction<'_>,
    (id, system): (EventId, SystemId),
    audience: &Audience,
    update: &SharedContent,
) -> rusqlite::Result<Result<Uuid, ContentStep>> {
    let Some(content) = audience.content else {
        return Ok(Err(ContentStep::Gone));
    };
    let (description, metadata) = text(transaction, content)?;
    let is_same =
        *description == *update.description && metadata.as_deref() == update.metadata.as_deref();
    let content = match audience.step(update, is_same) {
        ContentStep::Replace => {
            // Each audience has its own: others can change at another time.
            let key = new_content_key();
            let metadata = update.metadata.as_deref();
            add_content(transaction, key, &update.description, metadata)?;
            key
        }
        ContentStep::Continue => content,
        other => return Ok(Err(other)),
    };
    transaction
        .prepare_cached(
            "UPDATE audience SET content = ?3, severity = ?4, sequence = coalesce(?5, sequence) \
             WHERE id = ?1 AND system_id = ?2",
        )?
        .execute(params![
            id.as_uuid().as_bytes(),
            system.as_uuid().as_bytes(),
            content.as_bytes(),
            update.severity.as_str(),
            update.sequence.map(number_to_sql),
        ])?;
    if let Some(before) = audience.content.filter(|before| *before != content) {
        drop_unused(transaction, before)?;
    }
    Ok(Ok(content))
}

/// Forgets retractions before a moment, of which no owner has the event any more.
pub(in crate::store::sqlite) fn forget_retractions(
    transaction: &Transaction<'_>,
    before: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM audience WHERE key IN (SELECT key FROM audience \
             INDEXED BY audience_by_retraction WHERE retracted_at < ?1 AND members = 0 LIMIT 512)",
        )?
        .execute([nanoseconds(before)])?;
    Ok(())
}
