//! A client's path: below its base path, and with its version.

use std::ops::Range;

use super::endpoint::{self, Classified, Endpoint, LocalEndpoint, Refused};
use super::escape::{escaped, replaced, unescaped, without_query};

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
}

/// What is asked for outside every base path.
fn outside(method: &[u8], sent: &str, base_paths: &[String]) -> Classified {
    let mut request = Classified::classify(method, without_query(sent), base_paths);
    let health = [LocalEndpoint::Liveness, LocalEndpoint::Readiness, LocalEndpoint::Health];
    if !matches!(&request.endpoint, Endpoint::Local(own, _) if health.contains(own)) {
        request.endpoint = Endpoint::Refused(Refused::OutsideBasePaths);
    }
    request
}
