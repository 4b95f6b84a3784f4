//! `gaud check --with-envoy`: what the real Envoy says of what is rendered.

use std::fs;
use std::path::Path;

use crate::folder;
use crate::program::{End, Program};
use crate::run::given;

fn check(folder: &Path, config: &str, wasm: &str, environment: &[(&str, &str)]) -> End {
    let arguments = ["check", "--with-envoy", "--config", config, "--wasm", wasm];
    let envoy = given("ENVOY_PATH");
    let environment = [&[("ENVOY_PATH", envoy.as_str())], environment].concat();
    Program::start(folder, &arguments, &environment).ended()
}

#[test]
fn envoy_takes_names_that_mean_something_to_yaml() {
    let names = ["ON", "NO", "Y", "TRUE", "NULL", "_", "off"];
    let provider = |name: &&str| {
        format!("[providers.p-{name}]\nurl = \"http://h\"\napi_key = \"os.environ/{name}\"\n")
    };
    let folder = folder();
    let config = "x\nadmin: {}\n#.toml";
    let toml: String = names.iter().map(provider).collect();
    fs::write(folder.path().join(config), toml).expect("a file");
    let end = check(folder.path(), config, &given("GAUD_WASM"), &names.map(|name| (name, "sk-x")));
    assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
}

#[test]
fn what_envoy_does_not_take_is_told_in_its_words() {
    let folder = folder();
    let toml = "[providers.p]\nurl = \"http://h\"\n";
    fs::write(folder.path().join("gaud.toml"), toml).expect("a file");
    fs::write(folder.path().join("gaud.wasm"), "no module").expect("a file");
    let end = check(folder.path(), "gaud.toml", "gaud.wasm", &[]);
    assert_eq!(end.status.code(), Some(1));
    let begin = "gaud: Envoy does not take the configuration that is rendered\n    [";
    assert!(end.stderr.starts_with(begin), "{}", end.stderr);
    assert!(end.stderr.ends_with("Unable to create Wasm plugin gaud_ends\n"), "{}", end.stderr);
}
