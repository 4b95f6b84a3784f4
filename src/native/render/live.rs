//! What `gaud run` gives Envoy: a bootstrap that stays, and resources that change while Envoy runs.
//!
//! | kind | resources | changes with |
//! |---|---|---|
//! | bootstrap | admin interface, bounds, the clusters of the hop and of the admin interface | `admin_listen`, `workers`, `memory_limit_bytes`: a restart |
//! | `cds` | a cluster for each provider | a provider's URL, TLS, `http2` |
//! | `rds_…` | the routes before and after the hop | `[retries]`, `body_limit_bytes`, `[cors]`, the longest timeout |
//! | `ecds_…` | the filters before and after the hop, with the secrets | every other setting |
//! | `lds` | the listeners before and after the hop | `listen`, `trusted_proxies`, `[cors]`, the longest timeout |

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use minijinja::value::Serde;
use serde::Serialize;

use crate::config::Secret;
use crate::names::clusters::{ATTEMPT, CLIENTS};

use super::cluster::Cluster;
use super::template::Macros;

/// Its template.
pub(super) const TEXT: &str = include_str!("live.yaml");

/// A kind of resource, in the order in which an addition is written: a resource comes before the resources that refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Clusters,
    ClientRoutes,
    AttemptRoutes,
    AttemptFilter,
    ClientFilter,
    Listeners,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Clusters,
        Self::ClientRoutes,
        Self::AttemptRoutes,
        Self::AttemptFilter,
        Self::ClientFilter,
        Self::Listeners,
    ];

    /// The name of the folder that Envoy watches. A folder for each kind, because a change in a folder makes Envoy read
    /// every resource that watches the folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Clusters => "cds",
            Self::ClientRoutes => "rds_gaud",
            Self::AttemptRoutes => "rds_gaud_attempt",
            Self::AttemptFilter => "ecds_gaud_attempt",
            Self::ClientFilter => "ecds_gaud",
            Self::Listeners => "lds",
        }
    }

    /// The file that Envoy reads, below the folder of all kinds.
    pub fn file(self) -> PathBuf {
        let folder = self.folder();
        [folder, &format!("{folder}.yaml")].iter().collect()
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
        }
    }

    fn type_url(self) -> &'static str {
        match self {
            Self::Clusters => "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            Self::ClientRoutes | Self::AttemptRoutes => {
                "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
            }
            Self::AttemptFilter | Self::ClientFilter => {
                "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
            }
            Self::Listeners => "type.googleapis.com/envoy.config.listener.v3.Listener",
        }
    }
}

/// All resources of a kind.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    kind: Kind,
    /// YAML by the resource's name.
    resources: BTreeMap<String, String>,
}

/// Filters have secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({:?}, {:?})", self.kind, self.names())
    }
}

impl Document {
    pub fn of(kind: Kind, resources: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { kind, resources: resources.into_iter().collect() }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn names(&self) -> Vec<&str> {
        self.resources.keys().map(String::as_str).collect()
    }

    /// The same with the resources of `older` that are not in this document.
    #[must_use]
    pub fn and_those_of(&self, older: &Self) -> Self {
        let mut both = older.resources.clone();
        both.extend(self.resources.clone());
        Self { kind: self.kind, resources: both }
    }

    /// The file, as a discovery response (envoy/service/discovery/v3/discovery.proto).
    pub fn text(&self, version: u64) -> String {
        let mut text = format!("version_info: \"{version}\"\nresources:\n");
        for yaml in self.resources.values() {
            let _ = writeln!(text, "- \"@type\": {}", self.kind.type_url());
            let _ = writeln!(text, "  {}", yaml.replace('\n', "\n  "));
        }
        if self.resources.is_empty() {
            text.push_str("  []\n");
        }
        text
    }
}

/// Everything that Envoy is given.
#[derive(Clone)]
pub struct Documents {
    pub bootstrap: String,
    /// In the order of [`Kind::ALL`].
    pub resources: Vec<Document>,
}

impl Documents {
    pub(super) fn render(macros: &Macros, clusters: &[Cluster]) -> Result<Self, minijinja::Error> {
        let document = |kind| Document::render(kind, macros, clusters);
        Ok(Self {
            bootstrap: macros.call("bootstrap", &[])?,
            resources: Kind::ALL.into_iter().map(document).collect::<Result<_, _>>()?,
        })
    }
}

impl Document {
    fn render(kind: Kind, macros: &Macros, clusters: &[Cluster]) -> Result<Self, minijinja::Error> {
        let calls: &[(&str, &str)] = match kind {
            Kind::Clusters => return Self::of_clusters(macros, clusters),
            Kind::ClientRoutes => &[(CLIENTS, "client_routes")],
            Kind::AttemptRoutes => &[(ATTEMPT, "attempt_routes")],
            Kind::AttemptFilter => &[(ATTEMPT, "attempt_filter")],
            Kind::ClientFilter => &[(CLIENTS, "client_filter")],
            Kind::Listeners => &[(CLIENTS, "client_listener"), (ATTEMPT, "attempt_listener")],
        };
        let mut resources = BTreeMap::new();
        for (name, call) in calls {
            resources.insert((*name).to_owned(), macros.call(call, &[])?);
        }
        Ok(Self { kind, resources })
    }

    fn of_clusters(macros: &Macros, clusters: &[Cluster]) -> Result<Self, minijinja::Error> {
        let mut resources = BTreeMap::new();
        for cluster in clusters {
            let yaml = macros.call("cluster", &[Serde(cluster).into()])?;
            resources.insert(cluster.name.clone(), yaml);
        }
        Ok(Self { kind: Kind::Clusters, resources })
    }
}

/// What the templates need beside the settings.
#[derive(Serialize)]
pub(super) struct Live {
    folders: BTreeMap<&'static str, Folder>,
    secrets: Vec<NamedSecret>,
}

#[derive(Serialize)]
struct Folder {
    path: String,
    file: String,
}

#[derive(Serialize)]
struct NamedSecret {
    name: String,
    value: String,
}

impl Live {
    /// The folders of all kinds are below `folder`.
    pub(super) fn of(folder: &Path, secrets: &[(String, Secret)]) -> Self {
        let place = |kind: Kind| {
            let text = |path: PathBuf| path.to_string_lossy().into_owned();
            let (path, file) = (folder.join(kind.folder()), folder.join(kind.file()));
            (kind.folder(), Folder { path: text(path), file: text(file) })
        };
        let named = |(name, secret): &(String, Secret)| NamedSecret {
            name: name.clone(),
            value: secret.expose().to_owned(),
        };
        Self { folders: Kind::ALL.map(place).into(), secrets: secrets.iter().map(named).collect() }
    }
}
