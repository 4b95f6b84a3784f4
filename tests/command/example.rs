//! The rendered example is a configuration that the real Envoy takes, filter and all.

use std::fs;
use std::process::Command;

use crate::folder;
use crate::run::given;

#[test]
fn envoy_takes_the_example() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/envoy.yaml");
    let yaml = fs::read_to_string(example).expect("the example");
    let there = "filename: \"/etc/envoy/gaud.wasm\"";
    assert!(yaml.contains(there), "the example looks for the filter elsewhere");
    let folder = folder();
    let path = folder.path().join("envoy.yaml");
    let here = format!("filename: {:?}", given("GAUD_WASM"));
    fs::write(&path, yaml.replace(there, &here)).expect("a file");
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
