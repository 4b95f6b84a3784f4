//! The pages of the control server, as a browser without scripts uses them.

mod browser;
mod command;
mod escapes;
mod front;
mod keys;
mod numbers;
mod requests;
mod sessions;
mod settings;
mod tokens;
mod usage;

use super::Config;
use crate::kit::client::{Response, h1};
use crate::kit::harness::Run;
use crate::live::chat;
use browser::Browser;

/// Takes the place of markup in names: a page must show it as text.
const MARKUP: &str = "<script>alert(1)</script>";

/// The same as a page has it.
const ESCAPED: &str = "&lt;script&gt;alert(1)&lt;&#x2f;script&gt;";

/// The key that a page shows once.
fn made(page: &str) -> String {
    let (_, rest) = page.split_once("readonly value=\"").expect("a key");
    rest.split_once('"').expect("an end").0.to_owned()
}

/// The part of a key that lists show.
fn id_of(key: &str) -> &str {
    &key["sk-prx-".len()..][..12]
}

/// A request with a client key.
fn asked(run: &Run, key: &str, model: &str) -> Response {
    let request = chat(model).header("authorization", format!("Bearer {key}"));
    h1::exchange(run.addr(), &request)
}
