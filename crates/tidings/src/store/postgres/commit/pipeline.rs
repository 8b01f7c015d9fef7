//! Statements that are sent together and answered together.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures_util::future::{MaybeDone, maybe_done};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use crate::store::postgres::pool::Connection;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

/// Statements on one connection. Each is sent when it is added; the server executes them in their order.
pub(super) struct Pipeline<'a> {
    connection: &'a Connection,
    answers: Vec<MaybeDone<Answer<'a>>>,
    sent: &'a AtomicU64,
}

impl<'a> Pipeline<'a> {
    /// An empty pipeline. `sent` counts its statements.
    pub(super) const fn new(connection: &'a Connection, sent: &'a AtomicU64) -> Self {
        Self {
            connection,
            answers: Vec::new(),
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
        let answer = async move { connection.query(statement, parameters).await };
        self.begin(Box::pin(answer)).await;
    }

    /// Sends a statement without parameters.
    pub(super) async fn send_simple(&mut self, sql: &'static str) {
        let connection = self.connection;
        let answer = async move {
            connection.batch_execute(sql).await?;
            Ok(Vec::new())
        };
        self.begin(Box::pin(answer)).await;
    }

    /// Polls a response once, which sends its statement.
    async fn begin(&mut self, answer: Answer<'a>) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut answer = maybe_done(answer);
        poll_fn(|context| {
            let _ = Pin::new(&mut answer).poll(context);
            Poll::Ready(())
        })
        .await;
        self.answers.push(answer);
    }

    /// Whether a statement failed already, for example because it could not be encoded and sent.
    pub(super) fn has_failed(&self) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|answer| matches!(answer, MaybeDone::Done(Err(_))))
    }

    /// Waits for all responses. Of several errors it returns the first, which is the cause of the others.
    pub(super) async fn finish(self) -> Result<Vec<Vec<Row>>, Error> {
        let mut rows = Vec::with_capacity(self.answers.len());
        let mut failed = None;
        for mut answer in self.answers {
            Pin::new(&mut answer).await;
            match Pin::new(&mut answer).take_output() {
                Some(Ok(answer)) => rows.push(answer),
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
