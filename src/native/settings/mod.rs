//! From `gaud.toml` and the environment to what the commands work with.
//!
//! ```text
//! text ── text::read ──> table ──> File ── environment::overlay ──> File ── secrets::lift ──> File, without secrets
//!                                                                                    └──> Envoy's environment
//!                                                                    Gateway::compile <──┘
//! ```
//!
//! `all_errors` walks this way again for each error, so that all errors are reported at once.

mod alerts;
mod all_errors;
mod config_text;
mod control;
mod environment;
mod line;
mod litellm;
mod literals;
mod missing;
mod option;
mod ranges;
mod review;
mod secrets;
mod shared_limits;
mod telemetry;
mod text;
mod tls;
mod tokens;
mod unreachable;
mod urls;
mod warnings;
mod words;

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{ConfigError, ControlFile, File, KeysMode, Secret, SecretSource};
use crate::gateway::Gateway;
use crate::native::database::PostgresUrl;
use crate::native::os_error::words;
use crate::native::prices::windows;
use crate::native::webhook::Webhook;
pub use ranges::AddressRange;
use secrets::Lifted;
pub use shared_limits::SharedLimits;
pub use telemetry::{AccessLog, Tracing};
pub use tls::{Pair, Tls};
pub use tokens::{Issuer, Refresh, Token, TokenSource};

pub use config_text::ConfigText;
pub use control::ControlSettings;
pub use environment::SetByEnvironment;
pub use option::ConfigOption;

/// Where a configuration is looked for when none is named.
pub const CONFIG_FILES: [&str; 2] = ["gaud.toml", "llm-proxy.toml"];

/// Where clients connect, unless the configuration says otherwise.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8400);

/// The variables with the `listen` and the `admin_listen` of a configuration that has none.
const LISTEN_VARIABLES: [&str; 2] = ["GAUD_LISTEN", "GAUD_ADMIN_LISTEN"];

/// Where Envoy's admin interface listens, unless the configuration says otherwise.
pub const ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9901);

/// For how many days the ledger keeps each attempt, unless the configuration says otherwise.
const KEEP_DAYS: u32 = 30;

/// Where the control server's pages are, unless the configuration says otherwise.
pub const PAGES: &str = "/ui";

/// Longer than most answers take; orchestrators wait as long before they kill.
const DRAIN_SECS: u64 = 30;

/// Envoy with the filter takes about 100 MB before the first request.
const MEMORY_LIMIT_BYTES_MIN: u64 = 256 * 1024 * 1024;
const MEMORY_LIMIT_BYTES: u64 = 1024 * 1024 * 1024;

/// Reads an environment variable.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where the secrets are that a configuration names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// In this environment: a variable that is not set is an error.
    Here,
    /// In this environment, where they are set. Nothing is started, so a variable that is not set is not an error.
    IfSet,
    /// In the environment of an Envoy elsewhere: here the variables may differ or be missing.
    Elsewhere,
}

/// The placeholder of a secret that is elsewhere: valid for every `auth`, and never shown.
const ELSEWHERE: &str = "user:password";

/// A valid configuration.
pub struct Loaded {
    /// The file; `None` when everything came from the environment.
    pub path: Option<PathBuf>,
    /// The settings, overridden by the environment, with a variable's name in the place of every secret.
    pub file: File,
    pub gateway: Gateway,
    /// The variables with secrets that must be added to Envoy's environment.
    pub environment: Vec<(String, String)>,
    /// The files that hold some of these secrets, by the variables.
    pub secret_files: Vec<(String, PathBuf)>,
    /// Where alerts of budgets are told; `None` without one.
    pub webhook: Option<Webhook>,
    /// The file that holds the webhook's address.
    pub webhook_file: Option<PathBuf>,
    /// The database of LiteLLM's keys; `None` without one.
    pub(crate) litellm_keys: Option<PostgresUrl>,
    /// The file that holds its URL.
    pub litellm_keys_file: Option<PathBuf>,
    /// LiteLLM's own file and those that it includes; none without `[litellm]`.
    pub litellm_files: Vec<PathBuf>,
    /// The settings that variables have set.
    pub set_by_environment: Vec<SetByEnvironment>,
    pub listen: SocketAddr,
    /// What clients are shown that connect by TLS; `None` without TLS.
    pub tls: Option<Tls>,
    /// The credentials that Envoy adds.
    pub tokens: Vec<Token>,
    /// The service that counts rates for all gateways; `None` where each counts for itself.
    pub shared_limits: Option<SharedLimits>,
    /// Where spans go.
    pub tracing: Option<Tracing>,
    /// Where the lines of the access log go.
    pub access_log: Option<AccessLog>,
    pub admin_listen: SocketAddr,
    pub workers: Option<u32>,
    /// The proxies whose word on the client counts.
    pub trusted_proxies: Vec<AddressRange>,
    /// How long a stop waits for streams.
    pub drain: Duration,
    pub memory_limit_bytes: u64,
    pub control: ControlSettings,
    /// The variables that the configuration names and that are not set here, each once; and the files with secrets that cannot
    /// be read here.
    pub missing: Vec<String>,
    /// What is valid, and probably not what was meant.
    pub warnings: Vec<Problem>,
}

