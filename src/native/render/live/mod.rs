//! What `gaud run` gives Envoy: a bootstrap that stays, and resources that change while Envoy runs.
//!
//! | kind | resources | changes with |
//! |---|---|---|
//! | bootstrap | admin interface, bounds, the clusters of the hop and of the admin interface | `admin_listen`, `workers`, `memory_limit_bytes`: a restart |
//! | `cds` | a cluster for each provider | a provider's URL, TLS, `http2` |
//! | `rds_…` | the routes before and after the hop | `[retries]`, `body_limit_bytes`, `[cors]`, the longest timeout |
//! | `ecds_…` | the filters before and after the hop, with the secrets | every other setting |
//! | `lds` | the listeners before and after the hop, and that of the control server | `listen`, `trusted_proxies`, `[cors]`, `[tls]`, the longest timeout |
//! | `sds_…` | the certificate and its key, with `[tls]` | their files |

mod kind;
pub(super) mod watched;

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use minijinja::value::Serde;

use crate::names::clusters::{ATTEMPT, CLIENTS, OWN};

use super::cluster::Cluster;
use super::context::Context;
use super::template::Macros;
pub use kind::Kind;

/// Its template.
pub(super) const TEXT: &str = include_str!("live.yaml");

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
    /// In the order of [`Kind::ALL`]; without [`Kind::Certificate`] where clients connect without TLS.
    pub resources: Vec<Document>,
    /// The files with secrets, each by its name: Envoy reads one for each credential that it adds.
    pub secrets: SecretFiles,
}

/// The texts of files by their names. `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretFiles(pub BTreeMap<String, String>);

impl fmt::Debug for SecretFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Where the files with secrets are, below the folder of all kinds.
pub fn secrets_folder(folder: &Path) -> PathBuf {
    folder.join("sds_credentials")
}

impl Documents {
    pub(super) fn render(macros: &Macros, context: &Context) -> Result<Self, minijinja::Error> {
        let is_there = |kind: &Kind| *kind != Kind::Certificate || context.has_tls();
        let document = |kind| Document::render(kind, macros, context);
        let kinds = Kind::ALL.into_iter().filter(is_there);
        Ok(Self {
            bootstrap: macros.call("bootstrap", &[])?,
            resources: kinds.map(document).collect::<Result<_, _>>()?,
            secrets: SecretFiles::default(),
        })
    }
}

impl Document {
    fn render(kind: Kind, macros: &Macros, context: &Context) -> Result<Self, minijinja::Error> {
        let calls: &[(&str, &str)] = match kind {
            Kind::Clusters => return Self::of_clusters(macros, context.clusters()),
            Kind::ClientRoutes => &[(CLIENTS, "client_routes")],
            Kind::AttemptRoutes => &[(ATTEMPT, "attempt_routes")],
            Kind::AttemptFilter => &[(ATTEMPT, "attempt_filter")],
            Kind::ClientFilter => &[(CLIENTS, "client_filter")],
            Kind::Listeners if context.has_control() => &[
                (CLIENTS, "client_listener"),
                (ATTEMPT, "attempt_listener"),
                (OWN, "own_listener"),
            ],
            Kind::Listeners => &[(CLIENTS, "client_listener"), (ATTEMPT, "attempt_listener")],
            Kind::Certificate => &[(CLIENTS, "certificate")],
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
