//! TLS to a PostgreSQL, by rustls.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::url::{PostgresUrl, Trust};
use crate::native::certificates::{CA_FILES, authorities, client_config};
use crate::native::os_error::words;

/// Makes the TLS of each connection.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    pub(super) fn of(url: &PostgresUrl) -> Result<Self, String> {
        let config = match url.trust {
            Trust::Any => client_config(|_, _, _, _| Ok(())),
            Trust::Authority => checked(url, true),
            Trust::Name => checked(url, false),
        };
        config.map(|config| Self(Arc::new(config))).map_err(|error| match error {
            Error::General(words) => words,
            error => error.to_string(),
        })
    }
}

/// Takes the certificates of the authorities alone.
fn checked(url: &PostgresUrl, for_any_name: bool) -> Result<ClientConfig, Error> {
    let roots = roots(url).map_err(Error::General)?;
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().map_err(|error| Error::General(error.to_string()))?;
    client_config(move |own, chain, name, now| {
        match verifier.verify_server_cert(own, chain, name, &[], now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if for_any_name => Ok(()),
            outcome => outcome.map(drop),
        }
    })
}

fn roots(url: &PostgresUrl) -> Result<RootCertStore, String> {
    let of_system = || CA_FILES.iter().map(PathBuf::from).find(|path| path.exists());
    let Some(path) = url.ca_file.clone().or_else(of_system) else {
        return Err("this system has no file of authorities; name one by sslrootcert".to_owned());
    };
    let roots = authorities(&path)
        .map_err(|error| format!("sslrootcert {}: {}", path.display(), words(&error)))?;
    match roots.is_empty() {
        true => Err(format!("sslrootcert {} has no certificate in PEM", path.display())),
        false => Ok(roots),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Secured<S>;
    type TlsConnect = Connect;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Connect> {
        let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
        Ok(Connect { config: Arc::clone(&self.0), name })
    }
}

/// A handshake to be made.
pub(super) struct Connect {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connect {
    type Stream = Secured<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            Ok(Secured(TlsConnector::from(self.config).connect(self.name, stream).await?))
        })
    }
}

/// A connection with TLS. It gives no channel binding: the server's proof of the password is bound to nothing more.
pub(crate) struct Secured<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Secured<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
