//! Which server a deployment is at, and with which credential.

use percent_encoding::percent_decode_str;

use super::parameters::Kept::{Refused, Stays};
use super::parameters::{ENVIRONMENT, Kept, Params, secret};
use super::prefix::{Prefix, Serves};
use super::router::Common;
use crate::config::{Auth, Secret, SecretSource};
use crate::gateway::ProviderUrl;

/// A server as a provider's settings have it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Server {
    /// Without a password.
    pub(super) url: String,
    pub(super) api_path: Option<String>,
    pub(super) api_query: Option<String>,
    /// The user and the password that the URL had.
    pub(super) password: Option<Secret>,
    /// Whether the URL is the provider's own.
    pub(super) is_usual: bool,
}

/// The server of a deployment.
pub(super) fn server(
    prefix: &Prefix,
    params: &Params<'_>,
    common: &Common<'_>,
    model: &str,
) -> Result<Server, Kept> {
    let written = match params.text("api_base")? {
        Some(base) => Some(base.to_owned()),
        None => params.text("base_url")?.map(str::to_owned),
    };
    let of_variable = || {
        let set = |name: &&&str| common.variable(name).is_some_and(|value| !value.is_empty());
        prefix.base_variables.iter().find(set).map(|name| format!("{ENVIRONMENT}{name}"))
    };
    let is_usual = written.is_none();
    let base = written
        .or_else(of_variable)
        .or_else(|| (!prefix.base.is_empty()).then(|| prefix.base.to_owned()));
    let base = base.ok_or_else(|| match prefix.base_variables.first() {
        Some(name) if prefix.serves == Serves::Azure => {
            Stays(format!("has no api_base, and {name} is not set here"))
        }
        _ => Refused(format!("{} needs api_base, and has none", prefix.name)),
    })?;
    if prefix.serves == Serves::Azure {
        return azure(&base, params, common, model);
    }
    let anthropic = prefix.serves == Serves::Messages;
    at(&base, is_usual && base == prefix.base, anthropic, common)
}

/// What LiteLLM adds to a base itself.
const ENDPOINTS: [&str; 6] =
    ["/chat/completions", "/completions", "/responses", "/embeddings", "/messages", "/models"];

fn at(base: &str, is_usual: bool, is_rooted: bool, common: &Common<'_>) -> Result<Server, Kept> {
    if let Some(name) = base.strip_prefix(ENVIRONMENT) {
        return of_variable(name, is_rooted, common);
    }
    let (url, password) = without_password(base.trim_end_matches('/'))?;
    if let Some(end) = ENDPOINTS.iter().find(|end| url.ends_with(**end)) {
        return Err(Refused(format!("api_base ends in {end}, which LiteLLM adds; take it out")));
    }
    let parsed: ProviderUrl =
        url.parse().map_err(|problem| Stays(format!("api_base {problem}")))?;
    let own =
        url.split_once("://").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    let is_same = is_rooted || parsed.path("/v1/x") == format!("{}/x", own.unwrap_or_default());
    let api_path = (!is_same).then(|| "{path}".to_owned());
    Ok(Server { url, api_path, api_query: None, password, is_usual })
}

fn of_variable(name: &str, is_rooted: bool, common: &Common<'_>) -> Result<Server, Kept> {
    let plain = |password| Server {
        url: format!("{ENVIRONMENT}{name}"),
        api_path: (!is_rooted).then(|| "{path}".to_owned()),
        api_query: None,
        password,
        is_usual: false,
    };
    if common.declared(name).is_some() {
        // Gaud does not set what the file declares for LiteLLM.
        let value = common.variable(name).unwrap_or_default();
        return at(&value, false, is_rooted, common);
    }
    if common.needs_keys && is_unset(name, common) {
        return Err(Stays(format!("its api_base is in {name}, which is not set here")));
    }
    let value = common.variable(name).unwrap_or_default();
    let (_, password) = without_password(&value)?;
    Ok(plain(password))
}

/// A URL without its user and password, and these.
fn without_password(url: &str) -> Result<(String, Option<Secret>), Kept> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok((url.to_owned(), None)) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((user, host)) = authority.rsplit_once('@') else { return Ok((url.to_owned(), None)) };
    let decoded = percent_decode_str(user).decode_utf8();
    let decoded =
        decoded.map_err(|_| Stays("api_base has a password that is not UTF-8".to_owned()))?;
    let password = match decoded.contains(':') {
        true => decoded.into_owned(),
        false => format!("{decoded}:"),
    };
    Ok((format!("{scheme}://{host}{path}"), Some(Secret::new(password))))
}

