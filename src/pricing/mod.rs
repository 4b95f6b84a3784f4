//! What models cost, as the filter and the command count it: the same code for both.
//!
//! | file | what it knows |
//! |---|---|
//! | [`price`] | what an attempt has cost by a model's prices, and what a request can cost at most |
//! | [`record`] | the bytes of a price |
//! | [`lookup`] | under which names a price is looked up |

pub mod lookup;
pub mod price;
pub mod record;

pub use lookup::{Listed, find};
pub use price::{Price, Rates, SEARCH};
