//! A client's path: below its base path, with its version, and as its provider sees it.

use std::ops::Range;

use crate::config::{Credential, Provider};
use crate::endpoint::{self, Endpoint, Own, Request};
use crate::path::{escaped, replaced, unescaped, without_query, without_query_keys};

/// The keys of a query in which clients send credentials.
const KEYS: [&[u8]; 3] = [b"key", b"api-key", b"api_key"];

/// A path as the client sent it.
#[derive(Debug)]
pub(crate) struct ClientPath {
    sent: String,
    /// What the path is without its base path, and with the version that it may lack.
    below_base: Option<String>,
}

impl ClientPath {
    /// Reads a path, and what is asked for there. Outside every base path there is
    /// nothing but the gateway's own health.
    pub(crate) fn read(method: &[u8], sent: &[u8], base_paths: &[String]) -> (Self, Request) {
        let sent = String::from_utf8_lossy(sent).into_owned();
        let Some(below) = endpoint::strip_base(&sent, base_paths) else {
            let mut request = Request::classify(method, without_query(&sent));
            let health = [Own::Liveness, Own::Readiness, Own::Health];
            if !matches!(&request.endpoint, Endpoint::Own(own, _) if health.contains(own)) {
                request.endpoint = Endpoint::Refused;
            }
            return (Self { sent, below_base: None }, request);
        };
        let below_base = endpoint::with_version(method, below)
            .or_else(|| (below.len() < sent.len()).then(|| below.to_owned()));
        let path = Self { sent, below_base };
        let request = Request::classify(method, without_query(path.as_str()));
        (path, request)
    }

    /// The path below the base path, with its query.
    pub(crate) fn as_str(&self) -> &str {
        self.below_base.as_deref().unwrap_or(&self.sent)
    }

    /// What stands at a place, its escapes decoded; `None` when that is no UTF-8.
    pub(crate) fn decoded(&self, place: &Range<usize>) -> Option<String> {
        let text = self.as_str().get(place.clone())?;
        String::from_utf8(unescaped(text)).ok()
    }

    /// The path with another model at a place: in a query, or with the slashes as they were.
    pub(crate) fn renamed(&self, place: &Range<usize>, model: &str) -> String {
        let path = self.as_str();
        let old = path.get(place.clone()).unwrap_or_default();
        let in_query = path.find('?').is_some_and(|at| at < place.start);
        let slashes = !in_query && !old.to_ascii_lowercase().contains("%2f");
        replaced(path, place, &escaped(model, slashes))
    }

    /// The path that `provider` is to see, where it is not the one that was sent.
    pub(crate) fn for_provider(
        &self,
        provider: &Provider,
        renamed: Option<String>,
        replaces: bool,
    ) -> Option<String> {
        let renamed = renamed.or_else(|| self.below_base.clone());
        let path = renamed.as_deref().unwrap_or(&self.sent);
        let keyless = match replaces && provider.credential != Credential::Passthrough {
            true => without_query_keys(path, &KEYS),
            false => None,
        };
        let path = keyless.as_deref().unwrap_or(path);
        match provider.url.as_ref().filter(|url| !url.keeps_paths()) {
            Some(url) => Some(url.path(path)),
            None => keyless.or(renamed),
        }
    }
}
