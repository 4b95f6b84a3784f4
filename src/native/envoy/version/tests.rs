//! Which versions are taken, which are refused, and what is said of them.

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
        let message = format!("`{bad}` is not a version of Envoy; write it as 1.40 or 1.40.0");
        assert_eq!(parsed(bad), Err(message));
    }
}

#[test]
fn an_older_version_is_refused_and_a_newer_version_warned_of() {
    let refusal = "the gateway does not run in Envoy 1.35.9; take 1.36 or newer";
    assert_eq!(parsed("1.35.9"), Err(refusal.to_owned()));
    assert_eq!(parsed("0.99").unwrap_err(), refusal.replace("1.35.9", "0.99"));
    for known in TESTED.lines().skip(1).chain(["1.37", "1.40.7"]) {
        assert_eq!(warnings(known), [""; 0]);
    }
    let warning =
        "Envoy 1.41.0 is newer than any that the gateway is tested in; the newest is 1.40.0";
    assert_eq!(warnings("1.41.0"), [warning]);
    assert_eq!(warnings("2.0").len(), 1);
}

fn warnings(text: &str) -> Vec<String> {
    text.parse::<EnvoyVersion>().unwrap().warnings().collect()
}

#[test]
fn a_version_without_a_needed_feature_is_warned_of() {
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
fn the_pinned_version_is_tested_and_no_minor_version_twice() {
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
