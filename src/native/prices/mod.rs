//! What models cost: `[prices]` of the configuration, else a table in LiteLLM's format.
//!
//! A price is looked up by `provider/model`, then by the model that the provider is sent; a model that is written as
//! `vendor/model` has the vendor's price at last.
//!
//! `table.json` is in the command. `table.py` makes it of LiteLLM's `model_prices_and_context_window.json` (MIT), and keeps
//! the prices of the providers that are reached directly with the context windows of the same models, and of Bedrock and
//! Vertex AI the context windows alone.

mod decimal;
mod entry;
mod vendor;
pub mod windows;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::value::RawValue;

use crate::config::{ConfigError, File, Ordered, PriceFile};
use crate::native::lock::lock;
use crate::native::os_error::words;
pub use crate::pricing::Price;
use crate::pricing::{self, Listed};

const TABLE: &str = include_str!("table.json");

/// A file of LiteLLM's: what it says of each model.
type Table = BTreeMap<String, Box<RawValue>>;

/// The prices of all models.
#[derive(Debug, Default)]
pub struct Prices {
    /// Tells them from others; never 0.
    number: u64,
    own: Ordered<PriceFile>,
    table: Table,
    /// Whether the filter needs the prices, also where nobody has a budget.
    tells_cost: bool,
    /// Whether the filter reserves what answers usually have, and not the most that they can have.
    is_calibrated: bool,
}

/// Prices that change while the gateway runs.
#[derive(Debug, Clone)]
pub struct SharedPrices(Arc<Mutex<Arc<Prices>>>);

impl SharedPrices {
    pub fn new(prices: Prices) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(prices))))
    }

    /// The prices from now on.
    pub fn set(&self, prices: Prices) {
        *lock(&self.0) = Arc::new(prices);
    }

    pub fn now(&self) -> Arc<Prices> {
        Arc::clone(&lock(&self.0))
    }
}

/// Where a price was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    pub is_own: bool,
    pub price: Price,
}

/// Why there are no prices.
#[derive(Debug)]
pub enum PricesProblem {
    Unreadable(PathBuf, std::io::Error),
    NotPrices(PathBuf, serde_json::Error),
}

impl Prices {
    /// The prices of a configuration.
    ///
    /// # Errors
    /// The file that the configuration names cannot be read, or has no prices in it.
    pub fn of(file: &File) -> Result<Self, PricesProblem> {
        let table = read_table(file)?;
        let number = number(&file.prices, &table);
        let (tells_cost, is_calibrated) = (file.tells_cost(), file.is_calibrated());
        Ok(Self { number, own: file.prices.clone(), table, tells_cost, is_calibrated })
    }

    /// Whether the filter needs the prices, also where nobody has a budget.
    pub fn are_told(&self) -> bool {
        self.tells_cost
    }

    /// Whether the filter has to know how long answers usually are.
    pub fn are_calibrated(&self) -> bool {
        self.is_calibrated
    }

    /// A number that tells these prices from others; never 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The price of a model at a provider; `None` where there is none.
    pub fn find<'a>(&'a self, provider: &str, model: &'a str) -> Option<Found<'a>> {
        let (key, Listed { is_own, price }) =
            pricing::find(provider, model, |name| self.entry(name))?;
        Some(Found { key, is_own, price })
    }

    /// The price under a name: the configuration's own, else the table's.
    fn entry(&self, name: &str) -> Option<Listed> {
        let listed = || self.listed(name);
        match self.own.get(name) {
            Some(own) => {
                let output_max = listed().and_then(|price| price.output_max);
                Some(Listed { is_own: true, price: Price { output_max, ..of_own(own) } })
            }
            None => Some(Listed { is_own: false, price: listed()? }),
        }
    }

    /// All prices, by their names.
    pub fn all(&self) -> impl Iterator<Item = (&str, Listed)> {
        let own = self.own.iter().map(|(name, _)| name.as_str());
        let others = self.table.keys().map(String::as_str);
        let others = others.filter(|name| self.own.get(*name).is_none());
        own.chain(others).filter_map(|name| Some((name, self.entry(name)?)))
    }

    fn listed(&self, key: &str) -> Option<Price> {
        self.table.get(key).and_then(|entry| entry::read(entry)).filter(Price::is_known)
    }
}

/// The table that counts with a configuration.
fn read_table(file: &File) -> Result<Table, PricesProblem> {
    let Some(path) = file.usage.as_ref().and_then(|usage| usage.price_file.as_ref()) else {
        return Ok(serde_json::from_str(TABLE).unwrap_or_default());
    };
    let path = PathBuf::from(path);
    let text = fs::read_to_string(&path)
        .map_err(|error| PricesProblem::Unreadable(path.clone(), error))?;
    serde_json::from_str(&text).map_err(|error| PricesProblem::NotPrices(path, error))
}

fn number(own: &Ordered<PriceFile>, table: &Table) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, price) in own.iter() {
        let PriceFile { input, output, cached, cache_write } = price;
        let bits = [Some(input), Some(output), cached.as_ref(), cache_write.as_ref()];
        (name, bits.map(|own| own.map(|own| own.to_bits()))).hash(&mut hasher);
    }
    for (name, entry) in table {
        (name, entry.get()).hash(&mut hasher);
    }
    hasher.finish().max(1)
}

/// Dollars for a million tokens, as a person writes them.
fn of_own(own: &PriceFile) -> Price {
    // The shortest decimal number that is read as this float: what was written.
    let dollars = |value: f64| format!("{value}e-6");
    entry::of_dollars(&[
        ("input_cost_per_token", Some(dollars(own.input))),
        ("output_cost_per_token", Some(dollars(own.output))),
        ("cache_read_input_token_cost", own.cached.map(dollars)),
        ("cache_creation_input_token_cost", own.cache_write.map(dollars)),
    ])
}

/// The setting that names the file.
const PRICE_FILE: &str = "usage.price_file";

impl PricesProblem {
    /// The same as an error of the configuration.
    pub fn refusal(&self) -> ConfigError {
        ConfigError::new(PRICE_FILE, self.problem())
    }

    fn problem(&self) -> String {
        match self {
            Self::Unreadable(path, error) => format!(
                "{} cannot be read: {}; name a file in the format of LiteLLM's model_prices_and_context_window.json",
                path.display(),
                words(error)
            ),
            Self::NotPrices(path, error) => format!(
                "{} is not in the format of LiteLLM's model_prices_and_context_window.json: {error}",
                path.display()
            ),
        }
    }
}

impl fmt::Display for PricesProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PRICE_FILE}: {}", self.problem())
    }
}

impl std::error::Error for PricesProblem {}

#[cfg(test)]
mod tests;
