//! A client's path: below its base path, and with its version.

use std::fmt;
use std::ops::Range;

use super::endpoint::{self, Classified, Endpoint, LocalEndpoint, Refused};
use super::escape::{escaped, replaced, unescaped, without_query};

/// A path as the client sent it.
pub(crate) struct ClientPath {
    sent: String,
    /// The path without its base path, and with the version if the client left the version out; `None` when that is the
    /// path as sent.
    below_base: Option<String>,
}

/// A query may carry a client's credential.
impl fmt::Debug for ClientPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientPath").field(&without_query(&self.sent)).finish()
    }
}

impl ClientPath {
    /// Reads a path, and what the request asks for. Outside every base path the gateway answers only for its own health.
    pub(crate) fn read(method: &[u8], sent: &[u8], base_paths: &[String]) -> (Self, Classified) {
        let sent = String::from_utf8_lossy(sent).into_owned();
        let read = |below: &str| {
            let versioned = endpoint::with_version(below);
            let plain = without_query(versioned.as_deref().unwrap_or(below));
            let request = Classified::classify(method, plain, base_paths);
            let is_other = versioned.is_some() || below.len() < sent.len();
            (is_other.then(|| versioned.unwrap_or_else(|| below.to_owned())), request)
        };
        let mut all = endpoint::below_bases(&sent, base_paths).map(read);
        let first = all.next();
        // A base path may also begin a path of the API: `/openai`.
        let is_known = |(_, request): &(_, Classified)| request.endpoint != Endpoint::Unknown;
        let known = match first {
            Some(first) if !is_known(&first) => all.find(is_known).or(Some(first)),
            first => first,
        };
        drop(all);
        match known {
            Some((below_base, request)) => (Self { sent, below_base }, request),
            None => {
                let request = outside(method, &sent, base_paths);
                (Self { sent, below_base: None }, request)
            }
        }
    }

    /// The path as the client sent it, with its query.
    pub(crate) fn sent(&self) -> &str {
        &self.sent
    }

    /// The path below the base path, where that is not the path as sent.
    pub(crate) fn below_base(&self) -> Option<&str> {
        self.below_base.as_deref()
    }

    /// The path below the base path, with its query.
    pub(crate) fn as_str(&self) -> &str {
        self.below_base.as_deref().unwrap_or(&self.sent)
    }

    /// The text at a place, its escapes decoded; `None` when the decoded bytes are not UTF-8.
    pub(crate) fn decoded(&self, place: &Range<usize>) -> Option<String> {
        let text = self.as_str().get(place.clone())?;
        String::from_utf8(unescaped(text)).ok()
    }

    /// The path with another model at a place. Outside the query a slash stays a slash, unless the client escaped its
    /// slashes, or the path is Bedrock's, where a model is one segment.
    pub(crate) fn renamed(&self, place: &Range<usize>, model: &str) -> String {
        let path = self.as_str();
        let old = path.get(place.clone()).unwrap_or_default();
        let in_query = path.find('?').is_some_and(|at| at < place.start);
        let is_segment = path.starts_with("/model/");
        let slashes = !in_query && !is_segment && !old.to_ascii_lowercase().contains("%2f");
        replaced(path, place, &escaped(model, slashes))
    }
}

/// What a request outside every base path asks for.
fn outside(method: &[u8], sent: &str, base_paths: &[String]) -> Classified {
    let mut request = Classified::classify(method, without_query(sent), base_paths);
    let health = [LocalEndpoint::Liveness, LocalEndpoint::Readiness, LocalEndpoint::Health];
    if !matches!(&request.endpoint, Endpoint::Local(own, _) if health.contains(own)) {
        request.endpoint = Endpoint::Refused(Refused::OutsideBasePaths);
    }
    request
}
