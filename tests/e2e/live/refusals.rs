//! A bad configuration leaves the configuration before in effect, and is named once.

use super::{Config, assert_served};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use std::fs::{Permissions, set_permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

const REFUSED: &str =
    "gaud: gaud.toml has changed, and is refused; the configuration before stays in effect:\n";

#[test]
fn a_mistake_is_named_once_with_its_line() {
    let one = Provider::start();
    let config = Config::of(&[("one", &one)]);
    let run = Run::start(&config.text());
    for (mistake, said) in [
        ("nonsense = 1\n", "gaud.toml:5: nonsense: is not a setting; there are: "),
        (
            "default_provider = \"two\"\n",
            "gaud.toml:5: default_provider: \"two\" is not a provider; ",
        ),
        ("= =\n", "gaud.toml:5: "),
    ] {
        let bad = Config { head: config.head.clone() + mistake, ..config.clone() };
        run.write(&bad.text());
        run.wait_for(&format!("{REFUSED}{said}"));
        assert_served(&run, "one:m", "one");
    }
    // The file is good again, and another change applies.
    let better = Config {
        head: config.head.clone() + "drain_secs = 3\nbody_limit_bytes = 4096\n",
        ..config
    };
    run.change(&better.text());
    assert_served(&run, "one:m", "one");
    assert_eq!(run.log().matches("gaud.toml:5: nonsense").count(), 1, "{}", run.log());
    assert!(!run.log().contains("update rejected"), "Envoy has seen no mistake: {}", run.log());
}

#[test]
fn an_address_in_use_is_refused_and_the_listener_stays() {
    let one = Provider::start();
    let config = Config::of(&[("one", &one)]);
    let run = Run::start(&config.text());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let other =
        Config { head: config.head.replacen("127.0.0.1:0", &address.to_string(), 1), ..config };
    run.write(&other.text());
    run.wait_for(&format!(
        "{REFUSED}{address} is in use by another program: end that one, or change `listen` in gaud.toml"
    ));
    assert_served(&run, "one:m", "one");
    // It applies as soon as it can, without another change of the file.
    drop(taken);
    run.wait_for("gaud: gaud.toml has changed: version 2 is in effect");
}

/// What Envoy cannot be given is taken back: the documents before, as a new version.
#[test]
fn a_folder_that_takes_nothing_is_named_and_the_change_applies_later() {
    let (one, two) = (Provider::start(), Provider::start());
    let mut config = Config::of(&[("one", &one)]);
    let run = Run::start(&config.text());
    let folder = run.watched().join("ecds_gaud");
    let link = run.watched().join("moved");
    std::fs::rename(&folder, &link).expect("a name");
    config.add("two", &two, "");
    run.write(&config.text());
    run.wait_for(&format!("{REFUSED}ecds_gaud cannot be written for Envoy: "));
    assert_served(&run, "one:m", "one");
    std::fs::rename(&link, &folder).expect("a name");
    run.wait_for("gaud: gaud.toml has changed: version ");
    assert_served(&run, "two:m", "two");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let one = Provider::start();
    let config = Config::of(&[("one", &one)]);
    let run = Run::start(&config.text());
    let path = run.folder().join("gaud.toml");
    std::fs::remove_file(&path).expect("a file");
    run.wait_for("and is refused; the configuration before stays in effect:\n");
    assert_served(&run, "one:m", "one");
    run.write(&Config { head: config.head.clone() + "body_limit_bytes = 4096\n", ..config }.text());
    run.wait_for("gaud: gaud.toml has changed: version 2 is in effect");
    set_permissions(&path, Permissions::from_mode(0o644)).expect("a file");
}
