//! Why nothing was rendered.

use std::fmt;
use std::path::PathBuf;

use super::istio;
use crate::native::settings;

/// Why nothing was rendered.
#[derive(Debug)]
pub enum Error {
    Config(settings::Error),
    /// The filter is in none of these places.
    NoWasm(Vec<PathBuf>),
    /// The filter is in this command alone, and Envoy needs a file.
    OnlyEmbedded,
    /// Options that do not fit together.
    Options(istio::OptionsError),
    /// No pod can have the filter there.
    NoFolder(PathBuf),
    /// The admin interface of an Envoy that has one already.
    AdminSocket,
    Template(minijinja::Error),
    /// Nobody can write where it was to go.
    Output(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NoWasm(places) => {
                let places: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
                write!(
                    f,
                    "the filter gaud.wasm is not there ({}); build it with `make build`, or name \
                     it with --wasm or GAUD_WASM",
                    places.join(", ")
                )
            }
            Self::OnlyEmbedded => f.write_str(
                "Envoy needs the filter as a file: write one with `gaud wasm /etc/envoy/gaud.wasm`, and name it with --wasm \
                 /etc/envoy/gaud.wasm",
            ),
            Self::Options(refused) => refused.fmt(f),
            Self::NoFolder(module) => write!(
                f,
                "--wasm {}: a pod gets the filter as a file in a folder of its own; name it by its \
                 whole path, as /etc/gaud/gaud.wasm",
                module.display()
            ),
            Self::AdminSocket => f.write_str(
                "--admin-socket goes with --for envoy; any other Envoy has its admin interface already",
            ),
            Self::Template(error) => {
                write!(f, "the Envoy configuration cannot be rendered: {error}")
            }
            Self::Output(error) => write!(f, "the Envoy configuration cannot be printed: {error}"),
        }
    }
}

impl std::error::Error for Error {}
