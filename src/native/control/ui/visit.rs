//! Who asks for a page.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::header::{HOST, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::cookie;
use super::error::PageError;
use crate::config::Secret;
use crate::names::headers::PAGES;
use crate::native::control::api::Control;
use crate::native::control::error::ApiError;

/// A browser, and how it calls the gateway.
pub(super) struct Visit {
    /// What all links to pages begin with.
    pub(super) base: String,
    pub(super) is_https: bool,
    /// The name or the address of the gateway, with its port.
    pub(super) host: Option<String>,
    pub(super) token: Option<Secret>,
}

impl Visit {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text("x-forwarded-host").or_else(|| text(HOST.as_str()));
        Self {
            base: text(PAGES).unwrap_or("/ui").to_owned(),
            is_https: text("x-forwarded-proto") == Some("https"),
            host: host.filter(|host| is_host(host)).map(str::to_owned),
            token: cookie::token(headers),
        }
    }

    /// What clients put before `/v1`.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}", self.host.as_deref().unwrap_or("127.0.0.1:8400"))
    }

    /// Sends a browser on, with another method where the browser has posted.
    pub(super) fn redirect(&self, page: &str) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        if let Ok(place) = HeaderValue::from_str(&format!("{}{page}", self.base)) {
            response.headers_mut().insert(LOCATION, place);
        }
        response
    }
}

fn is_host(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Ok(Self::of(&parts.headers))
    }
}

/// A browser whose session is alive.
pub(super) struct Admin {
    pub(super) visit: Visit,
    /// The id of the session's admin key.
    pub(super) id: String,
    token: Secret,
}

impl Admin {
    pub(super) fn token(&self) -> &Secret {
        &self.token
    }
}

impl FromRequestParts<Arc<Control>> for Admin {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        control: &Arc<Control>,
    ) -> Result<Self, Response> {
        let visit = Visit::of(&parts.headers);
        match session(&visit, control) {
            Ok(Some((id, token))) => Ok(Self { visit, id, token }),
            Ok(None) => {
                let place = parts.uri.path().strip_prefix("/ui/").unwrap_or_default();
                Err(visit.redirect(&format!("/login?next={place}")))
            }
            Err(error) => Err(PageError::from(error).into_response()),
        }
    }
}

fn session(visit: &Visit, control: &Control) -> Result<Option<(String, Secret)>, ApiError> {
    let Some(token) = visit.token.clone() else { return Ok(None) };
    let Some(key) = control.sessions.admin_key(&token, Instant::now()) else { return Ok(None) };
    Ok(control.store.admin_key(&key)?.map(|id| (id, token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(pairs: &[(&'static str, &str)]) -> Visit {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Visit::of(&headers)
    }

    #[test]
    fn a_gateway_is_called_as_its_clients_call_it() {
        let host = ("host", "gateway:8400");
        let forwarded = ("x-forwarded-host", "llm.example.com");
        let proto = ("x-forwarded-proto", "https");
        assert_eq!(visit(&[host]).origin(), "http://gateway:8400");
        assert_eq!(visit(&[host, forwarded, proto]).origin(), "https://llm.example.com");
        assert_eq!(visit(&[("host", "a\"><b")]).origin(), "http://127.0.0.1:8400");
        assert_eq!(visit(&[(PAGES, "/pages")]).base, "/pages");
    }
}
