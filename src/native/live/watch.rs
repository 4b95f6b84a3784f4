//! Whether the files of a configuration have changed.
//!
//! The files are looked at, and not subscribed to: a look sees every way in which a file is replaced (an editor's rename, a
//! symbolic link that Kubernetes turns, a network's file system), and costs a system call for each file.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A file as it is seen: its device, inode, length, and time of change in seconds and nanoseconds. `None` for a file that is
/// not there.
type Sight = Option<(u64, u64, u64, i64, i64)>;

/// All files of a configuration at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot(Vec<(PathBuf, Sight)>);

impl Snapshot {
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let sight = |path: PathBuf| {
            let seen = fs::metadata(&path).ok();
            let seen =
                seen.map(|own| (own.dev(), own.ino(), own.len(), own.mtime(), own.mtime_nsec()));
            (path, seen)
        };
        Self(paths.into_iter().map(sight).collect())
    }
}

/// Tells a change when two looks in a row have seen the same: a file that is being written changes from look to look.
/// The first files that are seen are a change too, and so are other files than before: a reader that reads after the
/// change misses nothing that happened between a look and a reading.
#[derive(Debug, Default)]
pub struct Watch {
    told: Snapshot,
    last: Snapshot,
}

impl Watch {
    /// Whether the files have changed since the last time that this was true.
    pub fn has_changed(&mut self, now: Snapshot) -> bool {
        let changed = now != self.told && now == self.last;
        if changed {
            self.told = now.clone();
        }
        self.last = now;
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn seen(inode: u64) -> Snapshot {
        Snapshot(vec![(PathBuf::from("gaud.toml"), Some((1, inode, 0, 0, 0)))])
    }

    #[test]
    fn a_change_is_told_once_and_when_it_is_over() {
        let mut watch = Watch::default();
        let looks = [1, 1, 2, 3, 3, 3, 3, 4, 3, 3, 1, 1];
        let told: Vec<_> = looks.map(|inode| watch.has_changed(seen(inode))).into();
        let changes: Vec<_> = (0..looks.len()).filter(|at| told[*at]).collect();
        assert_eq!(changes, [1, 4, 11]);
    }

    fn look(path: &Path) -> Snapshot {
        Snapshot::of([path.to_owned()])
    }

    #[test]
    fn each_way_to_replace_a_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let path = at("gaud.toml");
        let mut last = look(&path);
        let mut differs = |how: &str| {
            let now = look(&path);
            assert_ne!(now, last, "{how}");
            last = now;
        };
        fs::write(&path, "a").unwrap();
        differs("created");
        fs::write(&path, "ab").unwrap();
        differs("written in place");
        fs::write(at("new"), "ab").unwrap();
        fs::rename(at("new"), &path).unwrap();
        differs("renamed");
        fs::remove_file(&path).unwrap();
        differs("removed");
        // As Kubernetes does: the file's name leads through a link that is turned as a whole.
        for version in ["1", "2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("gaud.toml"), "ab").unwrap();
        }
        std::os::unix::fs::symlink("1", at("data")).unwrap();
        std::os::unix::fs::symlink("data/gaud.toml", &path).unwrap();
        differs("linked");
        std::os::unix::fs::symlink("2", at("next")).unwrap();
        fs::rename(at("next"), at("data")).unwrap();
        differs("turned");
    }
}
