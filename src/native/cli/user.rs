//! `gaud user`: who owns keys, in the database of the control server. A running gateway takes a change within a second.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::data;
use super::database::{note, open, refuse_litellms};
use super::limit_options::{LimitOptions, NONE};
use crate::native::control::{
    Store, UserChange, UserRow, check_name, check_user, limits_document, now_secs, owner_word,
};
use crate::native::ledger::{Day, Group, Ledger, dollars};
use crate::native::settings::ConfigOption;

/// Make, list, change and delete the users who own keys, whether the gateway runs or not
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Make a user
    New(Named),
    /// List the users, with what each has spent
    List {
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Show a user, as JSON
    Show(One),
    /// Change a user; what is not named stays
    Set(Named),
    /// Block a user: no key of the user opens anything
    Block(One),
    /// Unblock a user
    Unblock(One),
    /// Delete a user, and revoke all keys of the user
    Delete(One),
}

#[derive(clap::Args, Debug)]
struct One {
    /// The user's id, as the list has it
    id: String,
    #[command(flatten)]
    config: ConfigOption,
}

#[derive(clap::Args, Debug)]
struct Named {
    /// The user's id
    id: String,
    /// What lists call the user
    #[arg(long)]
    name: Option<String>,
    /// Where to write to the user; `none` takes it away
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    config: ConfigOption,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    match &args.what {
        What::New(named) => new(named)?,
        What::List { config } => {
            let spend = Ledger::open(&data::ledger(config)?)?.spent(Group::User, Day::FIRST)?;
            print!("{}", table(&open(config)?.users()?, &spend));
        }
        What::Show(One { id, config }) => {
            let row = open(config)?.user(id)?.ok_or_else(|| unknown(id))?;
            println!("{:#}", shown(&row));
        }
        What::Set(named) => set(named)?,
        What::Block(one) => block(one, true)?,
        What::Unblock(one) => block(one, false)?,
        What::Delete(One { id, config }) => {
            let store = open(config)?;
            check_owner(&store, id)?;
            store.remove_user(id, now_secs())?.ok_or_else(|| unknown(id))?;
            note(&store, "user.remove", id)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn new(named: &Named) -> Result<(), Box<dyn Error>> {
    let change = named.change()?;
    let store = open(&named.config)?;
    let Named { id, .. } = named;
    let (name, email) =
        (change.name.as_deref().unwrap_or_default(), change.email.clone().flatten());
    if !store.add_user(id, name, email.as_deref(), now_secs())? {
        return Err(format!("there is a user {id} already; `gaud user set {id}` changes it").into());
    }
    note(&store, "user.new", id)?;
    let limits = UserChange { limits: change.limits, ..UserChange::default() };
    store.change_user(id, &limits)?;
    Ok(())
}

fn set(named: &Named) -> Result<(), Box<dyn Error>> {
    let change = named.change()?;
    let store = open(&named.config)?;
    check_owner(&store, &named.id)?;
    store.change_user(&named.id, &change)?.ok_or_else(|| unknown(&named.id))?;
    note(&store, "user.change", &named.id)
}

fn block(One { id, config }: &One, blocked: bool) -> Result<(), Box<dyn Error>> {
    let store = open(config)?;
    check_owner(&store, id)?;
    let change = UserChange { blocked: Some(blocked), ..UserChange::default() };
    store.change_user(id, &change)?.ok_or_else(|| unknown(id))?;
    note(&store, "user.change", id)
}

fn check_owner(store: &Store, id: &str) -> Result<(), Box<dyn Error>> {
    let is_litellms = store.user(id)?.is_some_and(|row| row.is_litellms);
    refuse_litellms("user", id, is_litellms)
}

impl Named {
    /// What is named. Refuses what no user may have.
    fn change(&self) -> Result<UserChange, Box<dyn Error>> {
        check_user(&self.id)?;
        let email = self.email.clone().map(|email| Some(email).filter(|email| email != NONE));
        check_name(self.name.as_deref().unwrap_or_default())?;
        check_name(self.email.as_deref().unwrap_or_default())?;
        let limits = self.limits.change(&self.config)?;
        Ok(UserChange { name: self.name.clone(), email, blocked: None, limits })
    }
}

fn unknown(id: &str) -> String {
    format!("there is no user {id}; `gaud user list` lists the users")
}

fn shown(row: &UserRow) -> Value {
    let UserRow { id, name, email, blocked, created_secs, limits, is_litellms, .. } = row;
    json!({
        "id": id, "name": name, "email": email, "blocked": blocked, "created_secs": created_secs,
        "limits": limits_document(limits), "owner": owner_word(*is_litellms),
    })
}

fn table(rows: &[UserRow], spend: &BTreeMap<String, i64>) -> String {
    let mut table =
        format!("{:20}  {:10}  {:7}  {:>10}  NAME\n", "ID", "CREATED", "STATE", "SPEND USD");
    for UserRow { id, name, blocked, created_secs, .. } in rows {
        let state = if *blocked { "blocked" } else { "valid" };
        let spent = dollars(spend.get(id).copied().unwrap_or_default());
        table += &format!("{id:20}  {created_secs:10}  {state:7}  {spent:>10}  {name}\n");
    }
    table
}
