//! `gaud usage`: what was used, and what it cost, from the ledger.

use std::error::Error;
use std::fmt::Write;
use std::process::ExitCode;

use clap::ValueEnum;

use super::data;
use crate::native::control::now_secs;
use crate::native::ledger::{Day, Group, Ledger, Query, Report, Row, csv, dollars, since};
use crate::native::settings::ConfigOption;

/// Print what was used, and what it cost, whether the gateway runs or not
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What to sum by
    #[arg(long, value_delimiter = ',', default_value = "day", value_name = "COLUMN")]
    by: Vec<Group>,
    /// The first day, as 2026-11-01, or a number of days, as 7d
    #[arg(long, default_value = "30d", value_name = "DAY")]
    since: String,
    /// The last day; default: today
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    #[arg(long, default_value = "table")]
    format: Format,
    #[command(flatten)]
    config: ConfigOption,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// The sums that a table has.
const COLUMNS: [&str; 6] = ["attempts", "failed", "guessed", "input", "cached", "output"];

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let today = Day::of_secs(now_secs());
    let query = Query {
        by: args.by.clone(),
        since: since(&args.since, today)?,
        until: args.until.unwrap_or(today),
    };
    let rows = Ledger::open(&data::ledger(&args.config)?)?.report(&query)?;
    match args.format {
        Format::Table => print!("{}", table(&query, &rows)),
        Format::Csv => print!("{}", csv(&query, &rows)),
        Format::Json => println!("{}", serde_json::to_string(&Report::of(&query, &rows))?),
    }
    let unpriced: i64 = rows.iter().map(|row| row.sum("unpriced")).sum();
    if unpriced > 0 {
        super::tell(&format!(
            "{unpriced} attempts have no price and count as 0: set one by [prices]"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(query: &Query, rows: &[Row]) -> String {
    let mut lines = vec![heads(query, &COLUMNS, "COST USD")];
    lines.extend(rows.iter().map(|row| {
        let group = row.group.iter().map(|(_, value)| shown(value));
        let sums = COLUMNS.map(|name| row.sum(name).to_string());
        group.chain(sums).chain([dollars(row.cost_nanos)]).collect()
    }));
    let mut widths = vec![0; lines.first().map_or(0, Vec::len)];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut table = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(place, (cell, width))| {
            match place < query.by.len() {
                true => format!("{cell:width$}"),
                false => format!("{cell:>width$}"),
            }
        });
        let _ = writeln!(table, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    table
}

fn heads(query: &Query, columns: &[&str], cost: &str) -> Vec<String> {
    let group = query.by.iter().map(|group| group.as_str().to_uppercase());
    let sums = columns.iter().map(|name| name.to_uppercase());
    group.chain(sums).chain([cost.to_owned()]).collect()
}

/// A model is what a client has asked for: no control character reaches a terminal.
fn shown(value: &str) -> String {
    match value {
        "" => "-".to_owned(),
        value => value.escape_debug().to_string(),
    }
}
