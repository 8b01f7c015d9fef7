//! Reads columns of the rows that are looked up.

use tidings_event::wire::Digest;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::store::StoreError;
use crate::store::postgres::fault::{UnreadableColumn, store_error};

pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, index: usize) -> Result<T, StoreError> {
    row.try_get(index).map_err(store_error)
}

pub(super) fn digest(row: &Row, index: usize) -> Result<Digest, StoreError> {
    let bytes: &[u8] = get(row, index)?;
    let digest = bytes.try_into().map_err(|_| UnreadableColumn {
        column: "digest",
        value: format!("{} bytes", bytes.len()),
    })?;
    Ok(Digest::from_bytes(digest))
}
