//! The kinds of resources, their files, and Envoy's statistics about them.

use std::path::PathBuf;

use crate::names::clusters::{ATTEMPT, CLIENTS};

/// A kind of resource, in the order in which an addition is written: a resource comes before the resources that refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Clusters,
    ClientRoutes,
    AttemptRoutes,
    AttemptFilter,
    ClientFilter,
    Listeners,
    /// Of the gateway, with its key, where clients connect by TLS. After the listeners: Envoy reads it for a listener
    /// that names it.
    Certificate,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Clusters,
        Self::ClientRoutes,
        Self::AttemptRoutes,
        Self::AttemptFilter,
        Self::ClientFilter,
        Self::Listeners,
        Self::Certificate,
    ];

    /// The name of the folder that Envoy watches. A folder for each kind, because a change in a folder makes Envoy read
    /// every resource that watches the folder.
    pub fn folder(self) -> String {
        match self {
            Self::Clusters => "cds".to_owned(),
            Self::ClientRoutes => format!("rds_{CLIENTS}"),
            Self::AttemptRoutes => format!("rds_{ATTEMPT}"),
            Self::AttemptFilter => format!("ecds_{ATTEMPT}"),
            Self::ClientFilter => format!("ecds_{CLIENTS}"),
            Self::Listeners => "lds".to_owned(),
            Self::Certificate => format!("sds_{CLIENTS}"),
        }
    }

    /// The file that Envoy reads, below the folder of all kinds.
    pub fn file(self) -> PathBuf {
        let folder = self.folder();
        PathBuf::from(format!("{folder}/{folder}.yaml"))
    }

    /// What Envoy's statistics about the kind begin with.
    pub fn stat_prefix(self) -> String {
        let routes = |name: &str| format!("http.{name}.rds.{name}");
        let filter = |name: &str| format!("extension_config_discovery.http_filter.{name}");
        match self {
            Self::Clusters => "cluster_manager.cds".to_owned(),
            Self::ClientRoutes => routes(CLIENTS),
            Self::AttemptRoutes => routes(ATTEMPT),
            Self::AttemptFilter => filter(ATTEMPT),
            Self::ClientFilter => filter(CLIENTS),
            Self::Listeners => "listener_manager.lds".to_owned(),
            Self::Certificate => format!("sds.{CLIENTS}"),
        }
    }

    pub(super) fn type_url(self) -> &'static str {
        match self {
            Self::Clusters => "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            Self::ClientRoutes | Self::AttemptRoutes => {
                "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
            }
            Self::AttemptFilter | Self::ClientFilter => {
                "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
            }
            Self::Listeners => "type.googleapis.com/envoy.config.listener.v3.Listener",
            Self::Certificate => {
                "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
            }
        }
    }
}
