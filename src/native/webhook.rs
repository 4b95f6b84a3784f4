//! A webhook: an address that gets news as JSON. The address may be a secret, so nothing here shows the address.

use std::fmt;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::Uri;
use percent_encoding::percent_decode_str;

use crate::config::Secret;
use crate::native::lock::lock;

/// What a text is not that should be a webhook's address.
pub(crate) const WRONG: &str =
    "is not the address of a webhook; write it as \"https://hooks.example.com/PATH\"";

/// Where news goes.
#[derive(Clone)]
pub struct Webhook {
    pub(crate) is_tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The path and the query.
    pub(crate) path: Secret,
    pub(crate) authorization: Option<Secret>,
}

/// The webhook that the configuration in effect names.
#[derive(Clone, Default)]
pub struct SharedWebhook(Arc<Mutex<Option<Webhook>>>);

impl SharedWebhook {
    pub fn new(webhook: Option<Webhook>) -> Self {
        Self(Arc::new(Mutex::new(webhook)))
    }

    /// The webhook from now on.
    pub fn set(&self, webhook: Option<Webhook>) {
        *lock(&self.0) = webhook;
    }

    pub(crate) fn now(&self) -> Option<Webhook> {
        lock(&self.0).clone()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

impl Webhook {
    /// `None` for a text that is not an address with `http` or `https`.
    pub fn parse(address: &Secret) -> Option<Self> {
        let uri: Uri = address.expose().parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority()?;
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| user);
        let basic = |user| {
            let decoded: Vec<u8> = percent_decode_str(user).collect();
            Secret::new(format!("Basic {}", BASE64_STANDARD.encode(decoded)))
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Some(Self {
            is_tls,
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            path: Secret::new(path),
            authorization: user.map(basic),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(address: &str) -> Option<Webhook> {
        Webhook::parse(&Secret::new(address))
    }

    #[test]
    fn an_address_says_where_and_how() {
        let own = parsed("https://ann:p%40ss@hooks.example.com/services/T0?x=1").unwrap();
        assert_eq!((own.is_tls, own.host.as_str(), own.port), (true, "hooks.example.com", 443));
        assert_eq!(own.path.expose(), "/services/T0?x=1");
        assert_eq!(own.authorization.as_ref().unwrap().expose(), "Basic YW5uOnBAc3M=");
        assert_eq!(format!("{own:?}"), "Webhook(…)");
        let plain = parsed("http://[::1]:9000").unwrap();
        assert_eq!((plain.is_tls, plain.host.as_str(), plain.port), (false, "[::1]", 9000));
        assert_eq!(plain.path.expose(), "/");
        for other in ["", "hooks.example.com", "/path", "ftp://a/b", "https://", "http://a b/"] {
            assert!(parsed(other).is_none(), "{other}");
        }
    }
}
