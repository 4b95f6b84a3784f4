//! Envoy's versions: those that the gateway runs in, and what some of them lack.

use std::fmt;
use std::str::FromStr;

/// The releases that the tests run on, one for each minor version.
const TESTED: &str = include_str!("../../../.envoy-versions");

/// A version that the gateway runs in: a minor one, `1.36`, or one of its patches, `1.36.4`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct EnvoyVersion {
    minor: Minor,
    patch: Option<u16>,
}

/// What tells Envoy's features: a patch brings none.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Minor(u16, u16);

/// What Envoy's versions differ in, as far as the rendered configuration is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Feature {
    /// `capability_restriction_config` stands in the `vm_config`, and makes a VM of its own; before,
    /// it stands beside it, and the first filter of a VM decides for all of its filters.
    CapabilitiesOfVm,
    /// A body that was held counts once towards `request_body_buffer_limit`; before, twice.
    BodyCountedOnce,
    /// A stream of HTTP/2 that breaks off ends with an error; before, with `NO_ERROR`.
    ResetsWithError,
}

impl Feature {
    const fn since(self) -> Minor {
        match self {
            Self::CapabilitiesOfVm => Minor(1, 40),
            Self::BodyCountedOnce => Minor(1, 38),
            Self::ResetsWithError => Minor(1, 37),
        }
    }
}

/// Why the gateway does not run in a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    Malformed(String),
    TooOld(EnvoyVersion),
}

impl EnvoyVersion {
    pub(crate) fn has(self, feature: Feature) -> bool {
        self.minor >= feature.since()
    }

    /// Whether `other` is what is meant by this: `1.36.4` is meant by `1.36`.
    pub(super) fn includes(self, other: Self) -> bool {
        self.minor == other.minor && self.patch.is_none_or(|patch| other.patch == Some(patch))
    }

    /// The patch to take: for a minor version the tested one, where there is one.
    pub(super) fn release(self) -> Self {
        tested().find(|tested| self.includes(*tested)).unwrap_or(self)
    }

    /// What a user must know of this version.
    pub(crate) fn warnings(self) -> impl Iterator<Item = String> {
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
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let version = Self::read(text).ok_or_else(|| Refused::Malformed(text.to_owned()))?;
        if tested().all(|tested| version.minor < tested.minor) {
            return Err(Refused::TooOld(version));
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

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => {
                write!(f, "`{text}` is no version of Envoy; write it as 1.40 or 1.40.0")
            }
            Self::TooOld(version) => {
                write!(f, "the gateway does not run in Envoy {version}")?;
                let oldest = tested().map(|tested| tested.minor).min();
                oldest.map_or(Ok(()), |oldest| write!(f, "; take {oldest} or newer"))
            }
        }
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::super::PINNED;
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        let version = text.parse::<EnvoyVersion>();
        version.map(|version| version.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_version_has_two_numbers_or_three() {
        for good in ["1.36", "1.36.4", "1.40.0", "1.41", "2.0"] {
            assert_eq!(parsed(good).as_deref(), Ok(good));
        }
        assert_eq!(parsed("1.41.0-dev").as_deref(), Ok("1.41.0"));
        for bad in ["", "1", "1.", "1.36.", "1.36.4.0", "v1.36", "1.x", "1.70000", "1.+36", "latest"] {
            let message = format!("`{bad}` is no version of Envoy; write it as 1.40 or 1.40.0");
            assert_eq!(parsed(bad), Err(message));
        }
    }

    #[test]
    fn an_older_one_is_refused_and_a_newer_one_warned_of() {
        let refusal = "the gateway does not run in Envoy 1.35.9; take 1.36 or newer";
        assert_eq!(parsed("1.35.9"), Err(refusal.to_owned()));
        assert_eq!(parsed("0.99").unwrap_err(), refusal.replace("1.35.9", "0.99"));
        for known in TESTED.lines().skip(1).chain(["1.37", "1.40.7"]) {
            assert_eq!(warnings(known), [""; 0]);
        }
        let warning = "Envoy 1.41.0 is newer than any that the gateway is tested in; the newest is 1.40.0";
        assert_eq!(warnings("1.41.0"), [warning]);
        assert_eq!(warnings("2.0").len(), 1);
    }

    fn warnings(text: &str) -> Vec<String> {
        text.parse::<EnvoyVersion>().unwrap().warnings().collect()
    }

    #[test]
    fn what_cannot_be_made_up_for_is_warned_of() {
        let warning = "Envoy 1.36.4 ends HTTP/2 streams that break off with NO_ERROR, which some clients and servers \
                       take for a proper end; 1.37 and newer do not";
        assert_eq!(warnings("1.36.4"), [warning]);
    }

    #[test]
    fn a_minor_version_means_its_tested_patch() {
        let version = |text: &str| text.parse::<EnvoyVersion>().unwrap();
        for (asked, release) in [("1.38", "1.38.2"), ("1.38.1", "1.38.1"), ("1.41", "1.41")] {
            assert_eq!(version(asked).release(), version(release));
        }
        assert!(version("1.38").includes(version("1.38.7")));
        assert!(!version("1.38.2").includes(version("1.38.7")));
        assert!(!version("1.38").includes(version("1.39.3")));
    }

    #[test]
    fn the_pinned_one_is_tested_and_no_minor_version_twice() {
        let versions: Vec<_> = tested().collect();
        assert_eq!(versions.len(), TESTED.lines().count());
        assert!(versions.is_sorted_by(|one, next| one.minor < next.minor));
        assert!(TESTED.lines().any(|version| version == PINNED));
    }

    #[test]
    fn features_begin_with_a_minor_version() {
        for (feature, without, with) in [
            (Feature::CapabilitiesOfVm, ["1.39", "1.39.3"], ["1.40", "1.40.0"]),
            (Feature::BodyCountedOnce, ["1.36.4", "1.37.0"], ["1.38", "1.41.2"]),
            (Feature::ResetsWithError, ["1.36", "1.36.4"], ["1.37.0", "1.40"]),
        ] {
            let has = |text: &str| text.parse::<EnvoyVersion>().unwrap().has(feature);
            assert!(with.into_iter().all(has) && !without.into_iter().any(has), "{feature:?}");
        }
    }
}
