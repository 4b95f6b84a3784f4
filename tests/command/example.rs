//! The rendered examples are configurations that the real Envoy takes, filter and all.

#[path = "../e2e/deployments/paste.rs"]
mod paste;

use std::fs;
use std::process::Command;

use crate::folder;
use crate::run::given;

#[test]
fn envoy_accepts_the_whole_configuration() {
    assert_good(&example("envoy.yaml"));
}

#[test]
fn envoy_accepts_the_sections_in_a_users_configuration() {
    let nowhere = 1;
    assert_good(&paste::paste(&example("filter.yaml"), nowhere));
}

/// An example that looks for the filter where it is.
fn example(name: &str) -> String {
    let path = format!("{}/envoy/{name}", env!("CARGO_MANIFEST_DIR"));
    let yaml = fs::read_to_string(path).expect("the example");
    let there = "filename: \"/etc/envoy/gaud.wasm\"";
    assert!(yaml.contains(there), "the example looks for the filter elsewhere");
    yaml.replace(there, &format!("filename: {:?}", given("GAUD_WASM")))
}

fn assert_good(yaml: &str) {
    let folder = folder();
    let path = folder.path().join("envoy.yaml");
    fs::write(&path, yaml).expect("a file");
    let output = Command::new(given("ENVOY_PATH"))
        .args(["--mode", "validate", "--log-level", "warn", "-c"])
        .arg(&path)
        .envs([("LITELLM_MASTER_KEY", "sk-l"), ("ANTHROPIC_API_KEY", "sk-a")])
        .output()
        .expect("Envoy starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("[warning]"), "nothing deprecated, nothing unfinished: {said}");
}
