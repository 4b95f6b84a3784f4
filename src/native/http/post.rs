//! News for a webhook: one POST with JSON.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Builder;

use super::Remote;
use crate::native::webhook::Webhook;

impl Webhook {
    /// Sends a document. An answer of 200 to 299 takes the document.
    ///
    /// # Errors
    /// What has failed, in words without the address.
    pub(crate) async fn send(&self, document: String, ca_file: &str) -> Result<(), String> {
        let remote = Remote { is_tls: self.is_tls, host: &self.host, port: self.port };
        let head = |request: Builder| {
            let request = request.header(CONTENT_TYPE, "application/json");
            match &self.authorization {
                Some(authorization) => request.header(AUTHORIZATION, authorization.expose()),
                None => request,
            }
        };
        let (status, _) = remote.post(self.path.expose(), head, document, ca_file).await?;
        if status.is_success() { Ok(()) } else { Err(format!("the answer was {status}")) }
    }
}
