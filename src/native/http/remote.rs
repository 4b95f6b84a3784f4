//! A server anywhere, by name, as this program is its client.

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HOST, USER_AGENT};
use hyper::http::request::Builder;
use hyper::{Request, StatusCode};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;

use super::exchange_within;
use crate::native::certificates::authorities;

/// How long a server may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Of an answer. What is asked here answers a few lines.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Where a server is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote<'a> {
    pub(crate) is_tls: bool,
    /// A name, or an address with or without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl Remote<'_> {
    /// Posts a body to a path, and reads the answer. A certificate must come from the authorities in `ca_file`.
    ///
    /// # Errors
    /// What has failed, in words without the path.
    pub(crate) async fn post(
        self,
        path: &str,
        head: impl FnOnce(Builder) -> Builder,
        body: String,
        ca_file: &str,
    ) -> Result<(StatusCode, String), String> {
        let request = Request::post(path)
            .header(HOST, self.authority())
            .header(USER_AGENT, concat!("gaud/", env!("CARGO_PKG_VERSION")));
        let request = head(request).body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| error.to_string())?;
        let sent = timeout(ANSWER_LIMIT, self.send(request, ca_file)).await;
        let late = || format!("there was no answer within {} s", ANSWER_LIMIT.as_secs());
        sent.map_err(|_| late())?.map_err(|error| error.to_string())
    }

    /// The value of `host`.
    fn authority(self) -> String {
        let usual = if self.is_tls { 443 } else { 80 };
        let port = (self.port != usual).then(|| format!(":{}", self.port));
        let host = match self.host.contains(':') && !self.host.starts_with('[') {
            true => format!("[{}]", self.host),
            false => self.host.to_owned(),
        };
        [host, port.unwrap_or_default()].concat()
    }

    async fn send(
        self,
        request: Request<Full<Bytes>>,
        ca_file: &str,
    ) -> Result<(StatusCode, String), Box<dyn Error>> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        if !self.is_tls {
            return exchange_within(stream, request, ANSWER_BYTES_MAX).await;
        }
        let name = match host.parse::<IpAddr>() {
            Ok(address) => ServerName::from(address),
            Err(_) => ServerName::try_from(host.to_owned())?,
        };
        let connector = TlsConnector::from(Arc::new(trusting(Path::new(ca_file))?));
        exchange_within(connector.connect(name, stream).await?, request, ANSWER_BYTES_MAX).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_named_with_a_port_that_is_not_the_usual() {
        let authority = |is_tls, host, port| Remote { is_tls, host, port }.authority();
        assert_eq!(authority(true, "a.example", 443), "a.example");
        assert_eq!(authority(false, "a.example", 443), "a.example:443");
        assert_eq!(authority(false, "::1", 80), "[::1]");
        assert_eq!(authority(false, "[::1]", 81), "[::1]:81");
    }
}
