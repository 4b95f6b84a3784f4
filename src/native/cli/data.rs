//! The databases of the control server, for verbs that work whether the gateway runs or not.

use std::error::Error;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::native::control::{DataFolder, DataProblem};
use crate::native::database::{Databases, PostgresUrl};
use crate::native::settings::{self, ConfigOption, ControlSettings, Loaded};

/// As the control server makes it.
const FOLDER_MODE: u32 = 0o700;

/// The databases that a gateway with this configuration uses, made where there are none.
pub(super) fn made(config: &ConfigOption) -> Result<Databases, Box<dyn Error>> {
    let place = place(config)?;
    if let Place::Folder(path) = &place {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
    }
    Ok(place.databases())
}

/// The databases of the ledger that a gateway with this configuration uses.
pub(super) fn ledger(config: &ConfigOption) -> Result<Databases, Box<dyn Error>> {
    let nothing = |place: &Path| {
        format!("there is nothing in {}: the first `gaud run` makes the folder", place.display())
    };
    databases(config, nothing)
}

/// The databases that a gateway with this configuration uses; `nothing` says that a folder is not there.
pub(super) fn databases(
    config: &ConfigOption,
    nothing: impl FnOnce(&Path) -> String,
) -> Result<Databases, Box<dyn Error>> {
    let place = place(config)?;
    match &place {
        Place::Folder(path) if !path.is_dir() => Err(io::Error::other(nothing(path)).into()),
        Place::Folder(_) | Place::Postgres(_) => Ok(place.databases()),
    }
}

enum Place {
    Folder(PathBuf),
    Postgres(PostgresUrl),
}

impl Place {
    fn databases(self) -> Databases {
        match self {
            Self::Folder(path) => Databases::in_folder(&path),
            Self::Postgres(url) => Databases::in_postgres(url),
        }
    }
}

fn place(config: &ConfigOption) -> Result<Place, Box<dyn Error>> {
    let named = match config.load() {
        Ok(Loaded { control: ControlSettings { database: Some(url), .. }, .. }) => {
            return Ok(Place::Postgres(url));
        }
        Ok(loaded) => loaded.file.control.and_then(|own| own.data),
        Err(settings::Error::Nothing) => None,
        Err(error) => return Err(error.into()),
    };
    let place = DataFolder::place(named.as_deref(), &|name| std::env::var_os(name));
    let place = place.ok_or(DataProblem::NoPlace).map_err(|problem| problem.to_string())?;
    Ok(Place::Folder(place))
}
