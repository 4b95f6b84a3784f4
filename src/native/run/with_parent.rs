//! Becomes a program that ends with its parent: how `gaud run` starts Envoy.
//!
//! The kernel forgets such a wish when a process forks, and keeps it when the process becomes another program.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The hidden verb.
pub(crate) const NAME: &str = "exec-with-parent";

/// Become a program that ends with its parent
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The parent's process, which may have ended by now
    parent: i32,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Returns only where the program cannot be started.
pub(crate) fn run(args: &Args) -> io::Result<ExitCode> {
    end_with_parent()?;
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    let [program, arguments @ ..] = args.command.as_slice() else { return Ok(ExitCode::FAILURE) };
    if parent != Some(args.parent) {
        return Ok(ExitCode::FAILURE); // It has ended already.
    }
    Err(Command::new(program).args(arguments).exec())
}

#[cfg(target_os = "linux")]
fn end_with_parent() -> io::Result<()> {
    let signal = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal).map_err(io::Error::from)
}

/// Other systems do not know the wish: there Envoy outlives a killed parent.
#[cfg(not(target_os = "linux"))]
fn end_with_parent() -> io::Result<()> {
    Ok(())
}
