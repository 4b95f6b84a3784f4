//! The command `gaud`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gaud::native::cli::main()
}
