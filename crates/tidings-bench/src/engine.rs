//! The engine in this process, on the server's core.

use anyhow::Context as _;
use tidings::{Config, Tidings};
use tokio::runtime::{Builder, Runtime};

use crate::Bench;
use crate::waiting::soon;

/// An engine whose runtime is on the server's core. Its handle can be used from the load generator's
/// core.
#[derive(Debug)]
pub(crate) struct Engine {
    handle: Tidings,
    runtime: ServerRuntime,
}

/// A runtime that can be dropped within another one.
#[derive(Debug)]
struct ServerRuntime(Option<Runtime>);

impl Engine {
    /// Opens a store.
    pub(crate) async fn open(bench: &Bench, config: Config) -> anyhow::Result<Self> {
        // The runtime's threads, and those that it starts, stay on the core of the thread that creates it.
        let runtime = bench.cores.on_server(|| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
        })??;
        let runtime = ServerRuntime(Some(runtime));
        let handle = runtime
            .run(async {
                Tidings::open(config)
                    .await
                    .context("could not open the engine")
            })
            .await?;
        Ok(Self { handle, runtime })
    }

    /// The engine, for use on the caller's core.
    pub(crate) const fn handle(&self) -> &Tidings {
        &self.handle
    }

    /// Runs `work` with the engine on the server's core.
    pub(crate) async fn run<T, F>(&self, work: impl FnOnce(Tidings) -> F) -> anyhow::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        self.runtime.run(work(self.handle.clone())).await
    }

    /// Closes the store.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let close = self.run(|engine| async move {
            engine.close().await;
            Ok(())
        });
        soon("the engine to close", close).await?
    }
}

impl ServerRuntime {
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> anyhow::Result<T> {
        let runtime = self.0.as_ref().context("the runtime is gone")?;
        runtime.spawn(work).await?
    }
}

impl Drop for ServerRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
