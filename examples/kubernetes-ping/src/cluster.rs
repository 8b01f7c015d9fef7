//! A Kubernetes cluster.

/// A context and the address of its API server.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) context: String,
    pub(crate) server: String,
}
