//! Retries requests that failed for a temporary reason.

use tidings_client::{Backoff, ClientError};

use crate::output::chain;

/// The number of retries, for commands whose requests are safe to repeat.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct RetryArgs {
    /// How often to retry if the server is unreachable or overloaded, with growing pauses; nothing is stored
    /// twice
    #[arg(long, value_name = "N", default_value_t = 4)]
    retries: u32,
}

/// The result of a request, and whether it took several attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempted<T> {
    pub(crate) value: T,
    /// An earlier attempt failed. The server can have executed it all the same.
    pub(crate) retried: bool,
}

impl RetryArgs {
    /// Repeats the request until it succeeds. It must be safe to repeat. `notice` receives the reason of
    /// each pause.
    ///
    /// # Errors
    ///
    /// The error of the last attempt, if it is permanent or no attempts are left.
    pub(crate) async fn send<T>(
        self,
        notice: impl Fn(String),
        request: impl AsyncFn() -> Result<T, ClientError>,
    ) -> Result<Attempted<T>, ClientError> {
        let mut backoff = Backoff::new();
        let mut left = self.retries;
        loop {
            let retried = left < self.retries;
            match request().await {
                Ok(value) => return Ok(Attempted { value, retried }),
                Err(error) if left > 0 && error.is_temporary() => {
                    left -= 1;
                    let pause = backoff.failed_with(&error);
                    notice(format!("{}; retrying in {pause:.1?}", chain(&error)));
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

    /// A request to a closed port.
    async fn rejected() -> ClientError {
        let client = Client::new("http://127.0.0.1:1".parse().unwrap()).unwrap();
        let all = EventFilter::default();
        let page = client.list(all, PageRequest::default());
        page.await.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn retries_until_a_request_succeeds() {
        let (requests, notices) = (Cell::new(0), RefCell::new(Vec::new()));
        let response = RetryArgs::with_retries(3)
            .send(
                |notice| notices.borrow_mut().push(notice),
                async || {
                    requests.set(requests.get() + 1);
                    match requests.get() {
                        1 | 2 => Err(rejected().await),
                        _ => Ok(requests.get()),
                    }
                },
            )
            .await
            .unwrap();
        assert_eq!((response.value, response.retried), (3, true));
        let notices = notices.into_inner();
        assert_eq!(notices.len(), 2);
        assert!(notices[0].contains("127.0.0.1:1"), "{notices:?}");
        assert!(notices[0].contains("retrying in"), "{notices:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_after_the_last_retry() {
        let requests = Cell::new(0);
        let response = RetryArgs::with_retries(2)
            .send(drop, async || {
                requests.set(requests.get() + 1);
                Err::<(), _>(rejected().await)
            })
            .await;
        assert!(response.is_err());
        assert_eq!(requests.get(), 3);
    }
}
