//! `gaud wasm`: writes the filter to a file.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::native::os_error::words;
use crate::native::render::{Form, Module};

/// Write the filter to a file, for those who run Envoy themselves
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The file to write, as /etc/envoy/gaud.wasm
    file: PathBuf,
}

/// Writes the filter, and says how large it is.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let module = Module::find(None, Form::Envoy, &|name| std::env::var_os(name))?;
    let bytes = module.bytes()?;
    let file = args.file.display();
    std::fs::write(&args.file, &bytes).map_err(|error| {
        format!("{file}: cannot be written: {}; name a file in a folder of yours", words(&error))
    })?;
    println!("{file}: the filter of gaud {}, {} bytes", env!("CARGO_PKG_VERSION"), bytes.len());
    Ok(ExitCode::SUCCESS)
}
