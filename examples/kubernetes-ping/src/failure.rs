//! Why a ping failed: the response for the caller, the cause for the user.

use axum::http::StatusCode;
use kube::config::KubeconfigError;
use tidings::Cause;
use uuid::Uuid;

use crate::cluster::Cluster;

/// Why a cluster could not be pinged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PingError {
    #[error("there is no connection {0}")]
    UnknownConnection(Uuid),
    #[error("the context {context} cannot be used")]
    Context {
        context: String,
        source: KubeconfigError,
    },
    #[error("{} at {} rejects our credentials", cluster.context, cluster.server)]
    Rejected {
        cluster: Cluster,
        source: Box<kube::Error>,
    },
    #[error("{} at {} does not answer", cluster.context, cluster.server)]
    Unreachable {
        cluster: Cluster,
        source: Box<kube::Error>,
    },
}

impl PingError {
    pub(crate) fn of_kube(error: kube::Error, cluster: Cluster) -> Self {
        let rejected =
            matches!(&error, kube::Error::Api(status) if matches!(status.code, 401 | 403));
        let source = Box::new(error);
        if rejected {
            Self::Rejected { cluster, source }
        } else {
            Self::Unreachable { cluster, source }
        }
    }

    /// The cause in the error event: the failure, its probable cause and a remedy.
    pub(crate) fn cause(&self) -> Cause {
        let (code, probable_cause, remedy) = match self {
            Self::UnknownConnection(_) => (
                "connection_unknown",
                "the connection was removed, or its id is mistyped",
                "list your connections and ping one of those",
            ),
            Self::Context { .. } => (
                "context_unusable",
                "the context was renamed or removed from the kubeconfig",
                "run `kubectl config get-contexts`, then give the connection one of those",
            ),
            Self::Rejected { .. } => (
                "cluster_refused",
                "the credentials in the kubeconfig have expired",
                "log in to the cluster again, then ping again",
            ),
            Self::Unreachable { .. } => (
                "cluster_unreachable",
                "the cluster is stopped or unreachable, or was recreated with another certificate",
                "start the cluster or fetch its kubeconfig again, then ping again",
            ),
        };
        // This error becomes the short description, and the chain of its sources the long one.
        Cause::from(self)
            .with_code(code)
            .with_probable_cause(probable_cause)
            .with_suggested_remediation(remedy)
    }

    /// What is known about the cluster.
    pub(crate) fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::UnknownConnection(_) => Vec::new(),
            Self::Context { context, .. } => vec![("k8sContextName", context.clone())],
            Self::Rejected { cluster, .. } | Self::Unreachable { cluster, .. } => vec![
                ("k8sContextName", cluster.context.clone()),
                ("serverAddress", cluster.server.clone()),
            ],
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::UnknownConnection(_) => StatusCode::NOT_FOUND,
            Self::Context { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Rejected { .. } | Self::Unreachable { .. } => StatusCode::BAD_GATEWAY,
        }
    }
}
