//! Where the filter is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::form::Form;
use crate::native::settings::Env;

/// The filter of this command's own build; `None` in a build that has no filter in it.
#[cfg(feature = "embed")]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(env!("GAUD_EMBED")));
#[cfg(not(feature = "embed"))]
const EMBEDDED: Option<&[u8]> = None;

/// The name of the file that a command writes for an Envoy.
const FILE: &str = "gaud.wasm";

/// Where the filter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// A file; Envoy may run on another machine, which has the file.
    File(PathBuf),
    /// The bytes are a part of this command.
    Embedded(&'static [u8]),
}

impl Module {
    /// The filter that was named; else where the form puts it, in this command, beside this command, or where cargo
    /// builds it.
    pub fn find(named: Option<&Path>, form: Form, env: Env<'_>) -> Result<Self, Error> {
        let named = named.map(Path::to_owned).or_else(|| env("GAUD_WASM").map(PathBuf::from));
        if let Some(named) = named.or_else(|| form.module().map(Path::to_owned)) {
            return Ok(Self::File(named));
        }
        match EMBEDDED {
            Some(bytes) => Ok(Self::Embedded(bytes)),
            None => installed().map(Self::File).map_err(Error::NoWasm),
        }
    }

    /// A file with the filter. An embedded filter is written into `folder`.
    pub fn file_in(&self, folder: &Path) -> io::Result<PathBuf> {
        match self {
            Self::File(path) => Ok(path.clone()),
            Self::Embedded(bytes) => {
                let path = folder.join(FILE);
                fs::write(&path, bytes)?;
                Ok(path)
            }
        }
    }

    /// A file that is still there when this command has ended.
    pub fn lasting_file(&self) -> Result<PathBuf, Error> {
        match self {
            Self::File(path) => Ok(path.clone()),
            Self::Embedded(bytes) => {
                let same = |path: &PathBuf| fs::read(path).is_ok_and(|file| file == *bytes);
                installed().ok().filter(same).ok_or(Error::OnlyEmbedded)
            }
        }
    }

    /// The bytes of the filter.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::File(path) => fs::read(path).map_err(|_| Error::NoWasm(vec![path.clone()])),
            Self::Embedded(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Refuses a file that is not there.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::File(path) if !path.is_file() => Err(Error::NoWasm(vec![path.clone()])),
            Self::File(_) | Self::Embedded(_) => Ok(()),
        }
    }
}

/// The filter's file beside this command; the places that were looked at, where no file is there.
fn installed() -> Result<PathBuf, Vec<PathBuf>> {
    let beside = |path: &str| Some(std::env::current_exe().ok()?.parent()?.join(path));
    let places: Vec<PathBuf> =
        [FILE, "../wasm32-wasip1/release/gaud.wasm", "../lib/gaud/gaud.wasm"]
            .into_iter()
            .filter_map(beside)
            .collect();
    places.iter().find_map(|path| path.canonicalize().ok()).ok_or(places)
}
