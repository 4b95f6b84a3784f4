//! Who asks: the client's key, and whether the key allows what is asked.
//!
//! | `[keys] mode` | a key of Gaud's | any other credential, or none |
//! |---|---|---|
//! | `off` | refused, but on the gateway's own paths | passes |
//! | `optional` | checked | passes |
//! | `required` | checked | refused, but for the gateway's health and `passthrough` |

use std::borrow::Cow;

use super::Session;
use crate::gateway::Keys;
use crate::host::Host;
use crate::keys::{self, Allowed, Refusal};
use crate::reply::Reject;
use crate::request::credentials::GaudKey;
use crate::request::endpoint::{Endpoint, LocalEndpoint};
use crate::request::escape::{query_values, unescaped, without_query};
use crate::request::head::Head;

/// The key of a query in which Gemini's clients put keys.
const QUERY_KEY: &[u8] = b"key";

impl Session {
    /// Checks the client's key, before any of the body is read.
    ///
    /// # Errors
    /// The key opens nothing, or a key is needed.
    pub(super) fn identify(
        &mut self,
        host: &dyn Host,
        head: &Head<'_>,
        endpoint: &Endpoint,
    ) -> Result<(), Reject> {
        let sent = sent_key(head);
        let Some(keys) = &self.gateway.keys else {
            let is_local = matches!(endpoint, Endpoint::Local(..));
            return match sent {
                Some((kind, _)) if !is_local => Err(Reject::Key(kind)),
                _ => Ok(()),
            };
        };
        if is_health(endpoint) {
            return Ok(());
        }
        let Some((kind, key)) = sent else {
            let is_open = !keys.are_required || self.needs_none(keys, head, endpoint);
            return if is_open { Ok(()) } else { Err(Reject::Key(GaudKey::Client)) };
        };
        let key = key.filter(|_| kind == GaudKey::Client).ok_or(Reject::Key(kind))?;
        let allowed = keys::check(host, keys, &key).map_err(|refusal| match refusal {
            Refusal::Invalid => Reject::Key(GaudKey::Client),
            Refusal::Expired => Reject::ExpiredKey,
            Refusal::Waiting => Reject::KeysUnknown,
            Refusal::Stale => Reject::KeysStale,
        })?;
        self.key = Some(Box::new(allowed));
        Ok(())
    }

    /// Whether a request without a key passes where keys are required.
    fn needs_none(&self, keys: &Keys, head: &Head<'_>, endpoint: &Endpoint) -> bool {
        match endpoint {
            Endpoint::Unknown => keys.let_pass(without_query(self.path.as_str())),
            // The control server asks for the list of models.
            Endpoint::Local(..) => {
                let own = keys.authorization.expose();
                !own.is_empty() && head.credentials.value("authorization") == Some(own.as_bytes())
            }
            _ => false,
        }
    }

    /// # Errors
    /// The client's key does not allow the model.
    pub(super) fn check_model(&self, asked: &str) -> Result<(), Reject> {
        match &self.key {
            Some(key) if !key.models.allow(&self.gateway, asked) => {
                Err(Reject::ModelNotAllowed(Some(asked.to_owned())))
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    /// The client's key allows some models alone, and the request names none that can be read.
    pub(super) fn check_unnamed(&self) -> Result<(), Reject> {
        let allows_all = |key: &Allowed| key.models.are_all();
        match self.key.as_deref().is_none_or(allows_all) {
            true => Ok(()),
            false => Err(Reject::ModelNotAllowed(None)),
        }
    }
}

fn is_health(endpoint: &Endpoint) -> bool {
    let health = [LocalEndpoint::Liveness, LocalEndpoint::Readiness, LocalEndpoint::Health];
    matches!(endpoint, Endpoint::Local(own, _) if health.contains(own))
}

/// What a key of Gaud's is for, wherever in a head such a key is; and the key, if it is alone where clients put keys.
fn sent_key<'a>(head: &Head<'a>) -> Option<(GaudKey, Option<Cow<'a, str>>)> {
    match head.credentials.gaud_key() {
        Some((kind, key)) => Some((kind, key.map(Cow::Borrowed))),
        None => key_in_query(head.path).map(|(kind, key)| (kind, key.map(Cow::Owned))),
    }
}

fn key_in_query(path: &[u8]) -> Option<(GaudKey, Option<String>)> {
    let query = path.iter().position(|byte| *byte == b'?')?;
    let kind = GaudKey::within(&unescaped(path.get(query..)?))?;
    let key = || {
        let path = std::str::from_utf8(path).ok()?;
        let place = query_values(path, QUERY_KEY).next()?;
        String::from_utf8(unescaped(path.get(place)?)).ok()
    };
    Some((kind, key()))
}
