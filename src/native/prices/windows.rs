//! The context windows that the filter shows where a provider does not tell them, from the table's `max_input_tokens`.
//!
//! | provider | its list has |
//! |---|---|
//! | a vendor's, by the provider's host or by the provider's name | all models of the vendor |
//! | any | the models that the configuration names for the provider and that the vendor's rows do not have, by the rows of all vendors |
//! | no vendor's, and not LiteLLM, which tells the windows of its models | the models that its `match` may mean, by the same rows |
//!
//! A list has families: a name is left out whose window is that of the longest name in the list that begins the name.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::vendor::{is_of, vendor_of};
use super::{PricesProblem, Table, read_table};
use crate::config::File;
use crate::gateway::{Gateway, Provider, litellm};
use crate::models::context_window::{belongs, names, of};
use crate::models::{Catalog, Names};

/// Windows by the names of models, in small letters and without a vendor before them.
type Named = BTreeMap<String, u64>;

/// What a row of the table says of the window.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    litellm_provider: String,
    max_input_tokens: u64,
}

/// A row of the table.
struct Row<'t> {
    key: &'t str,
    entry: Entry,
}

/// The rows that have a window, and the window of each model, with the rows of all vendors taken together.
struct Windows<'t> {
    rows: Vec<Row<'t>>,
    everyones: Named,
}

/// The lists of a gateway's providers, in their order, as `models::context_window::of` reads them; none where a list would be empty.
///
/// # Errors
/// The file that the configuration names in the place of the table cannot be read, or has no prices in it.
pub fn lists(file: &File, gateway: &Gateway) -> Result<Vec<Option<String>>, PricesProblem> {
    let catalog = Catalog::of(gateway, &[], Names::Configured);
    let asks: Vec<Asked> =
        gateway.providers().iter().map(|own| Asked::of(own, file, &catalog)).collect();
    let has_file = file.usage.as_ref().is_some_and(|usage| usage.price_file.is_some());
    if !has_file && asks.iter().all(Asked::is_nothing) {
        return Ok(vec![None; asks.len()]);
    }
    let table = read_table(file)?;
    let windows = Windows::of(&table);
    Ok(asks.iter().map(|asked| windows.list(asked)).collect())
}

/// What the list of a provider is made for.
struct Asked<'a> {
    vendor: &'a str,
    /// The models that the configuration names.
    models: Vec<&'a str>,
    /// How the names begin that the provider's `match` may mean, in small letters.
    starts: Vec<String>,
}

impl<'a> Asked<'a> {
    fn of(provider: &'a Provider, file: &'a File, catalog: &Catalog<'a>) -> Self {
        let entries =
            catalog.entries().iter().filter(|entry| std::ptr::eq(entry.provider, provider));
        let patterns = file.providers.get(&provider.name).map(|own| own.patterns.as_slice());
        let starts = patterns.unwrap_or_default().iter().filter_map(|own| own.split('*').next());
        let starts = starts.filter(|start| !start.is_empty() && provider.name != litellm::NAME);
        Self {
            vendor: vendor_of(provider),
            models: entries.map(|entry| entry.target.model).collect(),
            starts: starts.map(str::to_ascii_lowercase).collect(),
        }
    }

    /// Whether the table need not be read.
    fn is_nothing(&self) -> bool {
        self.vendor == litellm::NAME && self.models.is_empty()
    }
}

impl<'t> Windows<'t> {
    fn of(table: &'t Table) -> Self {
        let row = |key: &'t String| {
            let entry = serde_json::from_str(table.get(key)?.get()).ok()?;
            Some(Row { key, entry })
        };
        let mut rows: Vec<Row<'t>> = table.keys().filter_map(row).collect();
        // `gpt-4o` and `azure/gpt-4o` before `azure/eu/gpt-4o`.
        rows.sort_by_key(|row| row.key.matches('/').count());
        let everyones = everyones(&rows);
        Self { rows, everyones }
    }

    fn list(&self, asked: &Asked<'_>) -> Option<String> {
        let mut names = self.of_vendor(asked.vendor);
        let own = text(&families(&names));
        let unknown = asked.models.iter().filter(|model| of(model, &own).is_none());
        let more: BTreeSet<&str> = unknown.filter_map(|model| self.family(model)).collect();
        let starts = if own.is_empty() { asked.starts.as_slice() } else { &[] };
        for (name, window) in &self.everyones {
            let is_named = more.iter().any(|family| belongs(name, family));
            if is_named || starts.iter().any(|start| name.starts_with(start)) {
                names.entry(name.clone()).or_insert(*window);
            }
        }
        Some(text(&families(&names))).filter(|list| !list.is_empty())
    }

    fn of_vendor(&self, vendor: &str) -> Named {
        let mut names = Named::new();
        for row in self.rows.iter().filter(|row| is_of(&row.entry.litellm_provider, vendor)) {
            names.entry(row.name()).or_insert(row.entry.max_input_tokens);
        }
        names
    }

    /// The longest of all vendors' names that begins `model`.
    fn family(&self, model: &str) -> Option<&str> {
        let of_name = |name| {
            let families = self.everyones.keys().filter(|family| belongs(name, family));
            families.max_by_key(|family| family.len())
        };
        names(model).find_map(of_name).map(String::as_str)
    }
}

impl Row<'_> {
    fn name(&self) -> String {
        self.key.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
    }
}

/// The window of each model: that of the row without a vendor, else that of most vendors.
fn everyones(rows: &[Row<'_>]) -> Named {
    let mut counts: BTreeMap<String, BTreeMap<u64, usize>> = BTreeMap::new();
    for row in rows {
        let weight = if row.key.contains('/') { 1 } else { rows.len() };
        *counts.entry(row.name()).or_default().entry(row.entry.max_input_tokens).or_default() +=
            weight;
    }
    let most =
        |windows: BTreeMap<u64, usize>| windows.into_iter().rev().max_by_key(|(_, count)| *count);
    counts.into_iter().filter_map(|(name, windows)| Some((name, most(windows)?.0))).collect()
}

/// The names that have another window than the rest of the list says.
fn families(names: &Named) -> Named {
    let mut shortest_first: Vec<_> = names.iter().collect();
    shortest_first.sort_by_key(|(name, _)| name.len());
    let (mut families, mut list) = (Named::new(), String::new());
    for (name, window) in shortest_first {
        // A name of digits, or with a space, would be read as something else.
        let is_writable = !name.contains(' ') && name.parse::<u64>().is_err();
        if is_writable && of(name, &list) != Some(*window) {
            families.insert(name.clone(), *window);
            list.push_str(&format!(" {window} {name}"));
        }
    }
    families
}

/// The families by their windows, as `of` reads them.
fn text(families: &Named) -> String {
    let mut by_window: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (name, window) in families {
        by_window.entry(*window).or_default().push(name);
    }
    let group = |(window, names): (&u64, &Vec<&str>)| format!("{window} {}", names.join(" "));
    by_window.iter().map(group).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
