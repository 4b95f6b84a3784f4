//! Secrets that were typed in: a file of mode 0600 for each, below the data folder.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const FOLDER: &str = "secrets";

/// Writes a secret for a setting; the whole path of its file.
pub(super) fn store(data: &Path, setting: &str, secret: &str) -> io::Result<PathBuf> {
    let folder = data.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let place = fs::canonicalize(&folder)?.join(file_name(setting));
    let next = folder.join("next");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&next)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    fs::rename(next, &place)?;
    Ok(place)
}

/// A setting's path without what a file's name cannot have.
fn file_name(setting: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    setting.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_in_a_file_for_this_user_alone() {
        let data = tempfile::tempdir().unwrap();
        for secret in ["sk-1", "sk-2"] {
            let place = store(data.path(), "providers.a/../b.api_key", secret).unwrap();
            assert!(place.ends_with("secrets/providers.a_.._b.api_key"), "{place:?}");
            assert_eq!(fs::read_to_string(&place).unwrap(), secret);
            assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
