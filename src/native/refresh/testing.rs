//! Settings for the tests of this folder.

use crate::config::Secret;
use crate::native::settings::{Issuer, Refresh};

/// A public client at an issuer, with a first refresh token or none.
pub(super) fn settings(url: &str, id: &str, first: Option<&str>) -> Refresh {
    let (client_id, url) = (id.to_owned(), url.parse().unwrap());
    Refresh {
        issuer: Issuer { url, client_id, scopes: Vec::new() },
        device: None,
        client_secret: None,
        first: first.map(Secret::new),
        files: Vec::new(),
    }
}
