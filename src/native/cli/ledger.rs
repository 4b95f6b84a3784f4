//! `gaud ledger`: takes records into the ledger from logs that were shipped.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::data;
use crate::native::control::now_secs;
use crate::native::ledger::{Batch, Day, Ledger};
use crate::native::prices::Prices;
use crate::native::settings::{self, ConfigOption};

/// How many records are taken in by one transaction.
const BATCH: usize = 10_000;

/// The name of the journal that imported records belong to.
const IMPORTED: &str = "imported";

/// Take usage into the ledger from logs of Envoys elsewhere
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Read a log, whatever else it has, and take its records of usage in; one that is there already counts once
    Import {
        /// The log; - for standard input
        log: PathBuf,
        /// The logs are whole: charge requests without an end at an estimate
        #[arg(long)]
        ended: bool,
        #[command(flatten)]
        config: ConfigOption,
    },
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let What::Import { log, ended, config } = &args.what;
    let prices = match config.load() {
        Ok(loaded) => Prices::of(&loaded.file)?,
        Err(settings::Error::Nothing) => Prices::of(&crate::config::File::default())?,
        Err(error) => return Err(error.into()),
    };
    let mut import = Import {
        ledger: Ledger::open(&data::made(config)?)?,
        prices,
        since: keeps(config),
        said: Said::default(),
    };
    if log == Path::new("-") {
        import.read(io::stdin().lock())?;
    } else {
        import.read(BufReader::new(File::open(log)?))?;
    }
    let lost = match ended {
        true => import.ledger.close(IMPORTED, import.since, &import.prices)?,
        false => 0,
    };
    let Said { new, known, old, broken } = import.said;
    println!("{new} new, {known} known, {old} too old, {broken} broken, {lost} lost");
    Ok(ExitCode::SUCCESS)
}

/// The first day of which the ledger knows each attempt; an earlier day has sums alone.
fn keeps(config: &ConfigOption) -> Day {
    let days = config.load().ok().and_then(|loaded| loaded.file.usage?.keep_days).unwrap_or(30);
    Day::of_secs(now_secs()).before(days.into())
}

#[derive(Default)]
struct Said {
    new: u64,
    known: u64,
    old: u64,
    broken: u64,
}

struct Import {
    ledger: Ledger,
    prices: Prices,
    since: Day,
    said: Said,
}

impl Import {
    fn read(&mut self, mut log: impl BufRead) -> Result<(), Box<dyn Error>> {
        let (mut batch, mut line) = (Batch::default(), Vec::new());
        while log.read_until(b'\n', &mut line)? > 0 {
            batch.take(&String::from_utf8_lossy(&line));
            line.clear();
            if batch.len() >= BATCH {
                self.take(&std::mem::take(&mut batch))?;
            }
        }
        self.take(&batch)
    }

    fn take(&mut self, batch: &Batch) -> Result<(), Box<dyn Error>> {
        let counted = self.ledger.take(batch, IMPORTED, 0, self.since, &self.prices)?;
        self.said.new += counted.new;
        self.said.known += counted.known;
        self.said.old += counted.old;
        self.said.broken += batch.broken;
        Ok(())
    }
}
