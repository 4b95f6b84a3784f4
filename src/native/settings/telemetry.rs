//! Where spans and the lines of the access log go, read and checked.

use crate::config::{AccessLogFile, ConfigError, TracingFile};
use crate::gateway::ProviderUrl;

/// The service that spans name, unless the configuration says otherwise.
const SERVICE_NAME: &str = "gaud";

/// Where collectors take traces (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// In `access_log.path`: Envoy's standard output.
const STDOUT: &str = "stdout";

/// Where spans go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracing {
    pub url: ProviderUrl,
    /// The path at the collector.
    pub path: String,
    pub service_name: String,
    /// How many of a million traces that begin here are sampled.
    pub sampled_millionths: u32,
}

impl Tracing {
    pub(super) fn compile(file: &TracingFile) -> Result<Self, ConfigError> {
        let url: ProviderUrl = file.otlp.parse().map_err(|_| {
            let problem = "must be the URL of a collector, as in \"http://localhost:4318\"";
            ConfigError::new("tracing.otlp", problem)
        })?;
        let path = match url.own_path() {
            "" => PATH.to_owned(),
            own => own.to_owned(),
        };
        let service_name = file.service_name.as_deref().unwrap_or(SERVICE_NAME);
        if service_name.trim().is_empty() {
            let problem = format!("must not be empty; leave it out for \"{SERVICE_NAME}\"");
            return Err(ConfigError::new("tracing.service_name", problem));
        }
        let service_name = service_name.to_owned();
        Ok(Self { url, path, service_name, sampled_millionths: sampled(file.sample_percent)? })
    }
}

fn sampled(percent: Option<f64>) -> Result<u32, ConfigError> {
    let percent = percent.unwrap_or(100.0);
    if !(0.0..=100.0).contains(&percent) {
        let problem = format!("is {percent}; write 0 to 100");
        return Err(ConfigError::new("tracing.sample_percent", problem));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
    Ok((percent * 10_000.0).round() as u32)
}

/// Where the lines of the access log go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    Stdout,
    File(String),
}

impl AccessLog {
    pub(super) fn compile(file: &AccessLogFile) -> Result<Self, ConfigError> {
        match file.path.as_str() {
            STDOUT => Ok(Self::Stdout),
            path if path.starts_with('/') => Ok(Self::File(path.to_owned())),
            _ => {
                let problem = "must be \"stdout\", or the whole path of a file, as in \"/var/log/gaud/access.log\"";
                Err(ConfigError::new("access_log.path", problem))
            }
        }
    }
}
