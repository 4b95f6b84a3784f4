//! `gaud route MODEL`: where a model would go, why, and which targets follow.

use std::fmt;
use std::process::ExitCode;

use crate::config::Strategy;
use crate::gateway::Gateway;
use crate::models::{Catalog, Names};
use crate::request::model::ModelName;
use crate::route::{ChainTarget, Decision, Deployment, Draw, Group, NoRoute, Rule};
use serde::Serialize;

use super::running;
use crate::native::settings::{self, ConfigOption, reachable};

/// Print where a model would go, the rule that decides, and what follows in its chain
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The model, as a client asks for it
    model: String,
    #[command(flatten)]
    config: ConfigOption,
    /// For machines: a JSON object
    #[arg(long)]
    json: bool,
}

/// Why there is nothing to print.
#[derive(Debug)]
pub(crate) enum RouteError {
    Config(settings::Error),
    NoRoute(String),
}

/// The output for machines.
#[derive(Serialize)]
struct RouteReport<'a> {
    model: &'a str,
    provider: &'a str,
    /// The name that is sent to the provider.
    target_model: &'a str,
    /// The rule, or `fallbacks` where no provider takes the model and only its chain does.
    rule: &'static str,
    /// The namespace or pattern that decided.
    by: Option<&'a str>,
    alias: Option<&'a str>,
    /// The deployments that serve the model, where several do. Each request draws one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deployments: Vec<Share<'a>>,
    /// How they are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<Strategy>,
    /// The targets that follow.
    fallbacks: Vec<Fallback<'a>>,
}

/// A deployment of a group.
#[derive(Serialize)]
struct Share<'a> {
    provider: &'a str,
    target_model: &'a str,
    weight: u32,
}

/// A target of the chain.
#[derive(Serialize)]
struct Fallback<'a> {
    provider: &'a str,
    target_model: &'a str,
}

/// Prints the targets and the rule.
pub(crate) fn run(args: &Args) -> Result<ExitCode, RouteError> {
    let loaded = args.config.load().map_err(RouteError::Config)?;
    let model = ModelName::try_from(args.model.clone())
        .map_err(|problem| RouteError::NoRoute(format!("the model {problem}")))?;
    let gateway = &loaded.gateway;
    let targets = targets(gateway, &model).map_err(|no_route| {
        let listed = Catalog::of(gateway, &[], Names::All);
        let near = listed.nearest(model.as_str());
        let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        RouteError::NoRoute(format!("{no_route}{near}"))
    })?;
    let decision = gateway.routes.decide(&model).ok();
    if args.json {
        println!("{}", json(gateway, model.as_str(), decision, &targets))
    } else {
        print!("{}", text(gateway, model.as_str(), decision, &targets))
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| RouteError::NoRoute(error.to_string()))?;
    let server = running::server(reachable(loaded.listen), Some(&loaded));
    let remarks = runtime.block_on(running::remarks(&server, Some(&loaded)));
    remarks.iter().for_each(|remark| super::tell(remark));
    Ok(ExitCode::SUCCESS)
}

/// The targets in the order of the file: no deployment is drawn.
fn targets<'a>(
    gateway: &'a Gateway,
    model: &'a ModelName,
) -> Result<Vec<ChainTarget>, NoRoute<'a>> {
    let mut targets = gateway.targets(model, "", &Draw::by(0))?;
    if let Some(group) = group(gateway, gateway.routes.decide(model).ok()) {
        let deployments = group.deployments().iter().map(|own| own.target.clone());
        let count = group.deployments().len();
        targets = deployments.chain(targets.into_iter().skip(count)).collect();
    }
    Ok(targets)
}

fn group<'a>(gateway: &'a Gateway, decision: Option<Decision<'_>>) -> Option<&'a Group> {
    match decision?.rule {
        Rule::Group(name) => gateway.routes.group(name),
        Rule::Namespace(_) | Rule::Match(_) | Rule::Default => None,
    }
}

/// The first target with the rule, then a line for each of the chain. A group has a line for each deployment, with its share
/// of the requests.
fn text(
    gateway: &Gateway,
    model: &str,
    decision: Option<Decision<'_>>,
    targets: &[ChainTarget],
) -> String {
    let why = decision.map_or_else(|| "fallbacks".to_owned(), |decision| decision.to_string());
    let group = group(gateway, decision);
    let mut lines = String::new();
    if let Some(group) = group {
        let all: u32 = group.deployments().iter().map(|own| own.weight).sum();
        let (count, how) = (group.deployments().len(), how(group));
        lines += &format!("{model} -> one of {count} deployments ({why}, {how})\n");
        for Deployment { target, weight, .. } in group.deployments() {
            let share = f64::from(*weight) * 100.0 / f64::from(all.max(1));
            let name = provider(gateway, target);
            lines += &format!("{share:>5.1} % {name}: {}\n", target.model);
        }
    }
    let following = group.map_or(0, |group| group.deployments().len());
    for (index, target) in targets.iter().enumerate().skip(following) {
        let (name, sent) = (provider(gateway, target), &target.model);
        lines += &match index {
            0 => format!("{model} -> {name}: {sent} ({why})\n"),
            _ => format!("then {name}: {sent}\n"),
        };
    }
    lines
}

