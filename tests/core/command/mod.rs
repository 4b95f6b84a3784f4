//! The command without an Envoy: what it prints, and how it ends.

mod check;
mod make_run;
mod models;
mod render;
mod status;
mod versions;
mod wrong;

use std::process::{Command, Output};

/// Runs `gaud` in a folder that holds `toml` as `gaud.toml`, with no environment but `env`.
fn gaud(toml: Option<&str>, env: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    if let Some(toml) = toml {
        std::fs::write(folder.path().join("gaud.toml"), toml).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_gaud"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

/// What was printed, without the line break at its end.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap().trim_end()
}
