//! Other programs: where they are, and what they say.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::miss::Miss;

/// The first executable of this name in the folders of `path`.
pub(super) fn on_path(name: &'static str, path: &OsStr) -> Result<PathBuf, Miss> {
    which::which_in_global(name, Some(path))
        .ok()
        .and_then(|mut found| found.next())
        .ok_or(Miss::NotOnPath(name))
}

/// The standard output of a program that succeeds within the limit. After the limit the program is killed.
pub(super) async fn output(command: &mut Command, limit: Duration) -> Result<String, Miss> {
    let program = PathBuf::from(command.as_std().get_program());
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let Ok(output) = timeout(limit, running).await else {
        return Err(Miss::TimedOut(program, limit));
    };
    match output {
        Ok(Output { status, stdout, .. }) if status.success() => {
            Ok(String::from_utf8_lossy(&stdout).into_owned())
        }
        Ok(Output { status, stderr, .. }) => Err(Miss::Failed(program, status, last_line(&stderr))),
        Err(error) => Err(Miss::NotStarted(program, error)),
    }
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
