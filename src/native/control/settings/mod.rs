//! The settings of the file, one by one: read, and changed in the text, with the comments and the order of the file kept.

mod edit;
mod key;
mod references;
mod take;
mod value;
mod view;

#[cfg(test)]
mod test_check;

pub use edit::{Check, EditError, Edited, Fault, change};
pub use key::SettingKey;
pub(super) use key::dotted;
pub use view::{MASK, Setting, Source, is_secret_place, view};
