//! Tokens in files of mode 0600, below the data folder of the control server.
//!
//! | file | who writes it |
//! |---|---|
//! | `tokens/PROVIDER.json` | `gaud run`, after each token that it gets |
//! | `tokens/PROVIDER.login.json` | `gaud login`; `gaud run` takes it over and removes it |

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::credential::{Access, Credential};
use crate::config::Secret;
use crate::keys::KeyHash;
use crate::native::os_error::words;
use crate::native::private_file;
use crate::native::settings::Refresh;

const FOLDER: &str = "tokens";
const FOLDER_MODE: u32 = 0o700;

/// The folder of tokens.
#[derive(Debug)]
pub(super) struct Store(PathBuf);

/// The tokens of a provider, and for whom they are.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    token_url: String,
    client_id: String,
    /// The hash of the setting `token` at that time.
    begun_with: Option<String>,
    refresh_token: String,
    access_token: Option<String>,
    since_ms: u64,
    lifetime_ms: Option<u64>,
}

/// Which file of a provider.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Kept,
    Login,
}

impl Store {
    /// In the data folder of the control server.
    pub(super) fn in_folder(data: &Path) -> Self {
        Self(data.join(FOLDER))
    }

    fn path(&self, provider: &str, place: Place) -> PathBuf {
        let end = match place {
            Place::Kept => "json",
            Place::Login => "login.json",
        };
        self.0.join(format!("{provider}.{end}"))
    }

    /// `None` where nothing is stored.
    ///
    /// # Errors
    /// A sentence with the file's name.
    pub(super) fn read(&self, provider: &str, place: Place) -> Result<Option<Stored>, String> {
        let path = self.path(provider, place);
        let unreadable = |problem: &str| format!("{} cannot be read: {problem}", path.display());
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&words(&error))),
            // The parser's words could show what is in the file.
            Ok(text) => {
                serde_json::from_str(&text).map_err(|_| unreadable("it holds something else"))
            }
        }
    }

    /// Puts the file in its place as a whole, on the disk.
    pub(super) fn put(&self, provider: &str, place: Place, stored: &Stored) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&self.0)?;
        let path = self.path(provider, place);
        let next = path.with_extension("next");
        let mut file = private_file::create(&next)?;
        file.write_all(serde_json::to_string(stored)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(next, path)?;
        fs::File::open(&self.0)?.sync_all()
    }

    pub(super) fn remove(&self, provider: &str, place: Place) -> io::Result<()> {
        fs::remove_file(self.path(provider, place))
    }
}

impl Stored {
    pub(super) fn of(settings: &Refresh, refresh: &Secret, access: Option<&Access>) -> Self {
        Self {
            token_url: settings.issuer.text(),
            client_id: settings.issuer.client_id.clone(),
            begun_with: begun_with(settings),
            refresh_token: refresh.expose().to_owned(),
            access_token: access.map(|own| own.token.expose().to_owned()),
            since_ms: access.map_or(0, |own| own.since_ms),
            lifetime_ms: access.and_then(|own| own.lifetime_ms),
        }
    }

    /// Whether these tokens are what a provider with these settings goes on with.
    pub(super) fn fits(&self, settings: &Refresh) -> bool {
        self.is_for(settings) && self.has_begun_with(settings)
    }

    /// Whether these tokens are of this client at this issuer: no other issuer may see them.
    pub(super) fn is_for(&self, settings: &Refresh) -> bool {
        self.token_url == settings.issuer.text() && self.client_id == settings.issuer.client_id
    }

    /// Whether the setting `token` is the same as at that time, or is gone.
    fn has_begun_with(&self, settings: &Refresh) -> bool {
        settings.first.is_none() || self.begun_with == begun_with(settings)
    }

    pub(super) fn credential(self) -> Credential {
        let Self { refresh_token, access_token, since_ms, lifetime_ms, .. } = self;
        let access =
            access_token.map(|token| Access { token: Secret::new(token), since_ms, lifetime_ms });
        Credential::begin(Secret::new(refresh_token), access)
    }
}

fn begun_with(settings: &Refresh) -> Option<String> {
    settings.first.as_ref().map(|first| KeyHash::of(first.expose()).to_hex())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::native::refresh::testing::settings;

    #[test]
    fn tokens_are_kept_for_this_user_alone_and_for_one_client_at_one_issuer() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::in_folder(data.path());
        assert!(store.read("p", Place::Kept).unwrap().is_none());
        let own = settings("http://i/token", "me", Some("r0"));
        let access = Access { token: Secret::new("a"), since_ms: 5, lifetime_ms: Some(9) };
        let stored = Stored::of(&own, &Secret::new("r1"), Some(&access));
        store.put("p", Place::Kept, &stored).unwrap();
        let path = data.path().join("tokens/p.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = store.read("p", Place::Kept).unwrap().unwrap();
        for (other, is_for, has_begun) in [
            (settings("http://i/token", "me", Some("r0")), true, true),
            (settings("http://i/token", "me", Some("r9")), true, false),
            (settings("http://i/token", "me", None), true, true),
            (settings("http://i/token", "you", None), false, true),
            (settings("https://i/token", "me", None), false, true),
        ] {
            assert_eq!((read.is_for(&other), read.has_begun_with(&other)), (is_for, has_begun));
        }
        assert_eq!(read.credential(), Credential::begin(Secret::new("r1"), Some(access)));
        fs::write(&path, "{\"token_url\": sk-x").unwrap();
        let said = format!("{} cannot be read: it holds something else", path.display());
        assert_eq!(store.read("p", Place::Kept).map(|_| ()), Err(said));
    }
}
