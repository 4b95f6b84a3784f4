//! An entry of `model_list`: whether every parameter is understood, and what the deployment is then.

use super::base::{self, Server};
use super::parameters::Kept::{Refused, Stays};
use super::parameters::{ENVIRONMENT, Kept, Params};
use super::prefix::{self, Prefix, Serves};
use super::router::Common;
use super::yaml::{Node, Value};
use crate::config::{Auth, SecretSource};

/// A deployment that can go direct.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Direct {
    /// The model's name at the provider; `*` in the place of the text that the pattern matches.
    pub(super) model: String,
    pub(super) provider: ProviderKey,
    pub(super) shares: Shares,
    /// What is not the same as with LiteLLM.
    pub(super) remarks: Vec<&'static str>,
    /// Dollars for a token of input and of output.
    pub(super) price: Option<(f64, f64)>,
}

/// What makes two deployments deployments of one provider.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ProviderKey {
    pub(super) prefix: &'static str,
    pub(super) server: Server,
    pub(super) key: Option<SecretSource>,
    pub(super) auth: Auth,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout_secs: u64,
    pub(super) paths: Vec<&'static str>,
}

/// What may be the share of a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Shares {
    pub(super) weight: Option<f64>,
    pub(super) rpm: Option<f64>,
    pub(super) tpm: Option<f64>,
}

/// The parameters that are understood. Any other keeps a deployment with LiteLLM.
const UNDERSTOOD: [&str; 21] = [
    "model",
    "custom_llm_provider",
    "api_base",
    "base_url",
    "api_key",
    "api_version",
    "organization",
    "timeout",
    "stream_timeout",
    "max_retries",
    "num_retries",
    "rpm",
    "tpm",
    "weight",
    "extra_headers",
    "input_cost_per_token",
    "output_cost_per_token",
    "litellm_credential_name",
    "stream",
    "drop_params",
    "use_in_pass_through",
];

/// What some of the others do.
const REASONS: [(&str, &str); 14] = [
    ("drop_params", "LiteLLM takes parameters out"),
    ("use_in_pass_through", "LiteLLM's own paths use the deployment"),
    ("order", "the deployments have an order"),
    ("max_parallel_requests", "LiteLLM counts the requests under way"),
    ("max_budget", "LiteLLM counts the deployment's budget"),
    ("budget_duration", "LiteLLM counts the deployment's budget"),
    ("tags", "LiteLLM chooses by tags"),
    ("region_name", "LiteLLM chooses by region"),
    ("mock_response", "LiteLLM answers itself"),
    ("extra_body", "LiteLLM adds to the body"),
    ("temperature", "LiteLLM adds to the body"),
    ("max_tokens", "LiteLLM adds to the body"),
    ("guardrails", "a guardrail looks at the requests"),
    ("cache_control_injection_points", "LiteLLM changes the messages"),
];

/// What `model_info` has that LiteLLM acts on.
const ACTED_ON: [&str; 8] = [
    "blocked",
    "team_id",
    "team_public_model_name",
    "access_windows",
    "tier",
    "allowed_fails_policy",
    "enable_tag_filtering",
    "adaptive_router_preferences",
];

/// Reads an entry; the name that clients ask for, and what becomes of the entry.
pub(super) fn read(entry: &Node, common: &Common<'_>) -> (String, Result<Direct, Kept>) {
    let Some(name) = entry.get("model_name").and_then(Node::text) else {
        let problem = "has no model_name; write the name that clients ask for";
        return ("an entry".to_owned(), Err(Refused(problem.to_owned())));
    };
    (name.to_owned(), direct(name, entry, common))
}

fn direct(name: &str, entry: &Node, common: &Common<'_>) -> Result<Direct, Kept> {
    let own = match entry.get("litellm_params") {
        Some(own) if own.is_map() => own,
        Some(own) => {
            return Err(Refused(format!(
                "litellm_params is {}; write a table with model",
                own.kind()
            )));
        }
        None => return Err(Refused("has no litellm_params; write a table with model".to_owned())),
    };
    let credential = credential(own, common)?;
    let params = Params { own, credential };
    let model = params.text("model")?.ok_or_else(|| {
        Refused(
            "litellm_params has no model; write the provider and its model, as in openai/gpt-4o"
                .to_owned(),
        )
    })?;
    let mut remarks = understood(&params)?;
    let mode = mode(entry)?;
    let (prefix, model) = provider(&params, model)?;
    let paths = prefix.serves.paths(mode);
    if paths.is_empty() {
        return Err(Stays(format!(
            "requests of mode {} are not sent on as they are",
            mode.unwrap_or_default()
        )));
    }
    if name.contains('*') != model.contains('*') {
        return Err(Stays("name and model are not patterns alike".to_owned()));
    }
    let server = base::server(prefix, &params, common, model)?;
    let (key, auth) = base::credential(prefix, &params, &server, common)?;
    if entry.get("tpm").or_else(|| entry.get("rpm")).is_some() {
        remarks.push(
            "rpm and tpm beside litellm_params are ignored by LiteLLM; they are meant within",
        );
    }
    let timeout = params.number("timeout", common)?.unwrap_or(common.timeout_secs);
    Ok(Direct {
        model: model.to_owned(),
        provider: ProviderKey {
            prefix: prefix.name,
            server,
            key,
            auth,
            headers: headers(prefix, &params, common)?,
            timeout_secs: seconds(timeout),
            paths,
        },
        shares: Shares {
            weight: params.number("weight", common)?,
            rpm: params.number("rpm", common)?,
            tpm: params.number("tpm", common)?,
        },
        remarks,
        price: price(&params, common)?,
    })
}

