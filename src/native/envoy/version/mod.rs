//! Envoy's versions: the versions that the gateway runs in, and the features that some of them lack.

use std::fmt;
use std::str::FromStr;

/// The releases that the tests run on, one for each minor version.
const TESTED: &str = include_str!("../../../../.envoy-versions");

/// A version that the gateway runs in: a minor one, `1.36`, or one of its patches, `1.36.4`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EnvoyVersion {
    minor: Minor,
    patch: Option<u16>,
}

/// A minor version. Features come with minor versions, never with patches.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Minor(u16, u16);

/// A difference between Envoy's versions that matters to the rendered configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Feature {
    /// `capability_restriction_config` is a part of `vm_config`, and each such list has a separate VM. Before, the list is
    /// next to `vm_config`, and the list of a VM's first filter applies to all filters of the VM.
    CapabilitiesOfVm,
    /// A body that was held counts once towards `request_body_buffer_limit`; before, twice.
    BodyCountedOnce,
    /// The admin interface can open a part of itself alone, by `allow_paths`.
    AdminPaths,
    /// A stream of HTTP/2 that breaks off ends with an error; before, with `NO_ERROR`.
    ResetsWithError,
    /// The name and the attributes of spans are formatted.
    FormatsSpans,
}

impl Feature {
    const fn since(self) -> Minor {
        match self {
            Self::CapabilitiesOfVm => Minor(1, 40),
            Self::BodyCountedOnce => Minor(1, 38),
            Self::ResetsWithError | Self::AdminPaths | Self::FormatsSpans => Minor(1, 37),
        }
    }
}

/// Why the gateway does not accept a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VersionError {
    Malformed(String),
    TooOld(EnvoyVersion),
}

impl EnvoyVersion {
    pub fn has(self, feature: Feature) -> bool {
        self.minor >= feature.since()
    }

    /// Whether this version names `other`: `1.36` names `1.36.4`.
    pub(super) fn includes(self, other: Self) -> bool {
        self.minor == other.minor && self.patch.is_none_or(|patch| other.patch == Some(patch))
    }

    /// The release to install: for a minor version its tested patch, where a patch is tested.
    pub(super) fn release(self) -> Self {
        tested().find(|tested| self.includes(*tested)).unwrap_or(self)
    }

    /// What a user must know of this version.
    pub(super) fn warnings(self) -> impl Iterator<Item = String> {
        let resets = !self.has(Feature::ResetsWithError);
        let resets = resets.then(|| {
            format!(
                "Envoy {self} ends HTTP/2 streams that break off with NO_ERROR, which some clients and servers take \
                 for a proper end; {} and newer do not",
                Feature::ResetsWithError.since()
            )
        });
        resets.into_iter().chain(self.untested())
    }

    /// Prints the warnings to standard error.
    pub fn warn(self) {
        for warning in self.warnings() {
            eprintln!("gaud: warning: {warning}");
        }
    }

    fn untested(self) -> Option<String> {
        let newest = tested().max_by_key(|tested| tested.minor)?;
        (self.minor > newest.minor).then(|| {
            format!(
                "Envoy {self} is newer than any that the gateway is tested in; the newest is {newest}"
            )
        })
    }

    /// A version of any age.
    fn read(text: &str) -> Option<Self> {
        // A build between releases says `1.41.0-dev`.
        let (release, _) = text.split_once('-').unwrap_or((text, ""));
        let digits = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit());
        let number = |number: &str| number.parse().ok().filter(|_| digits(number));
        let mut numbers = release.split('.').map(number);
        let minor = Minor(numbers.next()??, numbers.next()??);
        let patch = numbers.next();
        let is_whole = numbers.next().is_none() && patch != Some(None);
        is_whole.then_some(Self { minor, patch: patch.flatten() })
    }
}

fn tested() -> impl Iterator<Item = EnvoyVersion> {
    TESTED.lines().filter_map(EnvoyVersion::read)
}

impl FromStr for EnvoyVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let version = Self::read(text).ok_or_else(|| VersionError::Malformed(text.to_owned()))?;
        if tested().all(|tested| version.minor < tested.minor) {
            return Err(VersionError::TooOld(version));
        }
        Ok(version)
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl fmt::Display for EnvoyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.minor.fmt(f)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => {
                write!(f, "`{text}` is not a version of Envoy; write it as 1.40 or 1.40.0")
            }
            Self::TooOld(version) => {
                write!(f, "the gateway does not run in Envoy {version}")?;
                let oldest = tested().map(|tested| tested.minor).min();
                oldest.map_or(Ok(()), |oldest| write!(f, "; take {oldest} or newer"))
            }
        }
    }
}

impl std::error::Error for VersionError {}

#[cfg(test)]
mod tests;
