//! What `make run` prints, with a stand-in for cargo that builds a stand-in for the command.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const CARGO: &str = r#"#!/bin/sh
mkdir -p "$CARGO_TARGET_DIR/command"
printf '#!/bin/sh\necho "served: $*"\n' >"$CARGO_TARGET_DIR/command/gaud"
chmod +x "$CARGO_TARGET_DIR/command/gaud"
"#;

/// The lines of `make run`, without what Rust's own tools need.
fn make_run(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let output = Command::new("make")
        .args(["--no-print-directory", "--old-file=target-wasm32-wasip1", "run"])
        .arg(format!("CARGO={}", folder.join("cargo").display()))
        .args(arguments)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("MAKEFLAGS")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn make_run_says_how_long_the_first_build_takes_and_how_far_each_build_is() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    std::fs::write(&cargo, CARGO).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let first = "The first build takes about three minutes on two cores.";
    let steps = ["Building the filter (1 of 2) ...", "Building the command (2 of 2) ..."];
    let lines = make_run(folder.path(), &[]);
    let [said, filter, command, built, served] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!([said, filter, command], [first, steps[0], steps[1]]);
    let place = folder.path().join("target/command/gaud");
    assert!(
        built.starts_with("Built in ") && built.ends_with(&format!(" s: {}", place.display())),
        "{built}"
    );
    assert_eq!(served, "served: run");

    let lines = make_run(folder.path(), &["CONFIG=my.toml"]);
    let [filter, command, _, served] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!([filter, command], [steps[0], steps[1]]);
    assert_eq!(served, "served: run --config my.toml");
}
