//! What `gaud status` and `gaud models` say of a gateway of the same user, and of a gateway with an admin key.

use super::Config;
use super::control::{Caller, change};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// A verb in the gateway's folder, with these variables alone: whether it succeeded, and what it said.
pub(super) fn gaud(run: &Run, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaud"));
    command.args(arguments).current_dir(run.folder()).env_clear();
    command.envs(variables.iter().copied());
    let output = command.output().expect("gaud runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

pub(super) fn state(run: &Run) -> String {
    run.folder().join("state").to_str().expect("UTF-8").to_owned()
}

/// The port of `listen` is known from the control server alone.
#[test]
fn who_runs_the_gateway_needs_no_key() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.providers[0].1 += "models = [\"one:listed\"]\n";
    let run = Run::start(&config.text());
    let state = state(&run);
    let owner = [("XDG_STATE_HOME", state.as_str())];
    let (succeeded, said) = gaud(&run, &["status"], &owner);
    let shown = succeeded && said.contains(": ok\nconfiguration: version 1, applied ");
    assert!(shown && said.contains("\none "), "{said}");
    let (_, said) = gaud(&run, &["models"], &owner);
    assert!(
        said.contains("one:listed  one       listed") && !said.contains("no gateway"),
        "{said}"
    );

    // A file that is refused does not keep the state from who looks for the reason.
    let good = config.text();
    run.write(&(good.clone() + "nonsense = 1\n"));
    run.wait_for("is refused; the configuration before stays in effect");
    let (succeeded, said) = gaud(&run, &["status"], &owner);
    let reason = "version 1, applied ";
    let refused = "the file as it is now is refused:\n    gaud.toml:9: providers.one.nonsense: is not a setting";
    assert!(succeeded && said.contains(reason) && said.contains(refused), "{said}");
    run.change(
        &good.replace("workers = 2", "workers = 2\ndrain_secs = 3\nbody_limit_bytes = 4096"),
    );
    let (_, said) = gaud(&run, &["status"], &owner);
    assert!(
        said.contains("version 2, applied ") && said.contains("the last refused change, "),
        "{said}"
    );
}

#[test]
fn the_socket_of_the_owner_only_reads_and_only_for_the_owner() {
    use std::os::unix::fs::PermissionsExt;
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let link = run.folder().join("state/gaud/owner.sock");
    let socket = std::fs::read_link(&link).expect("a link");
    let ask = |request: &Request| h1::exchange_by(socket.to_str().expect("UTF-8"), request);
    assert_eq!(ask(&Request::new("GET", "/admin/status")).status, 200);
    assert_eq!(ask(&Request::new("GET", "/admin/settings")).status, 404);
    assert_eq!(ask(&change("listen", &json!("x"))).status, 404);
    assert_eq!(ask(&Request::new("POST", "/admin/status")).status, 405);
    let mode =
        |path: &Path| std::fs::metadata(path).expect("a folder").permissions().mode() & 0o777;
    for folder in [link.parent(), socket.parent()] {
        assert_eq!(mode(folder.expect("a folder")), 0o700);
    }
    // Clients have no way to the socket.
    assert_eq!(h1::exchange(run.addr(), &Request::new("GET", "/admin/status")).status, 401);
}

#[test]
fn an_admin_key_shows_the_configuration_from_elsewhere() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    Caller::of(&run).set("providers.one.timeout_secs", &json!(60));
    let (address, key) = (run.addr().to_string(), run.admin_key());
    let status = ["status", "--address", &address];
    let (succeeded, said) = gaud(&run, &status, &[("GAUD_ADMIN_KEY", &key)]);
    assert!(succeeded && said.contains("\nconfiguration: version 2, applied "), "{said}");
    assert!(!said.contains(&key));
    let (succeeded, said) = gaud(&run, &status, &[("GAUD_ADMIN_KEY", "sk-prx-wrong")]);
    let refused = format!("gaud: the gateway on {address} refuses the key in GAUD_ADMIN_KEY");
    assert!(succeeded && said.contains(&refused) && !said.contains("configuration:"), "{said}");
    // Without a key it is what every client may ask.
    let (succeeded, said) = gaud(&run, &status, &[]);
    assert!(succeeded && !said.contains("configuration:") && said.contains("\none "), "{said}");
}

/// The folder of the data belongs to a gateway that follows another file.
#[test]
fn another_gateway_of_the_same_user_is_not_taken_for_this_one() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let other = Config::of(&[("other", &one)]).text().replacen(":0", ":1", 1);
    std::fs::write(run.folder().join("other.toml"), other).expect("a file");
    let state = state(&run);
    let (succeeded, said) =
        gaud(&run, &["status", "--config", "other.toml"], &[("XDG_STATE_HOME", &state)]);
    assert!(!succeeded && said.contains("gaud: no gateway answers on 127.0.0.1:1 ("), "{said}");
}
