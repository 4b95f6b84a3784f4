//! The ways in which files are replaced, and the files that a configuration names.

use super::{Config, assert_served};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use crate::kit::upstream::tls::Authority;
use std::os::unix::fs::symlink;

/// A folder of versions, and a link that is turned as a whole.
#[test]
fn a_link_that_kubernetes_turns_is_a_change() {
    let (one, two) = (Provider::start(), Provider::start());
    let folder = tempfile::tempdir().expect("a folder").keep();
    let version = |name: &str, config: &Config| {
        std::fs::create_dir(folder.join(name)).expect("a folder");
        std::fs::write(folder.join(name).join("gaud.toml"), config.text()).expect("a file");
    };
    version("1", &Config::of(&[("one", &one)]));
    version("2", &Config::of(&[("one", &one), ("two", &two)]));
    symlink("1", folder.join("..data")).expect("a link");
    symlink("..data/gaud.toml", folder.join("gaud.toml")).expect("a link");
    let run = Run::start_in(folder.clone(), &[]);
    assert_served(&run, "one:m", "one");
    symlink("2", folder.join("..data_tmp")).expect("a link");
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("a turned link");
    run.wait_for("gaud: gaud.toml has changed: version 2 is in effect");
    assert_served(&run, "two:m", "two");
}

/// Writes that take their time are read when they are over.
#[test]
fn a_file_that_is_written_in_place_is_read_as_a_whole() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let text = Config::of(&[("one", &one), ("two", &two)]).text();
    std::fs::write(run.folder().join("gaud.toml"), text).expect("a file");
    run.wait_for("gaud: gaud.toml has changed: version 2 is in effect");
    assert_served(&run, "two:m", "two");
}

#[test]
fn a_renewed_authority_is_a_change() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let server = Provider::start_tls(&new);
    let folder = tempfile::tempdir().expect("a folder").keep();
    let place = folder.join("ca.pem");
    old.write_pem(&place);
    let mut config = Config::of(&[]);
    let url =
        format!("url = \"https://localhost:{}/v1\"\nca_file = \"ca.pem\"\n", server.addr().port());
    config.providers.push(("one", url));
    std::fs::write(folder.join("gaud.toml"), config.text()).expect("a file");
    let run = Run::start_in(folder, &[]);
    let refused = super::ask(run.addr(), "one:m");
    assert_eq!(refused.status, 503, "{}", refused.text());
    new.write_pem(&place);
    run.wait_for("gaud: gaud.toml has changed: version 2 is in effect");
    assert_served(&run, "one:m", "one");
}
