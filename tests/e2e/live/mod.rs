//! A configuration that changes while `gaud run` serves.

mod changes;
mod control;
mod figures;
mod files;
mod kills;
mod litellm_file;
mod refusals;
mod renewal;
mod secrets;
mod status;
mod tls;
mod traffic;
mod ui;

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use std::fmt::Write;
use std::net::SocketAddr;

/// A configuration as a test writes it: the head, then a table for each provider.
#[derive(Clone)]
struct Config {
    head: String,
    providers: Vec<(&'static str, String)>,
    tables: String,
}

impl Config {
    fn of(providers: &[(&'static str, &Provider)]) -> Self {
        let head = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 2\nallow_hosts = [\"gateway\"]\n";
        let mut config =
            Self { head: head.to_owned(), providers: Vec::new(), tables: String::new() };
        providers.iter().for_each(|(name, server)| config.add(name, server, ""));
        config
    }

    fn add(&mut self, name: &'static str, server: &Provider, settings: &str) {
        let table = format!("url = \"{}/v1\"\n{settings}\n", server.url());
        self.providers.push((name, table));
    }

    fn text(&self) -> String {
        let mut text = self.head.clone();
        for (name, table) in &self.providers {
            write!(text, "[providers.{name}]\n{table}").expect("a text");
        }
        text + &self.tables
    }
}

fn chat(model: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{model}","messages":[]}}"#))
}

fn ask(addr: SocketAddr, model: &str) -> Response {
    h1::exchange(addr, &chat(model))
}

/// Fails unless the next request for `model` gets an answer from this provider.
#[track_caller]
fn assert_served(run: &Run, model: &str, provider: &str) {
    let response = ask(run.addr(), model);
    let from = response.header("x-gaud-provider").unwrap_or_default();
    assert_eq!(
        (response.status, from.as_str()),
        (200, provider),
        "{}\n{}",
        response.text(),
        run.log()
    );
}
