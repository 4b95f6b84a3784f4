//! `gaud admin`: the admin keys, in the database of the control server.

use std::error::Error;
use std::process::ExitCode;

use clap::Subcommand;

use super::database::{note, open};
use crate::native::control::{AdminKeyRow, IssuedKey, Store, now_secs};
use crate::native::settings::ConfigOption;

/// Make, list and revoke admin keys, whether the gateway runs or not
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// The keys that open /admin
    #[command(subcommand)]
    Key(Key),
}

#[derive(Subcommand, Debug)]
enum Key {
    /// Make a key, and show it once
    New {
        /// What lists call the key
        #[arg(long, default_value = "admin")]
        name: String,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// List the keys, without what opens anything
    List {
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Revoke a key: it opens nothing from now on
    Revoke {
        /// The key's id, as the list has it
        id: String,
        #[command(flatten)]
        config: ConfigOption,
    },
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let What::Key(key) = &args.what;
    match key {
        Key::New { name, config } => new(&open(config)?, name),
        Key::List { config } => {
            print!("{}", table(&open(config)?.admin_keys()?));
            Ok(ExitCode::SUCCESS)
        }
        Key::Revoke { id, config } => revoke(&open(config)?, id),
    }
}

fn new(store: &Store, name: &str) -> Result<ExitCode, Box<dyn Error>> {
    let key = IssuedKey::admin()?;
    store.add_admin_key(key.id(), &key.hash(), name, now_secs())?;
    note(store, "new", key.id())?;
    println!("{}", key.expose());
    Ok(ExitCode::SUCCESS)
}

fn revoke(store: &Store, id: &str) -> Result<ExitCode, Box<dyn Error>> {
    if !store.revoke_admin_key(id, now_secs())? {
        return Err(format!(
            "there is no key {id}, or it is revoked; `gaud admin key list` lists the keys"
        )
        .into());
    }
    note(store, "revoke", id)?;
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[AdminKeyRow]) -> String {
    let mut table = format!("{:12}  {:10}  {:7}  NAME\n", "ID", "CREATED", "STATE");
    for AdminKeyRow { id, name, created_secs, revoked_secs } in rows {
        let state = if revoked_secs.is_some() { "revoked" } else { "valid" };
        table += &format!("{id:12}  {created_secs:10}  {state:7}  {name}\n");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_no_key_in_it() {
        let row = |id: &str, revoked_secs| AdminKeyRow {
            id: id.to_owned(),
            name: "ann".to_owned(),
            created_secs: 1_795_948_573,
            revoked_secs,
        };
        let expected = "\
ID            CREATED     STATE    NAME
adm123456789  1795948573  valid    ann
adm987654321  1795948573  revoked  ann
";
        assert_eq!(table(&[row("adm123456789", None), row("adm987654321", Some(5))]), expected);
    }
}