impl Loaded {
    /// What the configuration was read from.
    pub fn source(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => "the environment".to_owned(),
        }
    }

    /// Whether a gateway with a control server checks client keys.
    pub fn has_keys(&self) -> bool {
        self.file.keys.as_ref().is_none_or(|keys| keys.mode() != Ok(Some(KeysMode::Off)))
    }

    /// For how many days the ledger keeps each attempt.
    pub fn keep_days(&self) -> u64 {
        self.file.usage.as_ref().and_then(|usage| usage.keep_days).unwrap_or(KEEP_DAYS).into()
    }

    /// The path of the control server's pages; `None` where none are wanted.
    pub fn pages(&self) -> Option<&str> {
        let path = self.file.ui.as_ref().and_then(|ui| ui.path.as_deref()).unwrap_or(PAGES);
        Some(path).filter(|path| !path.is_empty())
    }

    /// The providers whose access tokens `gaud run` gets for a refresh token.
    pub fn refreshes(&self) -> impl Iterator<Item = (&str, &Refresh)> {
        Self::refreshes_of(&self.tokens)
    }

    /// The same of these tokens.
    pub(in crate::native) fn refreshes_of(
        tokens: &[Token],
    ) -> impl Iterator<Item = (&str, &Refresh)> {
        tokens.iter().filter_map(|token| match &token.source {
            TokenSource::Refreshed(own) => Some((token.provider.as_str(), &**own)),
            TokenSource::Issuer(_) | TokenSource::File(_) | TokenSource::Aws(_) => None,
        })
    }

    /// The files with certificate authorities that providers name.
    pub fn ca_files(&self) -> Vec<PathBuf> {
        self.file
            .providers
            .values()
            .filter_map(|own| own.ca_file.as_ref())
            .map(PathBuf::from)
            .collect()
    }

    /// The files that the configuration was read from, and those that it names.
    pub fn files(&self) -> Vec<PathBuf> {
        let secrets = self.secret_files.iter().map(|(_, path)| path.clone());
        let tls = self.tls.iter().flat_map(Tls::files);
        let litellm = self.litellm_files.iter().cloned();
        self.path
            .iter()
            .cloned()
            .chain(self.ca_files())
            .chain(secrets)
            .chain(self.webhook_file.clone())
            .chain(self.litellm_keys_file.clone())
            .chain(tls)
            .chain(litellm)
            .chain(self.refreshes().flat_map(|(_, own)| own.files.clone()))
            .collect()
    }

    /// The settings that differ from those with which Envoy was started.
    pub fn needs_restart(&self, started: &Started) -> Vec<&'static str> {
        let now = Started::of(self);
        let differ = [
            ("admin_listen", now.admin_listen != started.admin_listen),
            ("workers", now.workers != started.workers),
            ("memory_limit_bytes", now.memory_limit_bytes != started.memory_limit_bytes),
            ("control", now.control != started.control),
            ("usage.keep_days", now.keep_days != started.keep_days),
        ];
        differ.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }

    /// An error of a valid configuration that does not fit its use, with the line.
    pub fn refused(&self, error: ConfigError) -> Error {
        let text = self.path.as_deref().and_then(|path| std::fs::read_to_string(path).ok());
        Error::Invalid(vec![Problem::of(self.path.as_deref(), text.as_deref(), error)])
    }
}

/// The settings that take effect at a start alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    admin_listen: SocketAddr,
    workers: Option<u32>,
    memory_limit_bytes: u64,
    control: Option<ControlFile>,
    keep_days: Option<u32>,
}

