//! `gaud import litellm FILE`: LiteLLM's own file as settings of Gaud's, with a report on each entry.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::data;
use super::database::note;
use super::limit_options::check_metered;
use crate::config::{KeysFile, Metered, SecretSource, UsageFile};
use crate::native::control::{Done, Store};
use crate::native::database::PostgresUrl;
use crate::native::import::{self, Import, Options};
use crate::native::os_error::words;
use crate::native::private_file;
use crate::native::run::runtime;
use crate::native::settings::{ConfigOption, own_secret};
use crate::native::virtual_keys::{Report, take_over};

/// Print the gaud.toml that another gateway's file becomes
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(clap::Subcommand, Debug)]
enum From {
    /// LiteLLM's config.yaml: the settings, and on standard error what becomes of each entry
    Litellm(Litellm),
}

#[derive(clap::Args, Debug)]
struct Litellm {
    /// LiteLLM's file
    #[arg(id = "litellm_file", value_name = "FILE")]
    file: PathBuf,
    /// Where LiteLLM is, which keeps what does not go direct
    #[arg(long, value_name = "URL", default_value = "http://localhost:4000")]
    litellm: String,
    /// Write the settings into this file, and the keys that LiteLLM's file writes out into a folder beside it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// The PostgreSQL of LiteLLM: its virtual keys become Gaud's, in the database of the control server. The URL, or
    /// os.environ/NAME, or file:PATH
    #[arg(long, value_name = "URL")]
    keys: Option<String>,
    #[command(flatten)]
    config: ConfigOption,
}

/// Prints or writes the settings, and prints the report.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let From::Litellm(args) = &args.from;
    let mut import = read(args)?;
    if let Some(url) = &args.keys {
        let report = take_keys(url, &args.config)?;
        import.file.keys = Some(KeysFile { litellm: Some(true), ..KeysFile::default() });
        import.file.usage = Some(UsageFile { meter: Some(Metered::All), ..UsageFile::default() });
        eprint!("{report}");
    }
    match &args.write {
        Some(place) => {
            write(place, &import)?;
            print!("{}", import.report);
            println!(
                "{}: written; `gaud check --config {}` says whether it holds here",
                place.display(),
                place.display()
            );
        }
        None => {
            print!("{}", text(&import));
            eprint!("{}", import.report);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes LiteLLM's keys over.
fn take_keys(url: &str, config: &ConfigOption) -> Result<Report, Box<dyn Error>> {
    check_metered(config)?;
    let env = |name: &str| std::env::var_os(name);
    let secret = own_secret(&SecretSource::parse(url), &env);
    let at = |problem: String| format!("--keys {problem}");
    let url = PostgresUrl::parse(secret.map_err(at)?.expose()).map_err(at)?;
    let store = Store::open(&data::made(config)?)?;
    let report = runtime()?.block_on(take_over(&url, &store))?;
    for line in &report.keys {
        if matches!(line.done, Done::Added | Done::Changed) {
            note(&store, "key.take", &line.id)?;
        }
    }
    Ok(report)
}

fn read(args: &Litellm) -> Result<Import, Box<dyn Error>> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        format!("{}: cannot be read: {}; name LiteLLM's file", path.display(), words(error))
    };
    let content = fs::read_to_string(&args.file).map_err(|error| unreadable(&args.file, &error))?;
    let folder = args.file.parent().unwrap_or(Path::new("")).to_owned();
    let options = Options {
        env: &|name| std::env::var(name).ok(),
        include: &|name| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))
        },
        taken: &[],
        litellm_url: Some(&args.litellm),
        litellm_follows: false,
        needs_keys: false,
    };
    Ok(import::read(&args.file.display().to_string(), &content, &options)?)
}

/// The settings; each key that LiteLLM's file writes out is in a variable that Gaud reads in any case.
fn text(import: &Import) -> String {
    import::toml(&import.file, &mut |provider, _| SecretSource::Environment(variable(provider)))
}

fn variable(provider: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("GAUD_{}_API_KEY", provider.chars().map(letter).collect::<String>())
}

/// Writes the settings, and each key into a file for this user alone.
fn write(place: &Path, import: &Import) -> Result<(), Box<dyn Error>> {
    if place.exists() {
        return Err(format!(
            "{}: is there already; name a new file, or take this file away",
            place.display()
        )
        .into());
    }
    let folder = std::path::absolute(place.with_extension("secrets"))?;
    let unwritable = |path: &Path, error: &std::io::Error| {
        format!("{}: cannot be written: {}; name another place", path.display(), words(error))
    };
    let mut failure = None;
    let content = import::toml(&import.file, &mut |provider, key| {
        let path = folder.join(provider);
        let SecretSource::Literal(secret) = key else { return key.clone() };
        let done = fs::create_dir_all(&folder)
            .and_then(|()| private_file::create(&path)?.write_all(secret.expose().as_bytes()));
        if let Err(error) = done {
            failure = Some(unwritable(&path, &error));
        }
        SecretSource::File(path.display().to_string())
    });
    match failure {
        Some(problem) => Err(problem.into()),
        None => Ok(fs::write(place, content).map_err(|error| unwritable(place, &error))?),
    }
}
