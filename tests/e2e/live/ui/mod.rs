//! The pages of the control server, as a browser without scripts uses them.

mod browser;
mod front;
mod keys;
mod sessions;
mod settings;
mod tokens;
mod usage;

use super::Config;
use browser::Browser;

/// Takes the place of markup in names: a page must show it as text.
const MARKUP: &str = "<script>alert(1)</script>";

/// The same as a page has it.
const ESCAPED: &str = "&lt;script&gt;alert(1)&lt;&#x2f;script&gt;";
