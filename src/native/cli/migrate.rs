//! `gaud control`: the databases of the control server.

use std::error::Error;
use std::process::ExitCode;

use clap::Subcommand;

use crate::native::control::DataFolder;
use crate::native::database::Databases;
use crate::native::migrate::migrate;
use crate::native::settings::ConfigOption;

/// Move the data of the control server
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Copy all keys, users, changes and usage from the data folder into the PostgreSQL of `[control] database`, which must be
    /// empty
    Migrate {
        #[command(flatten)]
        config: ConfigOption,
    },
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let What::Migrate { config } = &args.what;
    let loaded = config.load()?;
    let Some(url) = &loaded.control.database else {
        return Err("control.database names no PostgreSQL; write database = \"postgres://…\" below [control]".into());
    };
    let named = loaded.file.control.as_ref().and_then(|own| own.data.as_deref());
    // Held until all is copied: no gateway may write into the folder meanwhile.
    let folder = DataFolder::open(named, &|name| std::env::var_os(name))
        .map_err(|problem| problem.to_string())?;
    let copied =
        migrate(&Databases::in_folder(folder.path()), &Databases::in_postgres(url.clone()))?;
    for (table, count) in copied {
        println!("{table:12}{count}");
    }
    println!("all of {} is in {url}", folder.path().display());
    Ok(ExitCode::SUCCESS)
}