fn how(group: &Group) -> &'static str {
    match (group.strategy, group.is_sticky()) {
        (Strategy::Weighted, false) => "by weight",
        (Strategy::Weighted, true) => "by weight, always the same for a key",
        (Strategy::LeastBusy, _) => "of two by weight the less busy",
        (Strategy::Latency, _) => "of two by weight the faster",
    }
}

fn json(
    gateway: &Gateway,
    model: &str,
    decision: Option<Decision<'_>>,
    targets: &[ChainTarget],
) -> String {
    let (rule, by) = match decision.map(|decision| decision.rule) {
        Some(Rule::Group(name)) => ("models", Some(name)),
        Some(Rule::Namespace(namespace)) => ("namespace", Some(namespace)),
        Some(Rule::Match(pattern)) => ("match", Some(pattern)),
        Some(Rule::Default) => ("default_provider", None),
        None => ("fallbacks", None),
    };
    let alias = decision.and_then(|decision| decision.alias);
    let group = group(gateway, decision);
    let deployments = group.map_or(&[][..], Group::deployments);
    let following = targets.iter().skip(deployments.len().max(1));
    let fallbacks = following
        .map(|target| Fallback { provider: provider(gateway, target), target_model: &target.model })
        .collect();
    let Some(first) = targets.first() else { return String::new() };
    let report = RouteReport {
        model,
        provider: provider(gateway, first),
        target_model: &first.model,
        rule,
        by,
        alias,
        deployments: deployments.iter().map(|own| share(gateway, own)).collect(),
        strategy: group.map(|group| group.strategy),
        fallbacks,
    };
    serde_json::to_string(&report).unwrap_or_default()
}

fn share<'a>(gateway: &'a Gateway, own: &'a Deployment) -> Share<'a> {
    let Deployment { target, weight, .. } = own;
    Share { provider: provider(gateway, target), target_model: &target.model, weight: *weight }
}

fn provider<'a>(gateway: &'a Gateway, target: &ChainTarget) -> &'a str {
    gateway.provider(target.provider).map_or("", |provider| provider.name.as_str())
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NoRoute(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for RouteError {}

#[cfg(test)]
mod tests {
    use crate::config::File;

    use super::*;

    fn said(model: &str) -> (String, String) {
        let config = r#"{"providers":{
            "p":{"url":"http://a","match":["gpt-*"],"auth":"none"},
            "q":{"url":"http://b","auth":"none"}},
            "aliases":{"fast":"p:x","other":"shared"},
            "models":[{"name":"shared","deployments":[{"target":"p:x","weight":3},{"target":"q:y"}],"strategy":"least_busy"}],
            "fallbacks":[{"model":"gpt-4*","to":["p:gpt-4o-mini","q:small"]},
                {"model":"nowhere","to":["q:a","q:b"]},{"model":"shared","to":["q:last"]}]}"#;
        let gateway =
            Gateway::compile(&File::from_json(config.as_bytes()).unwrap(), &|_| None).unwrap();
        let name = ModelName::try_from(model.to_owned()).unwrap();
        let (decision, targets) =
            (gateway.routes.decide(&name).ok(), targets(&gateway, &name).unwrap());
        (text(&gateway, model, decision, &targets), json(&gateway, model, decision, &targets))
    }

    #[test]
    fn a_chain_has_a_line_for_each_target() {
        for (model, expected) in [
            (
                "gpt-4o",
                "gpt-4o -> p: gpt-4o (match \"gpt-*\")\nthen p: gpt-4o-mini\nthen q: small\n",
            ),
            ("gpt-5", "gpt-5 -> p: gpt-5 (match \"gpt-*\")\n"),
            ("fast", "fast -> p: x (alias \"fast\", then namespace \"p:\")\n"),
            ("nowhere", "nowhere -> q: a (fallbacks)\nthen q: b\n"),
            (
                "shared",
                "shared -> one of 2 deployments (models \"shared\", of two by weight the less busy)\n 75.0 % p: x\n 25.0 % q: y\n\
                 then q: last\n",
            ),
            (
                "other",
                "other -> one of 2 deployments (alias \"other\", then models \"shared\", of two by weight the less busy)\n \
                 75.0 % p: x\n 25.0 % q: y\n",
            ),
        ] {
            assert_eq!(said(model).0, expected);
        }
    }

    #[test]
    fn machines_get_the_chain_as_an_array() {
        for (model, expected) in [
            (
                "gpt-4o",
                r#"{"model":"gpt-4o","provider":"p","target_model":"gpt-4o","rule":"match","by":"gpt-*","alias":null,"fallbacks":[{"provider":"p","target_model":"gpt-4o-mini"},{"provider":"q","target_model":"small"}]}"#,
            ),
            (
                "fast",
                r#"{"model":"fast","provider":"p","target_model":"x","rule":"namespace","by":"p:","alias":"fast","fallbacks":[]}"#,
            ),
            (
                "shared",
                r#"{"model":"shared","provider":"p","target_model":"x","rule":"models","by":"shared","alias":null,"deployments":[{"provider":"p","target_model":"x","weight":3},{"provider":"q","target_model":"y","weight":1}],"strategy":"least_busy","fallbacks":[{"provider":"q","target_model":"last"}]}"#,
            ),
            (
                "nowhere",
                r#"{"model":"nowhere","provider":"q","target_model":"a","rule":"fallbacks","by":null,"alias":null,"fallbacks":[{"provider":"q","target_model":"b"}]}"#,
            ),
        ] {
            assert_eq!(said(model).1, expected);
        }
    }
}
