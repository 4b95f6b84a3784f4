//! The watched files: a folder for each kind of resource, in a folder that this user alone can enter.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::native::private_file;
use crate::native::render::live::{Document, Kind, SecretFiles, secrets_folder};

const FOLDER_MODE: u32 = 0o700;

/// Where a file is written before it gets its place. Envoy notices a rename into a watched folder, and no write.
const NEXT: &str = "next.yaml";

/// The folder that holds the folders of all kinds.
#[derive(Debug, Clone)]
pub struct Files(PathBuf);

impl Files {
    /// # Errors
    /// The folder takes nothing.
    pub fn create(folder: &Path) -> io::Result<Self> {
        for kind in Kind::ALL {
            DirBuilder::new().mode(FOLDER_MODE).create(folder.join(kind.folder()))?;
        }
        DirBuilder::new().mode(FOLDER_MODE).create(secrets_folder(folder))?;
        Ok(Self(folder.to_owned()))
    }

    /// Puts the files with secrets in their places that are not there as they are in `before`.
    ///
    /// # Errors
    /// The disk is full, or the folder is gone; the files before stay.
    pub fn put_secrets(&self, files: &SecretFiles, before: &SecretFiles) -> io::Result<()> {
        for (name, text) in &files.0 {
            if before.0.get(name) != Some(text) {
                let next = self.0.join(NEXT);
                private_file::create(&next)?.write_all(text.as_bytes())?;
                fs::rename(next, secrets_folder(&self.0).join(name))?;
            }
        }
        Ok(())
    }

    /// Removes the files of `before` that are not among these.
    pub fn remove_secrets(&self, files: &SecretFiles, before: &SecretFiles) {
        for name in before.0.keys().filter(|name| !files.0.contains_key(*name)) {
            // A file that stays is in a folder of this user's alone, and goes with the folder.
            let _ = fs::remove_file(secrets_folder(&self.0).join(name));
        }
    }

    /// Puts a document in its place as a whole: a reader sees the file before or this file.
    ///
    /// # Errors
    /// The disk is full, or the folder is gone; the file before stays.
    pub fn put(&self, document: &Document, version: u64) -> io::Result<()> {
        let next = self.0.join(NEXT);
        // Filters have secrets in them.
        private_file::create(&next)?.write_all(document.text(version).as_bytes())?;
        fs::rename(next, self.0.join(document.kind().file()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_document_replaces_the_document_before() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::create(folder.path()).unwrap();
        let place = folder.path().join("ecds_gaud/ecds_gaud.yaml");
        for (version, yaml) in [(1, "name: a\nb: c"), (2, "name: d")] {
            let resources = [("gaud".to_owned(), yaml.to_owned())];
            files.put(&Document::of(Kind::ClientFilter, resources), version).unwrap();
        }
        let text = "version_info: \"2\"\nresources:\n\
                    - \"@type\": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig\n  name: d\n";
        assert_eq!(fs::read_to_string(&place).unwrap(), text);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&place), mode(place.parent().unwrap())),
            (private_file::MODE, FOLDER_MODE)
        );
        assert!(!folder.path().join(NEXT).exists());
    }

    #[test]
    fn a_document_without_resources_is_an_empty_list() {
        assert_eq!(
            Document::of(Kind::Clusters, []).text(1),
            "version_info: \"1\"\nresources:\n  []\n"
        );
    }
}
