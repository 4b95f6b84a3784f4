//! The files of `[tls]`, read and held against each other.

use std::fs;
use std::io;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error as TlsError, InconsistentKeys};
use webpki::{EndEntityCert, KeyUsage};

use super::Secrets;
use crate::config::{ConfigError, Secret, TlsFile};
use crate::models::date;
use crate::native::os_error::words;

/// What clients are shown that connect by TLS, and what they must show.
#[derive(Clone)]
pub struct Tls {
    pub cert: String,
    pub key: String,
    pub client_ca: Option<String>,
    /// `None` where the files are elsewhere, or this user may not read the key.
    pub pair: Option<Pair>,
    /// The certificates of `client_ca`, in PEM; `None` where the file is elsewhere.
    pub client_ca_pem: Option<String>,
    /// The gateway's own certificate; `None` where the file is elsewhere.
    pub own: Option<CertificateDer<'static>>,
    /// Valid files, with which clients do not connect.
    pub warning: Option<ConfigError>,
}

/// A certificate with its chain, and the private key, in PEM.
#[derive(Clone)]
pub struct Pair {
    pub certificates: String,
    pub key: Secret,
}

impl Tls {
    /// # Errors
    /// A file is not named, cannot be read, or does not belong to the others.
    pub(super) fn read(file: &TlsFile, secrets: Secrets) -> Result<Self, ConfigError> {
        let (cert, key) = names(file)?;
        let mut tls = Self {
            cert: cert.to_owned(),
            key: key.to_owned(),
            client_ca: file.client_ca.clone(),
            pair: None,
            client_ca_pem: None,
            own: None,
            warning: None,
        };
        if secrets == Secrets::Elsewhere {
            return Ok(tls);
        }
        let chain = certificates(cert).map_err(|problem| ConfigError::new("tls.cert", problem))?;
        if let Some(client_ca) = &tls.client_ca {
            let authorities = certificates(client_ca)
                .map_err(|problem| ConfigError::new("tls.client_ca", problem))?;
            tls.client_ca_pem = Some(pem(&authorities));
        }
        tls.warning = chain.first().and_then(|own| out_of_date(own, UnixTime::now()));
        tls.own = chain.first().cloned();
        match fs::read_to_string(key) {
            Ok(text) => tls.pair = Some(pair(chain, text)?),
            Err(_) if secrets == Secrets::IfSet => {}
            Err(error) => return Err(ConfigError::new("tls.key", unreadable(&error, KEY_FILE))),
        }
        Ok(tls)
    }

    /// The files whose changes are changes of the configuration.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        [&self.cert, &self.key].into_iter().chain(&self.client_ca).map(PathBuf::from).collect()
    }

    /// The key that is needed where the gateway runs, and that this user cannot read.
    pub(super) fn missing(&self, secrets: Secrets) -> Option<String> {
        (self.pair.is_none() && secrets == Secrets::IfSet).then(|| self.key.clone())
    }
}

const CERTIFICATE_FILE: &str = "name a file of certificates in PEM";
const KEY_FILE: &str = "name a file with the private key in PEM that this user can read";

fn names(file: &TlsFile) -> Result<(&str, &str), ConfigError> {
    let problem = match (&file.cert, &file.key) {
        (Some(cert), Some(key)) => return Ok((cert, key)),
        (Some(_), None) => {
            "has a cert and no key; write key = \"FILE\", the private key of the certificate"
        }
        (None, Some(_)) => {
            "has a key and no cert; write cert = \"FILE\", the certificate of the key"
        }
        (None, None) => "has neither cert nor key; write both, or take the table out",
    };
    Err(ConfigError::new("tls", problem))
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = fs::read(path).map_err(|error| unreadable(&error, CERTIFICATE_FILE))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(format!("holds no certificate in PEM; {CERTIFICATE_FILE}")),
    }
}

fn unreadable(error: &io::Error, remedy: &str) -> String {
    format!("cannot be read ({}); {remedy}", words(error))
}

/// The certificates alone: a file may hold the private key as well, and Envoy shows certificates to who may ask.
fn pem(certificates: &[CertificateDer<'_>]) -> String {
    let block = |certificate: &CertificateDer<'_>| {
        let body = STANDARD.encode(certificate);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    };
    certificates.iter().map(block).collect()
}

fn pair(chain: Vec<CertificateDer<'static>>, key: String) -> Result<Pair, ConfigError> {
    let at = |problem: &str| Err(ConfigError::new("tls.key", problem));
    let Ok(parsed) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
        return at(
            "holds no private key in PEM; a key with a passphrase has to be written without: openssl pkey -in KEY -out FILE",
        );
    };
    let certificates = pem(&chain);
    let outcome = CertifiedKey::from_der(chain, parsed, &default_provider());
    // Envoy judges the kinds of keys that are not known here.
    if matches!(outcome, Err(TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch))) {
        return at(
            "is not the key of the certificate in cert; name two files that belong together",
        );
    }
    Ok(Pair { certificates, key: Secret::new(key) })
}