impl Started {
    pub fn of(loaded: &Loaded) -> Self {
        let Loaded { admin_listen, workers, memory_limit_bytes, .. } = *loaded;
        let control = loaded.file.control.clone();
        let keep_days = loaded.file.usage.as_ref().and_then(|usage| usage.keep_days);
        Self { admin_listen, workers, memory_limit_bytes, control, keep_days }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file; `None` for a variable.
    path: Option<PathBuf>,
    /// Where in the file, from 1.
    line: Option<usize>,
    error: ConfigError,
}

impl Error {
    /// What is wrong with which setting; the whole text where no setting is to blame.
    pub fn faults(&self) -> Vec<(String, String)> {
        match self {
            Self::Invalid(problems) => {
                let fault =
                    |Problem { error, .. }: &Problem| (error.path.clone(), error.problem.clone());
                problems.iter().map(fault).collect()
            }
            Self::Nothing | Self::Unreadable(..) => vec![(String::new(), self.to_string())],
        }
    }
}

/// Where a program on this machine finds what listens on `address`.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

impl Problem {
    /// A problem whose text says the place.
    fn whole(error: ConfigError) -> Self {
        Self { path: None, line: None, error }
    }

    fn of(path: Option<&Path>, text: Option<&str>, error: ConfigError) -> Self {
        let path = path.filter(|_| !is_variable(&error.path)).map(Path::to_owned);
        let line = text.filter(|_| path.is_some()).and_then(|text| line::of(text, &error.path));
        Self { path, line, error }
    }
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum Error {
    /// No file, and no provider in the environment.
    Nothing,
    Unreadable(PathBuf, std::io::Error),
    /// All that is wrong, in the order of the file.
    Invalid(Vec<Problem>),
}

/// Loads the named file, else the file in the current folder, else the settings of the environment.
pub fn load(config: Option<&Path>, env: Env<'_>) -> Result<Loaded, Error> {
    load_with(config, env, Secrets::Here)
}

/// The same, for an Envoy whose secrets need not be in this environment.
pub fn load_with(config: Option<&Path>, env: Env<'_>, secrets: Secrets) -> Result<Loaded, Error> {
    let present = option::present();
    let Some(path) = config.or(present) else {
        return from_environment(env, secrets);
    };
    let text =
        std::fs::read_to_string(path).map_err(|error| Error::Unreadable(path.to_owned(), error))?;
    read_text(path, &text, env, secrets)
}

/// Compiles the text of a file.
fn read_text(path: &Path, text: &str, env: Env<'_>, secrets: Secrets) -> Result<Loaded, Error> {
    let problem = |error| Problem::of(Some(path), Some(text), error);
    let (table, repeated) = text::read(text).map_err(|(line, error)| {
        Error::Invalid(vec![Problem { path: Some(path.to_owned()), line, error }])
    })?;
    let compiled = compile_all(table, env, secrets, &complete);
    let repeated = repeated.into_iter().map(|(line, error)| Problem {
        path: Some(path.to_owned()),
        line,
        error,
    });
    let mut problems: Vec<_> = repeated.collect();
    match compiled {
        Ok(mut loaded) if problems.is_empty() => {
            let found = warnings::all(&loaded.file, loaded.listen, loaded.tls.as_ref());
            let of_litellm = std::mem::take(&mut loaded.warnings);
            loaded.warnings = found.into_iter().map(problem).chain(of_litellm).collect();
            Ok(Loaded { path: Some(path.to_owned()), ..loaded })
        }
        Ok(_) => Err(Error::Invalid(problems)),
        Err(errors) => {
            problems.extend(errors.into_iter().map(problem));
            problems.sort_by_key(|problem| (problem.path.is_none(), problem.line));
            Err(Error::Invalid(problems))
        }
    }
}

/// Variables have upper-case names, settings lower-case names.
fn is_variable(path: &str) -> bool {
    path.starts_with(|first: char| first.is_ascii_uppercase())
}

fn from_environment(env: Env<'_>, secrets: Secrets) -> Result<Loaded, Error> {
    let loaded = compile_all(toml::Table::new(), env, secrets, &|mut file, env, secrets| {
        environment::overlay(&mut file, env)?;
        // The default of a file without a default provider: clients need not know that there is no file.
        file.list_names.get_or_insert_with(|| "namespaced".to_owned());
        file.default_provider = file.providers.first().map(|(name, _)| name.clone());
        if file.default_provider.is_none() {
            Ok(None)
        } else {
            complete(file, env, secrets).map(Some)
        }
    });
    let problem = |error| Problem::of(None, None, error);
    match loaded {
        Ok(loaded) => {
            let mut loaded = loaded.ok_or(Error::Nothing)?;
            let found = warnings::all(&loaded.file, loaded.listen, loaded.tls.as_ref());
            let found = found.into_iter().chain(option::folder_in_its_place());
            loaded.warnings.extend(found.map(problem));
            Ok(loaded)
        }
        Err(errors) => Err(Error::Invalid(errors.into_iter().map(problem).collect())),
    }
}

/// Compiles a file, and says all that is wrong with it: its settings first, then the variables that are not set.
fn compile_all<T>(
    table: toml::Table,
    env: Env<'_>,
    secrets: Secrets,
    complete: &dyn Fn(File, Env<'_>, Secrets) -> Result<T, ConfigError>,
) -> Result<T, Vec<ConfigError>> {
    let unset = RefCell::new(Vec::new());
    let compiled = all_errors::compile(table, env, &|file, env| {
        if secrets == Secrets::Here {
            *unset.borrow_mut() = missing::all(&file, env);
        }
        complete(file, env, secrets)
    });
    let unset = unset.into_inner();
    match compiled {
        Ok(compiled) if unset.is_empty() => Ok(compiled),
        Ok(_) => Err(unset),
        Err(mut errors) => {
            errors.extend(unset);
            Err(errors)
        }
    }
}

fn complete(mut file: File, env: Env<'_>, secrets: Secrets) -> Result<Loaded, ConfigError> {
    literals::check(&file)?;
    let missing = missing::names(&file, env);
    let origins = environment::overlay(&mut file, env)?;
    let imported = litellm::merge(&mut file, env)?;
    let unset = urls::resolve(&mut file, env, secrets)?;
    compile(file, env, secrets)
        .map(|loaded| Loaded {
            missing: [missing, unset, loaded.missing].concat(),
            set_by_environment: origins.all(),
            litellm_files: imported.files,
            warnings: imported.warnings,
            ..loaded
        })
        .map_err(|error| origins.named(error))
}

fn compile(mut file: File, env: Env<'_>, secrets: Secrets) -> Result<Loaded, ConfigError> {
    let Lifted { environment, files, missing } = secrets::lift(&mut file, secrets)?;
    let lifted = |name: &str| environment.iter().find(|(variable, _)| variable == name);
    let lookup = |name: &str| match lifted(name) {
        Some((_, secret)) => Some(secret.clone()),
        None if !is_name(name) => None,
        None if secrets == Secrets::Elsewhere || missing::is_unset(name, env) => {
            Some(ELSEWHERE.to_owned())
        }
        None => env(name)?.into_string().ok(),
    };
    let alerts = alerts::take(&mut file, secrets, &lookup)?;
    let litellm = litellm::take_keys(&mut file, secrets, &lookup)?;
    let gateway = Gateway::compile(&file, &lookup)?;
    review::review(&file, secrets, &lookup)?;
    let tokens = tokens::take(&mut file, secrets, &lookup)?;
    let tls = file.tls.as_ref().map(|own| Tls::read(own, secrets)).transpose()?;
    let missing_key = tls.as_ref().and_then(|tls| tls.missing(secrets));
    let windows = windows::lists(&file, &gateway).map_err(|problem| problem.refusal())?;
    Ok(Loaded {
        path: None,
        gateway: gateway.with_windows(windows),
        listen: address_or("listen", file.listen.as_deref(), LISTEN_VARIABLES[0], LISTEN, env)?,
        tls,
        admin_listen: address_or(
            "admin_listen",
            file.admin_listen.as_deref(),
            LISTEN_VARIABLES[1],
            ADMIN_LISTEN,
            env,
        )?,
        shared_limits: SharedLimits::compile(&file)?,
        tokens: tokens.all,
        tracing: file.tracing.as_ref().map(Tracing::compile).transpose()?,
        access_log: file.access_log.as_ref().map(AccessLog::compile).transpose()?,
        workers: workers(file.workers)?,
        trusted_proxies: trusted_proxies(&file)?,
        drain: drain(&file)?,
        memory_limit_bytes: memory_limit_bytes(&file)?,
        control: ControlSettings::of(&file, env, secrets)?,
        missing: [missing, tokens.missing]
            .concat()
            .into_iter()
            .chain(alerts.missing)
            .chain(litellm.missing)
            .chain(missing_key)
            .collect(),
        webhook: alerts.value,
        webhook_file: alerts.file,
        litellm_keys: litellm.value,
        litellm_keys_file: litellm.file,
        warnings: Vec::new(),
        file,
        environment,
        secret_files: files,
        set_by_environment: Vec::new(),
        litellm_files: Vec::new(),
    })
}

/// A secret that a command line names, which is here.
pub(crate) fn own_secret(source: &SecretSource, env: Env<'_>) -> Result<Secret, String> {
    Ok(secrets::read(source, env, Secrets::Here)?.unwrap_or_else(|| Secret::new("")))
}

/// Whether a shell could set a variable of this name (POSIX, section 8.1).
fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.starts_with(|first: char| first.is_ascii_digit()) && name.bytes().all(good)
}

fn address(
    field: &str,
    value: Option<&str>,
    default: SocketAddr,
) -> Result<SocketAddr, ConfigError> {
    let Some(value) = value else { return Ok(default) };
    value.parse().map_err(|_| {
        ConfigError::new(field, format!("must be an IP address and a port, as in \"{default}\""))
    })
}

/// The address of a setting that the file has, else of a variable: an image says so that its gateways listen on all addresses.
fn address_or(
    field: &str,
    value: Option<&str>,
    variable: &str,
    default: SocketAddr,
    env: Env<'_>,
) -> Result<SocketAddr, ConfigError> {
    let of_image = env(variable).filter(|value| !value.is_empty());
    match (value, of_image) {
        (None, Some(text)) => address(variable, Some(&text.to_string_lossy()), default),
        (value, _) => address(field, value, default),
    }
}

fn trusted_proxies(file: &File) -> Result<Vec<AddressRange>, ConfigError> {
    let ranges = file.trusted_proxies.iter().flatten().enumerate();
    let parsed = ranges.map(|(index, text)| {
        let at = |problem: &str| ConfigError::new(format!("trusted_proxies[{index}]"), problem);
        text.parse().map_err(at)
    });
    parsed.collect()
}

fn drain(file: &File) -> Result<Duration, ConfigError> {
    match file.drain_secs.unwrap_or(DRAIN_SECS) {
        secs @ 0..=3600 => Ok(Duration::from_secs(secs)),
        secs => Err(ConfigError::new("drain_secs", format!("is {secs}; write 0 to 3600"))),
    }
}

fn memory_limit_bytes(file: &File) -> Result<u64, ConfigError> {
    match file.memory_limit_bytes.unwrap_or(MEMORY_LIMIT_BYTES) {
        limit @ MEMORY_LIMIT_BYTES_MIN.. => Ok(limit),
        limit => Err(ConfigError::new(
            "memory_limit_bytes",
            format!("is {limit}; write at least {MEMORY_LIMIT_BYTES_MIN}"),
        )),
    }
}

fn workers(value: Option<u32>) -> Result<Option<u32>, ConfigError> {
    match value {
        Some(workers @ (0 | 1025..)) => {
            Err(ConfigError::new("workers", format!("is {workers}; write 1 to 1024")))
        }
        workers => Ok(workers),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str(
                "there is no configuration: write a gaud.toml here, name one with --config, or \
                 set GAUD_LITELLM_URL, as in GAUD_LITELLM_URL=http://localhost:4000",
            ),
            Self::Unreadable(path, error) => {
                write!(f, "{}: cannot be read: {}; {}", path.display(), words(error), remedy(error))
            }
            Self::Invalid(problems) => {
                let lines: Vec<_> = problems.iter().map(Problem::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

/// What helps where a configuration cannot be read.
fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "write it, or name another with --config",
        std::io::ErrorKind::PermissionDenied => {
            "let this user read it (chown, chmod), or run gaud as its owner"
        }
        std::io::ErrorKind::IsADirectory => "name the file in it, as in --config FOLDER/gaud.toml",
        std::io::ErrorKind::InvalidData => "save it as UTF-8",
        _ => "name another with --config",
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}:", path.display())?;
            self.line.map_or(Ok(()), |line| write!(f, "{line}:"))?;
            f.write_str(" ")?;
        }
        self.error.fmt(f)
    }
}

impl std::error::Error for Error {}
