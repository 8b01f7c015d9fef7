//! The app's connections, and the clusters behind them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::failure::PingError;

/// Time limit for connecting to a cluster, and again for its response. A user waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The connections of the app. Each stands for a context of a kubeconfig file.
#[derive(Debug)]
pub struct Connections {
    kubeconfig: PathBuf,
    contexts: HashMap<Uuid, String>,
}

impl Connections {
    /// Connections by id, and the file with their contexts.
    pub fn new(
        kubeconfig: impl Into<PathBuf>,
        contexts: impl IntoIterator<Item = (Uuid, String)>,
    ) -> Self {
        Self {
            kubeconfig: kubeconfig.into(),
            contexts: contexts.into_iter().collect(),
        }
    }

    /// Asks the cluster behind a connection for its version.
    pub(crate) async fn ping(&self, connection: Uuid) -> Result<(Cluster, String), PingError> {
        let context = self.contexts.get(&connection).cloned();
        let context = context.ok_or(PingError::UnknownConnection(connection))?;
        let config = match self.config(&context).await {
            Ok(config) => config,
            Err(source) => return Err(PingError::Context { context, source }),
        };
        let server = config.cluster_url.to_string();
        let cluster = Cluster { context, server };
        match version(config).await {
            Ok(version) => Ok((cluster, version)),
            Err(error) => Err(PingError::of_kube(error, cluster)),
        }
    }

    async fn config(&self, context: &str) -> Result<Config, KubeconfigError> {
        let options = KubeConfigOptions {
            context: Some(context.to_owned()),
            ..KubeConfigOptions::default()
        };
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig)?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        config.connect_timeout = Some(TIMEOUT);
        config.read_timeout = Some(TIMEOUT);
        // A ping reports the current state.
        config.default_retry = false;
        // kube reads `HTTPS_PROXY`, but is built without support for proxies here.
        config.proxy_url = None;
        Ok(config)
    }
}

async fn version(config: Config) -> Result<String, kube::Error> {
    let version = Client::try_from(config)?.apiserver_version().await?;
    Ok(version.git_version)
}
