//! What the templates need of an Envoy that watches files: the folders, and the secrets that go into the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::kind::Kind;
use crate::config::Secret;
use crate::native::settings::Pair;

/// What the templates need beside the settings.
#[derive(Serialize)]
pub(in crate::native::render) struct Live {
    folders: BTreeMap<String, Folder>,
    secrets: Vec<NamedSecret>,
    certificate: Option<Certificate>,
}

/// The gateway's certificate and its key, in PEM.
#[derive(Serialize)]
struct Certificate {
    chain: String,
    key: String,
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
    pub(in crate::native::render) fn of(
        folder: &Path,
        secrets: &[(String, Secret)],
        pair: Option<&Pair>,
    ) -> Self {
        let place = |kind: Kind| {
            let text = |path: PathBuf| path.to_string_lossy().into_owned();
            let (path, file) = (folder.join(kind.folder()), folder.join(kind.file()));
            (kind.folder(), Folder { path: text(path), file: text(file) })
        };
        let named = |(name, secret): &(String, Secret)| NamedSecret {
            name: name.clone(),
            value: secret.expose().to_owned(),
        };
        let certificate = |pair: &Pair| Certificate {
            chain: pair.certificates.clone(),
            key: pair.key.expose().to_owned(),
        };
        Self {
            folders: Kind::ALL.map(place).into(),
            secrets: secrets.iter().map(named).collect(),
            certificate: pair.map(certificate),
        }
    }
}
