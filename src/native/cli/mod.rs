//! The command's verbs: what a person types, and what is printed.

mod admin;
mod check;
mod configuration;
mod control;
mod data;
mod database;
mod import;
mod key;
mod ledger;
mod limit_options;
mod login;
mod migrate;
mod models;
mod prices;
mod render;
mod route;
mod running;
mod status;
mod ui;
mod upstream;
mod usage;
mod user;
mod wasm;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::run;
use super::serve;
use super::settings::Problem;

/// An LLM gateway inside Envoy
#[derive(Parser)]
#[command(version)]
struct Gaud {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Route(route::Args),
    Models(models::Args),
    Import(import::Args),
    Render(render::Args),
    Run(run::Args),
    Serve(serve::Args),
    Status(status::Args),
    Usage(usage::Args),
    Ui(ui::Args),
    Prices(prices::Args),
    Ledger(ledger::Args),
    Control(migrate::Args),
    Admin(admin::Args),
    Key(key::Args),
    User(user::Args),
    Login(login::Args),
    Upstream(upstream::Args),
    Wasm(wasm::Args),
    #[command(name = run::with_parent::NAME, hide = true)]
    Exec(run::with_parent::Args),
}

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    carry_out(&Gaud::parse().command).unwrap_or_else(|error| {
        tell(&error.to_string());
        ExitCode::FAILURE
    })
}

/// Writes to standard error. Each line says that it comes from here, but for the indented lines of another program.
fn tell(text: &str) {
    for line in text.lines() {
        if line.starts_with(' ') { eprintln!("{line}") } else { eprintln!("gaud: {line}") }
    }
}

/// Says what is probably not what was meant.
fn warn(warnings: &[Problem]) {
    warnings.iter().for_each(|warning| tell(&format!("warning: {warning}")));
}

fn carry_out(command: &Command) -> Result<ExitCode, Box<dyn Error>> {
    Ok(match command {
        Command::Check(args) => check::run(args)?,
        Command::Route(args) => route::run(args)?,
        Command::Models(args) => models::run(args)?,
        Command::Import(args) => import::run(args)?,
        Command::Render(args) => render::run(args)?,
        Command::Run(args) => run::run(args)?,
        Command::Serve(args) => serve::run(args)?,
        Command::Status(args) => status::run(args)?,
        Command::Usage(args) => usage::run(args)?,
        Command::Ui(args) => ui::run(args)?,
        Command::Prices(args) => prices::run(args)?,
        Command::Ledger(args) => ledger::run(args)?,
        Command::Control(args) => migrate::run(args)?,
        Command::Admin(args) => admin::run(args)?,
        Command::Key(args) => key::run(args)?,
        Command::User(args) => user::run(args)?,
        Command::Login(args) => login::run(args)?,
        Command::Upstream(args) => upstream::run(args)?,
        Command::Wasm(args) => wasm::run(args)?,
        Command::Exec(args) => run::with_parent::run(args)?,
    })
}
