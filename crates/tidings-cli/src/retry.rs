//! Repeats a request that failed for a reason that may pass.

use tidings_client::{Backoff, ClientError};

use crate::output::chain;

/// How often a request is repeated, for every command that makes requests which are safe to
/// repeat.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct RetryArgs {
    /// How often to ask again when the server is away or cannot answer, with growing pauses; nothing
    /// is done twice by it
    #[arg(long, value_name = "N", default_value_t = 4)]
    retries: u32,
}

/// An answer, and whether it took more than one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    /// A request before this one failed, and may have been served all the same.
    pub(crate) retried: bool,
}

impl RetryArgs {
    /// Makes requests until one is answered. They must be safe to repeat. `notice` says why there is
    /// a pause.
    ///
    /// # Errors
    ///
    /// That of the last request, when it will not pass or there have been enough.
    pub(crate) async fn send<T>(
        self,
        notice: impl Fn(String),
        request: impl AsyncFn() -> Result<T, ClientError>,
    ) -> Result<Answer<T>, ClientError> {
        let mut backoff = Backoff::new();
        let mut left = self.retries;
        loop {
            let retried = left < self.retries;
            match request().await {
                Ok(value) => return Ok(Answer { value, retried }),
                Err(error) if left > 0 && error.is_temporary() => {
                    left -= 1;
                    let pause = backoff.failed_with(&error);
                    notice(format!("{}; sending again in {pause:.1?}", chain(&error)));
                    tokio::time::sleep(pause).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    #[cfg(test)]
    pub(crate) const fn with_retries(retries: u32) -> Self {
        Self { retries }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use tidings_client::Client;
    use tidings_event::{EventFilter, PageRequest};

    use super::*;

    /// A request to a port where nobody listens.
    async fn refused() -> ClientError {
        let client = Client::new("http://127.0.0.1:1".parse().unwrap()).unwrap();
        let all = EventFilter::default();
        let page = client.list(all, PageRequest::default());
        page.await.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_repeated_until_it_is_answered() {
        let (requests, notices) = (Cell::new(0), RefCell::new(Vec::new()));
        let answer = RetryArgs::with_retries(3)
            .send(
                |notice| notices.borrow_mut().push(notice),
                async || {
                    requests.set(requests.get() + 1);
                    match requests.get() {
                        1 | 2 => Err(refused().await),
                        _ => Ok(requests.get()),
                    }
                },
            )
            .await
            .unwrap();
        assert_eq!((answer.value, answer.retried), (3, true));
        let notices = notices.into_inner();
        assert_eq!(notices.len(), 2);
        assert!(notices[0].contains("127.0.0.1:1"), "{notices:?}");
        assert!(notices[0].contains("sending again in"), "{notices:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_an_end_to_it() {
        let requests = Cell::new(0);
        let answer = RetryArgs::with_retries(2)
            .send(drop, async || {
                requests.set(requests.get() + 1);
                Err::<(), _>(refused().await)
            })
            .await;
        assert!(answer.is_err());
        assert_eq!(requests.get(), 3);
    }
}
