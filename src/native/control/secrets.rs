//! Secrets that were typed in: a file of mode 0600 for each, below the data folder.
//!
//! Each secret has a file of its own, and a file never changes: a change that is refused leaves the secret before as it was.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::native::private_file;

const FOLDER: &str = "secrets";

/// Writes the secret of a provider, or of another `owner`; the whole path of its file.
pub(super) fn store(data: &Path, owner: &str, secret: &str) -> io::Result<PathBuf> {
    let folder = data.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let prefix = format!("{}-", file_name(owner));
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).permissions(Permissions::from_mode(private_file::MODE));
    let mut file = builder.tempfile_in(fs::canonicalize(folder)?)?;
    file.write_all(secret.as_bytes())?;
    file.as_file().sync_all()?;
    let (_, place) = file.keep().map_err(|error| error.error)?;
    Ok(place)
}

/// Whether a setting names a file that [`store`] has written.
pub(super) fn is_stored(data: &Path, value: &str) -> bool {
    let file = value.strip_prefix("file:").map(Path::new);
    let folder = fs::canonicalize(data.join(FOLDER)).ok();
    file.and_then(Path::parent).is_some_and(|parent| Some(parent) == folder.as_deref())
}

/// Removes the secrets whose files the configuration does not name. A file that cannot be removed is removed later.
pub(super) fn remove_unnamed(data: &Path, configuration: &str) {
    let entries = fs::read_dir(data.join(FOLDER)).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !configuration.contains(&*name) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// A name without what a file's name cannot have.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_file_for_this_user_alone_until_no_setting_names_the_file() {
        let data = tempfile::tempdir().unwrap();
        let places = ["sk-1", "sk-2"].map(|secret| store(data.path(), "a/../b", secret).unwrap());
        for (place, secret) in places.iter().zip(["sk-1", "sk-2"]) {
            assert!(place.parent().unwrap().ends_with(FOLDER), "{place:?}");
            assert_eq!(fs::read_to_string(place).unwrap(), secret);
            assert!(is_stored(data.path(), &format!("file:{}", place.display())));
            assert_eq!(fs::metadata(place).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!is_stored(data.path(), "file:/run/secrets/key"));
        remove_unnamed(data.path(), &format!("api_key = \"file:{}\"", places[1].display()));
        assert!(!places[0].exists() && places[1].exists());
    }
}
