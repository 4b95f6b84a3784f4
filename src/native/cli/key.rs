//! `gaud key`: client keys, in the database of the control server. A running gateway takes a change within a second.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::data;
use super::database::{CALLER, note, open, refuse_litellms};
use super::limit_options::{LimitOptions, NONE, budget_of, check_metered};
use crate::config::{KeysFile, LimitsFile};
use crate::limits::Limits;
use crate::native::control::{
    IssuedKey, KeyChange, KeyFilter, KeyRow, ModelLimitFields, ModelLimits, NewKey, Store,
    check_models, check_name, check_user, key_state, limits_document, model_limits,
    model_limits_document, now_secs, owner_word, parse_duration,
};
use crate::native::ledger::{Day, Group, Ledger, dollars};
use crate::native::settings::ConfigOption;

/// Make, list, change and revoke the keys of clients, whether the gateway runs or not
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Make a key, and show it once
    New {
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// List the keys, without what opens anything
    List {
        /// The keys of this user alone
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// Revoked keys too
        #[arg(long)]
        revoked: bool,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Show a key, without what opens anything, as JSON
    Show(One),
    /// Change a key; what is not named stays
    Update {
        /// The key's id, as the list has it
        id: String,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Block a key: it opens nothing until it is unblocked
    Block(One),
    /// Unblock a key
    Unblock(One),
    /// Revoke a key: it opens nothing from now on
    Revoke(One),
}

#[derive(clap::Args, Debug)]
struct One {
    /// The key's id, as the list has it
    id: String,
    #[command(flatten)]
    config: ConfigOption,
}

#[derive(clap::Args, Debug)]
struct Fields {
    /// What lists call the key
    #[arg(long)]
    name: Option<String>,
    /// Who owns the key; the user is made where there is none
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// A model that the key may call, as clients ask for it, or a pattern with `*`; several times for several, "*" for every model.
    /// Default: every model
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// How long the key lasts from now on, as 12h or 30d, or `never`. Default: never
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    #[command(flatten)]
    limits: LimitOptions,
    /// A budget of the key for one model, or for a pattern, as gpt-4o=5/day; several times for several, and in the place of those
    /// before; `none` takes all limits of models away
    #[arg(long = "model-budget", value_name = "MODEL=USD/WINDOW")]
    model_budgets: Vec<String>,
}

/// The word for a key without an end.
const NEVER: &str = "never";

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    match &args.what {
        What::New { fields, config } => new(&open(config)?, fields, config)?,
        What::List { user, revoked, config } => {
            let spend = Ledger::open(&data::ledger(config)?)?.spent(Group::Key, Day::FIRST)?;
            print!("{}", list(&open(config)?, user.clone(), *revoked, &spend)?);
        }
        What::Show(One { id, config }) => {
            println!("{:#}", shown(&found(&open(config)?, id)?, now_secs()));
        }
        What::Update { id, fields, config } => update(&open(config)?, id, fields, config)?,
        What::Block(one) => block(one, true)?,
        What::Unblock(one) => block(one, false)?,
        What::Revoke(One { id, config }) => {
            let store = open(config)?;
            check_owner(&store, id)?;
            store.revoke_key(id, now_secs())?.ok_or_else(|| unknown(id))?;
            note(&store, "key.revoke", id)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn new(store: &Store, fields: &Fields, config: &ConfigOption) -> Result<(), Box<dyn Error>> {
    let limits = fields.limits.change(config)?.of(default_limits(config)?);
    let expires_secs = fields.checked(store)?.flatten();
    let key = IssuedKey::client()?;
    let new = NewKey {
        name: fields.name.clone().unwrap_or_default(),
        user: fields.user.clone(),
        models: fields.models.clone(),
        expires_secs,
        blocked: false,
        limits,
        model_limits: fields.model_limits(config)?.unwrap_or_default(),
    };
    store.add_key(key.id(), &key.hash(), &new, CALLER, now_secs())?;
    note(store, "key.new", key.id())?;
    println!("{}", key.expose());
    Ok(())
}

/// The limits of new keys.
fn default_limits(config: &ConfigOption) -> Result<Limits, Box<dyn Error>> {
    let Ok(loaded) = config.load() else { return Ok(Limits::NONE) };
    Ok(loaded.file.keys.as_ref().map_or(Ok(Limits::NONE), KeysFile::default_limits)?)
}

fn update(
    store: &Store,
    id: &str,
    fields: &Fields,
    config: &ConfigOption,
) -> Result<(), Box<dyn Error>> {
    check_owner(store, id)?;
    let expires_secs = fields.checked(store)?;
    let change = KeyChange {
        name: fields.name.clone(),
        user: fields.user.clone().map(Some),
        models: Some(fields.models.clone()).filter(|models| !models.is_empty()),
        expires_secs,
        blocked: None,
        limits: fields.limits.change(config)?,
        model_limits: fields.model_limits(config)?,
    };
    store.change_key(id, &change, now_secs())?.ok_or_else(|| unknown(id))?;
    note(store, "key.change", id)
}

fn block(One { id, config }: &One, blocked: bool) -> Result<(), Box<dyn Error>> {
    let store = open(config)?;
    check_owner(&store, id)?;
    let change = KeyChange { blocked: Some(blocked), ..KeyChange::default() };
    store.change_key(id, &change, now_secs())?.ok_or_else(|| unknown(id))?;
    note(&store, if blocked { "key.block" } else { "key.unblock" }, id)
}

impl Fields {
    /// The limits of models; `None` where none are named.
    fn model_limits(&self, config: &ConfigOption) -> Result<Option<ModelLimits>, Box<dyn Error>> {
        if self.model_budgets.is_empty() {
            return Ok(None);
        }
        let mut all = ModelLimitFields::new();
        for text in self.model_budgets.iter().filter(|text| *text != NONE) {
            let (model, budget) = text.rsplit_once('=').ok_or_else(|| {
                let shown = text.escape_default();
                format!("--model-budget is \"{shown}\"; write a model, dollars and a window, as gpt-4o=5/day")
            })?;
            let budget = Some(budget_of("--model-budget", budget, false)?);
            all.insert(model.to_owned(), LimitsFile { budget, ..LimitsFile::default() });
        }
        let limits = model_limits(&all).map_err(|problem| format!("--model-budget: {problem}"))?;
        if !limits.is_empty() {
            check_metered(config)?;
        }
        Ok(Some(limits))
    }

    /// Refuses what no key may have, and makes the user. Returns when the key ends, where that is said.
    fn checked(&self, store: &Store) -> Result<Option<Option<i64>>, Box<dyn Error>> {
        check_name(self.name.as_deref().unwrap_or_default())?;
        check_models(&self.models)?;
        let expires_secs = match self.expires.as_deref() {
            None => None,
            Some(NEVER) => Some(None),
            Some(time) => Some(Some(now_secs().saturating_add(parse_duration(time)?))),
        };
        if let Some(user) = &self.user {
            check_user(user)?;
            if store.add_user(user, "", None, now_secs())? {
                note(store, "user.new", user)?;
            }
        }
        Ok(expires_secs)
    }
}

fn check_owner(store: &Store, id: &str) -> Result<(), Box<dyn Error>> {
    let is_litellms = store.key(id)?.is_some_and(|row| row.is_litellms);
    refuse_litellms("key", id, is_litellms)
}

fn found(store: &Store, id: &str) -> Result<KeyRow, Box<dyn Error>> {
    Ok(store.key(id)?.ok_or_else(|| unknown(id))?)
}

fn unknown(id: &str) -> String {
    format!("there is no key {id}, or it is revoked; `gaud key list` lists the keys")
}

fn shown(row: &KeyRow, now_secs: i64) -> serde_json::Value {
    json!({
        "id": row.id, "name": row.name, "user": row.user, "models": row.models, "state": key_state(row, now_secs),
        "expires_secs": row.expires_secs, "created_secs": row.created_secs, "created_by": row.created_by,
        "changed_secs": row.changed_secs, "revoked_secs": row.revoked_secs, "limits": limits_document(&row.limits),
        "model_limits": model_limits_document(&row.model_limits), "owner": owner_word(row.is_litellms),
    })
}

/// What keys have spent, in nano-dollars, by their ids.
type Spend = BTreeMap<String, i64>;

fn list(
    store: &Store,
    user: Option<String>,
    revoked: bool,
    spend: &Spend,
) -> Result<String, Box<dyn Error>> {
    let filter = KeyFilter { user, after: None, limit: usize::MAX, with_revoked: revoked };
    Ok(table(&store.keys(&filter)?, spend, now_secs()))
}

fn table(rows: &[KeyRow], spend: &Spend, now_secs: i64) -> String {
    let mut table = format!(
        "{:12}  {:10}  {:10}  {:7}  {:>10}  {:12}  MODELS  NAME\n",
        "ID", "CREATED", "EXPIRES", "STATE", "SPEND USD", "USER"
    );
    for row in rows {
        let expires = row.expires_secs.map_or_else(|| NEVER.to_owned(), |secs| secs.to_string());
        let models = if row.models.is_empty() { "*".to_owned() } else { row.models.join(",") };
        let (state, user) = (key_state(row, now_secs), row.user.as_deref().unwrap_or("-"));
        let KeyRow { id, name, created_secs, .. } = row;
        let spent = dollars(spend.get(id).copied().unwrap_or_default());
        table += &format!(
            "{id:12}  {created_secs:10}  {expires:10}  {state:7}  {spent:>10}  {user:12}  {models}  {name}\n"
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyHash;
    use crate::native::control::Carried;

    #[test]
    fn the_list_has_no_key_in_it() {
        let row = |id: &str, expires_secs| KeyRow {
            id: id.to_owned(),
            hash: KeyHash::of(id),
            name: "laptop".to_owned(),
            user: Some("ann".to_owned()),
            models: Vec::new(),
            expires_secs,
            blocked: false,
            created_secs: 1_795_948_573,
            created_by: CALLER.to_owned(),
            changed_secs: 0,
            revoked_secs: None,
            limits: Limits::NONE,
            model_limits: ModelLimits::new(),
            is_litellms: false,
            carried: Carried::default(),
        };
        let limited = KeyRow {
            models: vec!["gpt-*".to_owned(), "claude:opus".to_owned()],
            user: None,
            blocked: true,
            ..row("abcdefghijk2", Some(1_795_948_574))
        };
        let rows = [row("abcdefghijk1", None), limited, row("abcdefghijk3", Some(1_795_948_574))];
        let expected = "\
ID            CREATED     EXPIRES     STATE     SPEND USD  USER          MODELS  NAME
abcdefghijk1  1795948573  never       valid     0.0031635  ann           *  laptop
abcdefghijk2  1795948573  1795948574  blocked        0.00  -             gpt-*,claude:opus  laptop
abcdefghijk3  1795948573  1795948574  expired        0.00  ann           *  laptop
";
        let spend = Spend::from([("abcdefghijk1".to_owned(), 3_163_500)]);
        assert_eq!(table(&rows, &spend, 1_795_948_574), expected);
    }
}
