//! Statements that are sent together and answered together.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures_util::future::{MaybeDone, maybe_done};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use crate::store::postgres::pool::Connection;

type Response<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

/// Statements on one connection. Each is sent when it is added; the server executes them in their order.
pub(super) struct Pipeline<'a> {
    connection: &'a Connection,
    responses: Vec<MaybeDone<Response<'a>>>,
    sent: &'a AtomicU64,
}

impl<'a> Pipeline<'a> {
    /// An empty pipeline. `sent` counts its statements.
    pub(super) const fn new(connection: &'a Connection, sent: &'a AtomicU64) -> Self {
        Self {
            connection,
            responses: Vec::new(),
            sent,
        }
    }

    /// Sends a prepared statement, which returns rows or none.
    pub(super) async fn send(
        &mut self,
        statement: &'a Statement,
        parameters: &'a [&'a (dyn ToSql + Sync)],
    ) {
        let connection = self.connection;
        let response = async move { connection.query(statement, parameters).await };
        self.begin(Box::pin(response)).await;
    }

    /// Sends a statement without parameters.
    pub(super) async fn send_simple(&mut self, sql: &'static str) {
        let connection = self.connection;
        let response = async move {
            connection.batch_execute(sql).await?;
            Ok(Vec::new())
        };
        self.begin(Box::pin(response)).await;
    }

    /// Polls a response once, which sends its statement.
    async fn begin(&mut self, response: Response<'a>) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut response = maybe_done(response);
        poll_fn(|context| {
            let _ = Pin::new(&mut response).poll(context);
            Poll::Ready(())
        })
        .await;
        self.responses.push(response);
    }

    /// Whether a statement failed already, for example because it could not be encoded and sent.
    pub(super) fn has_failed(&self) -> bool {
        let mut responses = self.responses.iter();
        responses.any(|response| matches!(response, MaybeDone::Done(Err(_))))
    }

    /// Waits for all responses. Of several errors it returns the first, which is the cause of the others.
    pub(super) async fn finish(self) -> Result<Vec<Vec<Row>>, Error> {
        let mut rows = Vec::with_capacity(self.responses.len());
        let mut failed = None;
        for mut response in self.responses {
            Pin::new(&mut response).await;
            match Pin::new(&mut response).take_output() {
                Some(Ok(response)) => rows.push(response),
                Some(Err(error)) => {
                    failed.get_or_insert(error);
                }
                None => {}
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(rows),
        }
    }
}