/// Whole seconds, at least one and at most a day.
fn seconds(number: f64) -> u64 {
    let whole = number.ceil().clamp(1.0, 86_400.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    let whole = whole as u64;
    whole
}

fn credential<'a>(own: &Node, common: &Common<'a>) -> Result<Option<&'a Node>, Kept> {
    let Some(name) = own.get("litellm_credential_name").and_then(Node::text) else {
        return Ok(None);
    };
    let found = common.credentials.iter().find(|(own, _)| *own == name).map(|(_, values)| *values);
    let missing = || Stays(format!("the credential {name} is not in credential_list"));
    found.map(Some).ok_or_else(missing)
}

/// Whether every parameter is understood; what is not carried over of those.
fn understood(params: &Params<'_>) -> Result<Vec<&'static str>, Kept> {
    let of_credential = params.credential.map(Node::entries).unwrap_or_default();
    for entry in params.own.entries().iter().chain(of_credential) {
        let key = entry.key.as_str();
        let is_nothing = matches!(entry.node.value, Value::Null | Value::Bool(false));
        if is_nothing
            || (UNDERSTOOD.contains(&key) && key != "drop_params" && key != "use_in_pass_through")
        {
            continue;
        }
        let why = REASONS.iter().find(|(own, _)| *own == key).map(|(_, why)| format!(" ({why})"));
        return Err(Stays(format!(
            "{key}{}",
            why.unwrap_or_else(|| " is not understood".to_owned())
        )));
    }
    let mut remarks = Vec::new();
    if params.get("stream_timeout").is_some() {
        remarks.push("without stream_timeout: timeout counts for streams too");
    }
    if params.get("max_retries").or_else(|| params.get("num_retries")).is_some() {
        remarks.push("without retries of its own: those of [retries] count");
    }
    Ok(remarks)
}

fn mode(entry: &Node) -> Result<Option<&str>, Kept> {
    let Some(info) = entry.get("model_info") else { return Ok(None) };
    let acts = |own: &&super::yaml::Entry| {
        let is_on = !matches!(own.node.value, Value::Null | Value::Bool(false));
        is_on && ACTED_ON.contains(&own.key.as_str())
    };
    if let Some(own) = info.entries().iter().find(acts) {
        return Err(Stays(format!("model_info.{} (LiteLLM acts on it)", own.key)));
    }
    Ok(info.get("mode").and_then(Node::text))
}

/// The provider of a model, and the model's name there.
fn provider<'a>(params: &Params<'a>, model: &'a str) -> Result<(&'static Prefix, &'a str), Kept> {
    let (prefix, rest) = model.split_once('/').unzip();
    let (name, rest) = match (params.text("custom_llm_provider")?, prefix.zip(rest)) {
        (Some(own), Some((prefix, rest))) if own == prefix => (own, rest),
        (Some(own), _) => (own, model),
        (None, Some((prefix, rest))) => (prefix, rest),
        (None, None) if prefix::is_openai(model) && params.get("api_base").is_none() => {
            ("openai", model)
        }
        (None, None) => {
            return Err(Stays(format!(
                "{model} has no provider before it that is known here; write it as in openai/{model}"
            )));
        }
    };
    let prefix = Prefix::of(name).ok_or_else(|| Stays(format!("LiteLLM translates for {name}")))?;
    if rest.is_empty() {
        return Err(Refused(format!("{model} names no model after the provider")));
    }
    Ok((prefix, rest))
}

fn headers(
    prefix: &Prefix,
    params: &Params<'_>,
    common: &Common<'_>,
) -> Result<Vec<(String, String)>, Kept> {
    let mut headers = Vec::new();
    if prefix.serves == Serves::Messages {
        headers.push(("anthropic-version".to_owned(), "2023-06-01".to_owned()));
    }
    if let Some(organization) = params.text("organization")? {
        headers.push(("openai-organization".to_owned(), organization.to_owned()));
    }
    for entry in params.get("extra_headers").map(Node::entries).unwrap_or_default() {
        let name = entry.key.to_ascii_lowercase();
        let Some(value) = entry.node.text() else {
            return Err(Stays(format!("extra_headers.{} is {}", entry.key, entry.node.kind())));
        };
        let is_reference = value.starts_with(ENVIRONMENT);
        if crate::request::credentials::is_account_header(&name) && !is_reference {
            return Err(Stays(format!(
                "extra_headers.{} is a credential that is written out; write os.environ/NAME",
                entry.key
            )));
        }
        headers.retain(|(own, _)| *own != name);
        headers.push((name, value.to_owned()));
    }
    for (header, value) in &headers {
        let Some(name) = value.strip_prefix(ENVIRONMENT) else { continue };
        if common.declared(name).is_some() {
            return Err(Stays(format!(
                "{header} is in {name}, which the file declares for LiteLLM alone"
            )));
        }
        if common.needs_keys && common.variable(name).is_none_or(|value| value.is_empty()) {
            return Err(Stays(format!("{header} is in {name}, which is not set here")));
        }
    }
    Ok(headers)
}

fn price(params: &Params<'_>, common: &Common<'_>) -> Result<Option<(f64, f64)>, Kept> {
    let input = params.number("input_cost_per_token", common)?;
    let output = params.number("output_cost_per_token", common)?;
    Ok(input.zip(output))
}
