//! From a `gaud.toml` to Envoy's configuration, by the command under test.

use super::version::envoy_version;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Stands for the path of the admin interface, which is known when Envoy starts.
pub(super) const ADMIN_SOCKET: &str = "/admin.sock/of/the/test";

/// What `gaud render` prints for `toml` in a form, or its error.
pub(super) fn render(
    form: &str,
    toml: &str,
    environment: &[(&str, &str)],
) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("gaud.toml");
    std::fs::write(&config, toml).expect("gaud.toml is written");
    let Output { status, stdout, stderr } = command()
        .args(["render", "--for", form])
        .arg("--config")
        .arg(config)
        .arg("--wasm")
        .arg(filter())
        .arg("--envoy-version")
        .arg(envoy_version())
        .args(admin_socket(form))
        .envs(environment.iter().copied())
        .output()
        .expect("the gaud command runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if status.success() {
        Ok(text(&stdout))
    } else {
        Err(format!("gaud render: {status}\n{}\nfor:\n{toml}", text(&stderr)))
    }
}

/// The whole configuration has its admin interface where the tests alone find it: [`ADMIN_SOCKET`].
fn admin_socket(form: &str) -> &'static [&'static str] {
    match form == "envoy" && std::env::var_os("GAUD_TEST_RENDER").is_none() {
        true => &["--admin-socket", ADMIN_SOCKET],
        false => &[],
    }
}

/// The command under test, or a program that makes something else of what that renders.
fn command() -> Command {
    let gaud = env!("CARGO_BIN_EXE_gaud");
    let Some(program) = std::env::var_os("GAUD_TEST_RENDER") else {
        let mut command = Command::new(gaud);
        command.env_clear(); // a developer's GAUD_… or LITELLM_… must not reach a test
        return command;
    };
    let mut command = Command::new(program);
    command.env_clear().env("GAUD_BIN", gaud).env("GAUD_WASM", filter());
    let passed = ["PATH", "ISTIO_PLACE", "ISTIO_WASM"];
    command.envs(passed.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// The built filter.
pub(crate) fn filter() -> PathBuf {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/target/wasm32-wasip1/release/gaud.wasm");
    let path = std::env::var_os("GAUD_WASM").map_or_else(|| PathBuf::from(built), PathBuf::from);
    assert!(path.is_file(), "there is no filter at {}: run `make build` first", path.display());
    path
}
