//! The rows of an audience: what their changes and deletions do to it.

use rusqlite::{OptionalExtension as _, Row, Transaction};
use tidings_event::{EventId, SystemId};
use uuid::Uuid;

use super::{OWN_CONTENT, count_rows, find};
use crate::store::sqlite::row::uuid;

/// A row of an audience.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sqlite) struct Member {
    pub(in crate::store::sqlite) id: EventId,
    pub(in crate::store::sqlite) system: SystemId,
    /// The key of the content that it shares, if it does.
    pub(in crate::store::sqlite) content: Option<Uuid>,
}

impl Member {
    /// Reads the columns `shared, id, system_id`; `None` if the event is in no audience.
    pub(in crate::store::sqlite) fn read(
        row: &Row<'_>,
        index: usize,
    ) -> rusqlite::Result<Option<Self>> {
        let Some(shared) = row.get_ref(index)?.as_blob_or_null()? else {
            return Ok(None);
        };
        let content = match shared == OWN_CONTENT {
            true => None,
            false => Some(uuid(row, index)?),
        };
        Ok(Some(Self {
            id: uuid(row, index + 1)?.into(),
            system: uuid(row, index + 2)?.into(),
            content,
        }))
    }

    /// Takes account of a deletion of the row.
    pub(in crate::store::sqlite) fn leave(
        &self,
        transaction: &Transaction<'_>,
    ) -> rusqlite::Result<()> {
        let key = (
            self.id.as_uuid().as_bytes(),
            self.system.as_uuid().as_bytes(),
        );
        transaction
            .prepare_cached(
                "UPDATE audience SET members = members - 1 WHERE id = ?1 AND system_id = ?2",
            )?
            .execute(key)?;
        if let Some(content) = self.content {
            count_rows(transaction, content, -1)?;
            drop_unused(transaction, content)?;
        }
        let Some(audience) = find(transaction, self.id, self.system)? else {
            return Ok(());
        };
        if audience.members > 0 {
            return Ok(());
        }
        // The last one: no owner has the content any more.
        let sql = match audience.retracted_at {
            Some(_) => "UPDATE audience SET content = NULL WHERE id = ?1 AND system_id = ?2",
            None => "DELETE FROM audience WHERE id = ?1 AND system_id = ?2",
        };
        transaction.prepare_cached(sql)?.execute(key)?;
        if let Some(content) = audience.content {
            drop_unused(transaction, content)?;
        }
        Ok(())
    }

    /// Takes account of another content of the row: a shared one, or its own.
    pub(in crate::store::sqlite) fn change_content(
        &self,
        transaction: &Transaction<'_>,
        to: Option<Uuid>,
    ) -> rusqlite::Result<()> {
        if self.content == to {
            return Ok(());
        }
        if let Some(content) = to {
            count_rows(transaction, content, 1)?;
        }
        if let Some(content) = self.content {
            count_rows(transaction, content, -1)?;
            drop_unused(transaction, content)?;
        }
        Ok(())
    }

    /// Whether new owners of the event get this content.
    pub(in crate::store::sqlite) fn has_current(
        &self,
        transaction: &Transaction<'_>,
        content: Uuid,
    ) -> rusqlite::Result<bool> {
        let audience = find(transaction, self.id, self.system)?;
        Ok(audience.is_some_and(|audience| {
            audience.content == Some(content) && audience.retracted_at.is_none()
        }))
    }
}

/// Deletes a content that no row has and no new owner gets.
pub(super) fn drop_unused(transaction: &Transaction<'_>, content: Uuid) -> rusqlite::Result<()> {
    let is_unused = transaction
        .prepare_cached("SELECT rows = 0 FROM shared_content WHERE key = ?1")?
        .query_row([content.as_bytes()], |row| row.get(0))
        .optional()?
        .unwrap_or(false);
    if is_unused {
        transaction
            .prepare_cached(
                "DELETE FROM shared_content WHERE key = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM audience WHERE content = ?1)",
            )?
            .execute([content.as_bytes()])?;
    }
    Ok(())
}
