//! What the command line says of a mesh.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What goes with `--for istio` alone.
#[derive(clap::Args, Debug, Default, Clone, PartialEq, Eq)]
#[command(next_help_heading = "With --for istio")]
pub struct Options {
    /// Whose proxy: that of an application, or of an ingress gateway; default: sidecar
    #[arg(long, value_name = "PLACE", value_enum)]
    pub(super) place: Option<MeshPlace>,
    /// What clients call; default, for a sidecar: gaud.default.svc.cluster.local:80
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) host: Option<HostPort>,
    /// The label of the pods; default: gaud=enabled, for a gateway istio=ingressgateway
    #[arg(long, value_name = "LABEL=VALUE")]
    pub(super) workload: Option<Label>,
    /// The SHA-256 of the filter that --wasm names by https://
    #[arg(long, value_name = "HEX")]
    pub(super) wasm_sha256: Option<Sha256>,
}

/// Whose proxy the filter goes into.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum MeshPlace {
    /// An application's, for what it sends
    #[default]
    Sidecar,
    /// An ingress gateway's
    Gateway,
}

impl MeshPlace {
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Sidecar => "the sidecars",
            Self::Gateway => "an ingress gateway",
        }
    }

    pub(super) fn context(self) -> &'static str {
        match self {
            Self::Sidecar => "SIDECAR_OUTBOUND",
            Self::Gateway => "GATEWAY",
        }
    }
}

/// A host and its port: a virtual host's name, as Istio gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostPort {
    host: String,
    pub(super) port: u16,
}

impl HostPort {
    /// What applications call, where nothing else is said; a gateway's host is its owner's own.
    pub(super) fn usual(place: MeshPlace) -> Option<Self> {
        let host = || "gaud.default.svc.cluster.local".to_owned();
        (place == MeshPlace::Sidecar).then(|| Self { host: host(), port: 80 })
    }
}

impl FromStr for HostPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write a host and its port, as gaud.default.svc.cluster.local:80";
        let (host, port) = text.rsplit_once(':').ok_or(WRONG)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(WRONG)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-*".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(WRONG);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A label of Kubernetes.
#[derive(Serialize, Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    name: String,
    value: String,
}

impl Label {
    pub(super) fn usual(place: MeshPlace) -> Self {
        let (name, value) = match place {
            MeshPlace::Sidecar => ("gaud", "enabled"),
            MeshPlace::Gateway => ("istio", "ingressgateway"),
        };
        Self { name: name.to_owned(), value: value.to_owned() }
    }
}

impl FromStr for Label {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = parts.ok_or("write a label and its value, as app=chat")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// A SHA-256 in hexadecimal digits.
#[derive(Serialize, Debug, Clone, PartialEq, Eq)]
#[serde(transparent)]
pub(super) struct Sha256(String);

impl FromStr for Sha256 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_one = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digits = is_one.then(|| text.to_ascii_lowercase());
        digits.map(Self).ok_or("write the 64 hexadecimal digits that `sha256sum gaud.wasm` prints")
    }
}

/// Options that do not fit together.
#[derive(Debug, PartialEq, Eq)]
pub enum OptionsError {
    /// An option of a mesh, and another form.
    NotIstio,
    /// A module by URL, and another form.
    UrlNotIstio,
    NoHost,
    /// A module by URL that nothing pins.
    NoSha256,
    /// A SHA-256 where none is looked at.
    NeedlessSha256,
    /// A URL that Istio's agent does not fetch.
    Scheme,
    /// An image by a tag, which may be another image tomorrow.
    NoDigest,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotIstio => {
                "--place, --host, --workload and --wasm-sha256 go with --for istio; leave them out, or add it"
            }
            Self::UrlNotIstio => {
                "--wasm: only Istio fetches the filter by a URL; name a file, or add --for istio"
            }
            Self::NoHost => {
                "--place gateway needs the --host that clients call, with the Gateway's port, as llm.example.com:443"
            }
            Self::NoSha256 => {
                "--wasm by https:// needs --wasm-sha256, the digits that `sha256sum gaud.wasm` prints"
            }
            Self::NeedlessSha256 => {
                "--wasm-sha256 goes with --wasm by https://; an image is named by its digest, and a file is as it is"
            }
            Self::Scheme => "--wasm: Istio's agent fetches https:// and oci:// URLs; name one, or a file",
            Self::NoDigest => {
                "--wasm by oci:// needs the image's digest, as oci://registry.example.com/gaud@sha256:…; a tag may move"
            }
        })
    }
}