/// What clients will say of the certificate's time.
fn out_of_date(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<ConfigError> {
    let parsed = EndEntityCert::try_from(certificate).ok()?;
    // Without any authority nothing verifies; the time is looked at first.
    let outcome =
        parsed.verify_for_usage(&[], &[], &[], now, KeyUsage::server_auth(), None, None).map(drop);
    let day = |time: UnixTime| date::format(time.as_secs());
    let problem = match outcome {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            format!(
                "the certificate has expired, on {}: clients refuse it; renew it",
                day(not_after)
            )
        }
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => {
            format!(
                "the certificate is valid from {} on: clients refuse it until then",
                day(not_before)
            )
        }
        _ => return None,
    };
    Some(ConfigError::new("tls.cert", problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};

    /// Two pairs, in the files `cert`, `key` and `other`, which is the key of no certificate.
    struct Files(tempfile::TempDir);

    impl Files {
        fn new() -> Self {
            let files = Self(tempfile::tempdir().unwrap());
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["gateway.test".to_owned()]).unwrap();
            files.write("cert", &params.self_signed(&key).unwrap().pem());
            files.write("key", &key.serialize_pem());
            files.write("other", &KeyPair::generate_for(&PKCS_ED25519).unwrap().serialize_pem());
            files
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.0.path().join(name), text).unwrap();
        }

        fn read(&self, names: [Option<&str>; 3], secrets: Secrets) -> Result<Tls, String> {
            let path = |name: &str| self.0.path().join(name).display().to_string();
            let [cert, key, client_ca] = names.map(|name| name.map(path));
            Tls::read(&TlsFile { cert, key, client_ca }, secrets).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn files_that_do_not_serve_are_refused() {
        let files = Files::new();
        files.write("text", "nonsense");
        for (names, said) in [
            (
                [Some("cert"), None, None],
                "tls: has a cert and no key; write key = \"FILE\", the private key of the certificate",
            ),
            (
                [None, Some("key"), None],
                "tls: has a key and no cert; write cert = \"FILE\", the certificate of the key",
            ),
            (
                [None, None, Some("cert")],
                "tls: has neither cert nor key; write both, or take the table out",
            ),
            (
                [Some("none"), Some("key"), None],
                "tls.cert: cannot be read (it is not there); name a file of certificates in PEM",
            ),
            (
                [Some("cert"), Some("none"), None],
                "tls.key: cannot be read (it is not there); name a file with the private key in PEM that this user can read",
            ),
            (
                [Some("cert"), Some("key"), Some("none")],
                "tls.client_ca: cannot be read (it is not there); name a file of certificates in PEM",
            ),
            (
                [Some("key"), Some("key"), None],
                "tls.cert: holds no certificate in PEM; name a file of certificates in PEM",
            ),
            (
                [Some("cert"), Some("text"), None],
                "tls.key: holds no private key in PEM; a key with a passphrase has to be written without: openssl pkey -in KEY \
                 -out FILE",
            ),
            (
                [Some("cert"), Some("other"), None],
                "tls.key: is not the key of the certificate in cert; name two files that belong together",
            ),
        ] {
            assert_eq!(files.read(names, Secrets::Here).err().as_deref(), Some(said));
        }
    }

    #[test]
    fn a_file_with_both_gives_the_certificates_without_the_key() {
        let files = Files::new();
        let read = |name: &str| fs::read_to_string(files.0.path().join(name)).unwrap();
        files.write("both", &(read("key") + &read("cert")));
        let tls = files.read([Some("both"), Some("both"), Some("both")], Secrets::Here).unwrap();
        let (pair, authorities) = (tls.pair.unwrap(), tls.client_ca_pem.unwrap());
        assert!(pair.key.expose().contains("PRIVATE KEY"));
        for text in [pair.certificates, authorities] {
            assert!(text.contains("BEGIN CERTIFICATE") && !text.contains("PRIVATE"), "{text}");
        }
    }

    #[test]
    fn a_key_is_needed_only_where_the_gateway_runs() {
        let files = Files::new();
        let names = [Some("cert"), Some("none"), None];
        let tls = files.read(names, Secrets::IfSet).unwrap();
        assert!(tls.pair.is_none() && tls.missing(Secrets::IfSet).unwrap().ends_with("/none"));
        let tls = files.read([Some("none"), Some("none"), None], Secrets::Elsewhere).unwrap();
        assert_eq!(tls.missing(Secrets::Elsewhere), None);
    }

    #[test]
    fn a_certificate_is_told_before_and_after_its_time() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["gateway.test".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let on = |secs: u64| {
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs));
            out_of_date(certificate.der(), now).map(|warning| warning.to_string())
        };
        assert_eq!(on(1_600_000_000), None);
        assert_eq!(
            on(1_500_000_000).as_deref(),
            Some(
                "tls.cert: the certificate is valid from 2020-01-01T00:00:00Z on: clients refuse it until then"
            )
        );
        assert_eq!(
            on(1_900_000_000).as_deref(),
            Some(
                "tls.cert: the certificate has expired, on 2030-01-01T00:00:00Z: clients refuse it; renew it"
            )
        );
    }
}