/// Azure's versions that have the model in the body.
const WITHOUT_DEPLOYMENTS: [&str; 3] = ["preview", "latest", "v1"];

/// LiteLLM's default (`litellm.AZURE_DEFAULT_API_VERSION`).
const AZURE_VERSION: &str = "2025-02-01-preview";

fn azure(
    base: &str,
    params: &Params<'_>,
    common: &Common<'_>,
    model: &str,
) -> Result<Server, Kept> {
    let version = match params.text("api_version")? {
        Some(version) => match version.strip_prefix(ENVIRONMENT) {
            Some(name) => common
                .variable(name)
                .ok_or_else(|| Stays(format!("api_version is in {name}, which is not set here")))?,
            None => version.to_owned(),
        },
        None => common.variable("AZURE_API_VERSION").unwrap_or_else(|| AZURE_VERSION.to_owned()),
    };
    if version.is_empty()
        || !version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    {
        return Err(Stays("api_version is not a version".to_owned()));
    }
    if WITHOUT_DEPLOYMENTS.contains(&version.as_str()) {
        return Err(Stays(format!("LiteLLM calls version {version} of Azure in another way")));
    }
    if is_translated(model) {
        return Err(Stays(format!("LiteLLM changes requests for {model}")));
    }
    let (url, is_known) =
        match base.strip_prefix(ENVIRONMENT).filter(|name| common.declared(name).is_none()) {
            Some(name) => (common.variable(name).unwrap_or_default(), false),
            None => (base.to_owned(), true),
        };
    let path = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path);
    if !path.trim_matches('/').is_empty() {
        return Err(Stays("api_base has a path, which LiteLLM takes apart".to_owned()));
    }
    if !is_known && common.needs_keys && url.is_empty() {
        return Err(Stays(format!("its api_base is in {base}, which is not set here")));
    }
    Ok(Server {
        url: if is_known { url.trim_end_matches('/').to_owned() } else { base.to_owned() },
        api_path: Some("/openai/deployments/{model}".to_owned()),
        api_query: Some(format!("api-version={version}")),
        password: None,
        is_usual: false,
    })
}

/// The models at Azure whose parameters LiteLLM changes.
fn is_translated(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5", "gpt5", "command", "mistral"]
        .iter()
        .any(|start| model.contains(start))
}

/// The key of a deployment, and how it is sent.
pub(super) fn credential(
    prefix: &Prefix,
    params: &Params<'_>,
    server: &Server,
    common: &Common<'_>,
) -> Result<(Option<SecretSource>, Auth), Kept> {
    let auth = match prefix.serves {
        Serves::Azure => Auth::ApiKey,
        Serves::Messages => Auth::XApiKey,
        _ => Auth::Bearer,
    };
    // A request has room for one of the two, and a password in a URL is there to be sent.
    if let Some(password) = &server.password {
        let is_reference = server.url.starts_with(ENVIRONMENT);
        let key = (!is_reference).then(|| SecretSource::Literal(password.clone()));
        return Ok((key, Auth::Basic));
    }
    let key = match params.text("api_key")? {
        Some(key) => Some(declared(secret(key), common)),
        None => {
            let is_set =
                |name: &&&str| common.variable(name).is_some_and(|value| !value.is_empty());
            let set = prefix.key_variables.iter().find(is_set).copied();
            let name = set.or_else(|| prefix.usual_key().filter(|_| !prefix.is_keyless));
            name.map(|name| declared(SecretSource::Environment(name.to_owned()), common))
        }
    };
    match key {
        Some(SecretSource::Literal(own)) if !is_header(own.expose()) => {
            Err(Refused("api_key has a letter that no header can carry".to_owned()))
        }
        Some(SecretSource::Environment(name)) if common.needs_keys && is_unset(&name, common) => {
            Err(Stays(format!("its key is in {name}, which is not set here")))
        }
        Some(SecretSource::Literal(own)) if is_scheme(own.expose()) => Err(Refused(
            "api_key begins with Bearer, which LiteLLM adds; write the key alone".to_owned(),
        )),
        None => Ok((None, Auth::None)),
        Some(key) => Ok((Some(key), auth)),
    }
}

fn is_unset(name: &str, common: &Common<'_>) -> bool {
    common.variable(name).is_none_or(|value| value.is_empty())
}

fn is_scheme(key: &str) -> bool {
    key.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer "))
}

fn is_header(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// A variable that the file itself declares is not in the environment of Gaud: its value takes its place.
fn declared(source: SecretSource, common: &Common<'_>) -> SecretSource {
    match &source {
        SecretSource::Environment(name) => match common.declared(name) {
            Some(value) => SecretSource::Literal(Secret::new(value)),
            None => source,
        },
        _ => source,
    }
}
