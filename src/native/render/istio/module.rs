//! The filter, where no file of the proxy's holds it.

use std::path::Path;

use serde::Serialize;

use super::options::{Options, OptionsError, Sha256};

/// A filter that Istio's agent fetches.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub struct Remote {
    url: String,
    /// The SHA-256 of the fetched bytes. An image has its digest in its URL instead.
    sha256: Option<Sha256>,
}

impl Remote {
    /// What `--wasm` names by a URL.
    pub fn of(wasm: Option<&Path>, options: &Options) -> Result<Option<Self>, OptionsError> {
        let named = wasm.filter(|named| is_url(named)).and_then(Path::to_str);
        let sha256 = options.wasm_sha256.clone();
        let Some(named) = named else {
            return sha256.map_or(Ok(None), |_| Err(OptionsError::NeedlessSha256));
        };
        match (named.split_once("://"), &sha256) {
            (Some(("oci", image)), None) if image.contains("@sha256:") => {}
            (Some(("oci", _)), None) => return Err(OptionsError::NoDigest),
            (Some(("oci", _)), Some(_)) => return Err(OptionsError::NeedlessSha256),
            (Some(("https" | "http", _)), Some(_)) => {}
            (Some(("https" | "http", _)), None) => return Err(OptionsError::NoSha256),
            _ => return Err(OptionsError::Scheme),
        }
        Ok(Some(Self { url: named.to_owned(), sha256 }))
    }
}

/// No file has such a name.
pub fn is_url(named: &Path) -> bool {
    named.to_str().is_some_and(|named| named.contains("://"))
}
