//! News for a webhook: one POST with JSON.

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;

use super::exchange;
use crate::native::certificates::authorities;
use crate::native::webhook::Webhook;

/// How long a webhook may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

impl Webhook {
    /// Sends a document. An answer of 200 to 299 takes the document.
    ///
    /// # Errors
    /// What has failed, in words without the address.
    pub(crate) async fn send(&self, document: String, ca_file: &str) -> Result<(), String> {
        let sent = timeout(ANSWER_LIMIT, self.post(document, ca_file)).await;
        let late = || format!("there was no answer within {} s", ANSWER_LIMIT.as_secs());
        let status = sent.map_err(|_| late())?.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(()) } else { Err(format!("the answer was {status}")) }
    }

    /// The value of `host`.
    fn authority(&self) -> String {
        let usual = if self.is_tls { 443 } else { 80 };
        let port = (self.port != usual).then(|| format!(":{}", self.port));
        [self.host.as_str(), port.as_deref().unwrap_or_default()].concat()
    }

    async fn post(&self, document: String, ca_file: &str) -> Result<StatusCode, Box<dyn Error>> {
        let mut request = Request::post(self.path.expose())
            .header(HOST, self.authority())
            .header(USER_AGENT, concat!("gaud/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.expose());
        }
        let request = request.body(Full::new(Bytes::from(document)))?;
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        let (status, _) = match self.is_tls {
            false => exchange(stream, request).await?,
            true => {
                let name = match host.parse::<IpAddr>() {
                    Ok(address) => ServerName::from(address),
                    Err(_) => ServerName::try_from(host.to_owned())?,
                };
                let connector = TlsConnector::from(Arc::new(trusting(Path::new(ca_file))?));
                exchange(connector.connect(name, stream).await?, request).await?
            }
        };
        Ok(status)
    }
}

/// TLS to servers whose certificates come from the authorities in a file.
fn trusting(ca_file: &Path) -> Result<ClientConfig, Box<dyn Error>> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities(ca_file)?)
        .with_no_client_auth();
    Ok(config)
}
