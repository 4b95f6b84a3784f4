//! A configuration file as text that is read, changed and written again.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Error, Loaded, Secrets, read_text};

/// Reads an environment variable, from any thread.
type Variables = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// A file, and the environment that its configuration is compiled with.
#[derive(Clone)]
pub struct ConfigText {
    path: PathBuf,
    env: Variables,
}

impl ConfigText {
    pub fn of(path: &Path, env: Variables) -> Self {
        Self { path: path.to_owned(), env }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> io::Result<String> {
        fs::read_to_string(&self.path)
    }

    /// The configuration that `text` would be.
    ///
    /// # Errors
    /// All that is wrong, as `gaud check` says it.
    pub fn load(&self, text: &str) -> Result<Loaded, Error> {
        read_text(&self.path, text, &*self.env, Secrets::Here)
    }

    /// Replaces the file as a whole, with its permissions; a link stays a link.
    ///
    /// # Errors
    /// The file, or its folder, can only be read.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let place = fs::canonicalize(&self.path)?;
        let permissions = fs::metadata(&place)?.permissions();
        if permissions.readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let folder = place.parent().unwrap_or(Path::new("."));
        let next = tempfile::Builder::new().prefix(".gaud-").tempfile_in(folder)?;
        fs::write(next.path(), text)?;
        next.as_file().set_permissions(permissions)?;
        next.as_file().sync_all()?;
        next.persist(place).map(drop).map_err(|error| error.error)
    }

    /// A name of this text, as an HTTP entity tag.
    pub fn etag(&self, text: &str) -> String {
        format!("\"{:016x}\"", crate::gateway::fingerprint(text.as_bytes()))
    }
}
