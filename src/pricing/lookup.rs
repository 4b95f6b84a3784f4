//! Under which names a price is looked up.
//!
//! | name | of |
//! |---|---|
//! | `provider/model`, then `model` | `[prices]` of the configuration |
//! | `provider/model`, then `model` | the table |
//! | `name` of a model `vendor/name` | the table, where the price is the vendor's |

use std::borrow::Cow;

use super::Price;

/// A price, and whether it is the configuration's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub is_own: bool,
    pub price: Price,
}

/// The price of a model at a provider, with its name; `None` where there is none. `list` has one price for each name: the
/// configuration's own takes the place of the table's.
pub fn find<'a>(
    provider: &str,
    model: &'a str,
    list: impl Fn(&str) -> Option<Listed>,
) -> Option<(Cow<'a, str>, Listed)> {
    let joined = format!("{provider}/{model}");
    let of_provider = list(&joined);
    if of_provider.as_ref().is_none_or(|listed| !listed.is_own) {
        let of_model = list(model).filter(|listed| listed.is_own || of_provider.is_none());
        if let Some(listed) = of_model {
            return Some((model.into(), listed));
        }
    }
    if let Some(listed) = of_provider {
        return Some((joined.into(), listed));
    }
    let (vendor, name) = model.split_once('/')?;
    let listed = list(name).filter(|own| !own.is_own && own.price.provider == vendor)?;
    Some((name.into(), listed))
}
