//! From the entries of a file to settings: which names go direct, and what their providers, groups, patterns and chains are.

mod names;
mod providers;

use std::collections::{HashMap, HashSet};

use super::deployment::{self, Direct};
use super::known;
use super::parameters::Kept;
use super::report::{Report, Verdict};
use super::router::{self, Chain, Common};
use super::sources::Sources;
use super::yaml::{Node, Value};
use super::{Import, LITELLM, Options};
use crate::config::{
    DeploymentFile, FallbackFile, File, ModelFile, PriceFile, ProviderFile, Strategy,
};
use crate::request::model::ModelName;
use names::Pattern;
use providers::Providers;

/// The most models that may follow a model, as `[[fallbacks]]` has them.
const FOLLOWING_MAX: usize = 8;

/// An entry of `model_list`.
pub(super) struct Entry {
    at: (usize, usize),
    name: String,
    /// What LiteLLM lists in the place of a name with `*`.
    listed: Vec<String>,
    outcome: Result<Direct, Kept>,
}

/// Makes the settings and the report.
pub(super) fn plan(sources: &Sources, options: &Options<'_>) -> Import {
    let mut report = Report { files: sources.files.clone(), lines: Vec::new() };
    let common = router::read(sources, options, &mut report);
    let mut entries = entries(sources, &common, &mut report);
    keep_together(&mut entries, &common);
    let patterns = names::patterns(&mut entries);
    let chains = chains(&mut entries, &common, options, &mut report);
    let plan = Plan { entries, common, patterns, chains };
    let file = plan.file(options, &mut report);
    Import { file, report }
}

fn entries(sources: &Sources, common: &Common<'_>, report: &mut Report) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (file, list) in sources.all("model_list") {
        if !matches!(list.value, Value::List(_) | Value::Null) {
            let why = format!("is {}; write a list of entries with model_name", list.kind());
            report.add((file, list.line), "model_list", Verdict::Refused, why);
        }
        for item in list.items() {
            entries.push(entry(file, item, common));
        }
    }
    entries
}

fn entry(file: usize, item: &Node, common: &Common<'_>) -> Entry {
    let (name, mut outcome) = deployment::read(item, common);
    if let (Ok(_), Some(why)) = (&outcome, &common.kept) {
        outcome = Err(Kept::Stays(why.clone()));
    }
    if outcome.is_ok()
        && let Err(problem) = ModelName::check(&name)
    {
        outcome = Err(Kept::Stays(format!("its name {problem}")));
    }
    if let Ok(own) = &outcome
        && let Some(problem) = providers::problem(own, common)
    {
        outcome = Err(Kept::Stays(problem));
    }
    let listed = if name.contains('*') { listed(&name, item) } else { Vec::new() };
    Entry { at: (file, item.line), name, listed, outcome }
}

fn listed(name: &str, item: &Node) -> Vec<String> {
    let model = item.get("litellm_params").and_then(|own| own.get("model"));
    let model = model.and_then(Node::text).unwrap_or_default();
    let mut names = known::names(name, model);
    names.retain(|model| ModelName::check(model).is_ok());
    names
}

/// All deployments of a name go direct, or none.
fn keep_together(entries: &mut [Entry], common: &Common<'_>) {
    for index in 0..entries.len() {
        let Some(own) = entries.get(index).filter(|own| own.outcome.is_ok()) else { continue };
        let same = |other: &&Entry| other.name == own.name;
        let stays = |other: &&Entry| same(other) && matches!(other.outcome, Err(Kept::Stays(_)));
        let why = if let Some(other) = entries.iter().find(stays) {
            Some(format!("another deployment of this name stays (line {})", other.at.1))
        } else if entries.iter().filter(same).count() > 1 {
            common.strategy.as_ref().err().cloned()
        } else {
            None
        };
        let by_error = common.by_error.iter().find(|chain| chain.model == own.name);
        let why = why.or_else(|| {
            let chain =
                by_error.filter(|chain| !common.chains.iter().any(|own| own.is_as(chain)))?;
            Some(match chain.to.is_empty() {
                true => "its fallbacks have parameters of their own".to_owned(),
                false => "the kind of its error decides which model follows".to_owned(),
            })
        });
        if let Some(why) = why {
            keep(entries, index, &why);
        }
    }
}

/// Leaves all deployments of the name of an entry with LiteLLM.
fn keep(entries: &mut [Entry], index: usize, why: &str) {
    let Some(name) = entries.get(index).map(|own| own.name.clone()) else { return };
    let direct = entries.iter_mut().filter(|own| own.name == name && own.outcome.is_ok());
    direct.for_each(|own| own.outcome = Err(Kept::Stays(why.to_owned())));
}

/// The chains of the models that go direct. A model whose chain cannot be carried stays with LiteLLM, which may keep others.
fn chains(
    entries: &mut [Entry],
    common: &Common<'_>,
    options: &Options<'_>,
    report: &mut Report,
) -> Vec<Chain> {
    loop {
        let mut chains = Vec::new();
        let mut kept = None;
        for (index, own) in entries.iter().enumerate() {
            let is_first = entries.iter().position(|other| other.name == own.name) == Some(index);
            if own.outcome.is_err() || !is_first || own.name.contains('*') {
                continue;
            }
            match chain(own, entries, common, options) {
                Ok(chain) => chains.extend(chain),
                Err(why) => kept = Some((index, why)),
            }
        }
        match kept {
            Some((index, why)) => keep(entries, index, &why),
            None => {
                unknown_targets(entries, common, report);
                return chains;
            }
        }
    }
}

fn written<'a>(name: &str, common: &'a Common<'_>) -> &'a [String] {
    let own = common.chains.iter().find(|chain| chain.model == name);
    let any = || common.chains.iter().find(|chain| chain.model == "*");
    own.or_else(any).map_or(&common.defaults, |chain| &chain.to)
}

fn chain(
    own: &Entry,
    entries: &[Entry],
    common: &Common<'_>,
    options: &Options<'_>,
) -> Result<Option<Chain>, String> {
    let paths = |name: &str| -> Vec<&'static str> {
        let all = entries.iter().filter(|other| other.name == name);
        all.filter_map(|other| other.outcome.as_ref().ok())
            .flat_map(|own| own.provider.paths.clone())
            .collect()
    };
    let needed = paths(&own.name);
    let mut to: Vec<String> = Vec::new();
    for name in written(&own.name, common).iter().filter(|name| **name != own.name) {
        let mut of_name = entries.iter().filter(|other| other.name == *name).peekable();
        if of_name.peek().is_none() {
            continue;
        }
        let goes = of_name.all(|other| other.outcome.is_ok());
        let target = match goes {
            true if needed.iter().all(|path| paths(name).contains(path)) => name.clone(),
            true => return Err(format!("its fallback {name} has other paths")),
            false if options.litellm_follows => format!("{LITELLM}:{name}"),
            false => return Err(format!("its fallback {name} stays")),
        };
        if !to.contains(&target) && to.len() < FOLLOWING_MAX {
            to.push(target);
        }
    }
    Ok((!to.is_empty()).then(|| Chain { line: own.at.1, model: own.name.clone(), to }))
}

/// Says which chains name models that are not there.
fn unknown_targets(entries: &[Entry], common: &Common<'_>, report: &mut Report) {
    let is_known = |name: &String| {
        let fits = |own: &Entry| own.name == *name || names::fits(&own.name, name);
        entries.iter().any(fits) || common.aliases.iter().any(|(alias, _)| alias == name)
    };
    for chain in &common.chains {
        for name in chain.to.iter().filter(|name| !is_known(name)) {
            let why =
                format!("{name} is not a model_name of this file; take it out, or add the model");
            report.add(
                (0, chain.line),
                format!("fallbacks of {}", chain.model),
                Verdict::Refused,
                why,
            );
        }
    }
}

/// What is left once it is known what goes direct.
struct Plan<'a> {
    entries: Vec<Entry>,
    common: Common<'a>,
    patterns: HashMap<String, Pattern>,
    chains: Vec<Chain>,
}

impl Plan<'_> {
    fn file(self, options: &Options<'_>, report: &mut Report) -> File {
        let mut providers = Providers::of(options.taken);
        let mut file = File { default_provider: Some(LITELLM.to_owned()), ..File::default() };
        file.providers.insert(LITELLM.to_owned(), self.litellm(options));
        let mut done: Vec<&str> = Vec::new();
        for own in &self.entries {
            self.report(own, &mut providers, report);
            if own.outcome.is_err() || done.contains(&own.name.as_str()) {
                continue;
            }
            done.push(&own.name);
            let of_name = self.entries.iter().filter(|other| other.name == own.name);
            let deployments: Vec<&Direct> =
                of_name.filter_map(|other| other.outcome.as_ref().ok()).collect();
            self.name(&own.name, &deployments, &mut providers, &mut file);
        }
        for (name, provider) in providers.files {
            file.providers.insert(name, provider);
        }
        self.aliases(&mut file);
        self.kept_names(&mut file);
        // A name that is written as another's target goes there without an alias.
        let targets: Vec<String> = file.aliases.values().cloned().collect();
        file.aliases.retain(|alias, _| !targets.contains(alias));
        let has_direct = !done.is_empty();
        file.fallbacks = self
            .chains
            .iter()
            .map(|Chain { model, to, .. }| FallbackFile { model: model.clone(), to: to.clone() })
            .collect();
        file.retries = self.common.retries.filter(|_| has_direct);
        file.breaker = self.common.breaker.filter(|_| has_direct);
        file
    }

    fn report(&self, own: &Entry, providers: &mut Providers, report: &mut Report) {
        let (verdict, why) = match &own.outcome {
            Ok(direct) => (Verdict::Direct, providers.describe(direct)),
            Err(Kept::Stays(why)) => (Verdict::Stays, why.clone()),
            Err(Kept::Refused(why)) => (Verdict::Refused, why.clone()),
        };
        report.add_model(own.at, &own.name, verdict, why);
    }

    /// What LiteLLM keeps, as it would list it.
    fn litellm(&self, options: &Options<'_>) -> ProviderFile {
        let mut models: Vec<String> = Vec::new();
        for own in self.entries.iter().filter(|own| own.outcome.is_err()) {
            match own.name.contains('*') {
                true => models.extend(self.served(own)),
                false if ModelName::check(&own.name).is_ok() => models.push(own.name.clone()),
                false => {}
            }
        }
        let mut seen = HashSet::new();
        models.retain(|name| seen.insert(name.clone()));
        ProviderFile {
            url: options.litellm_url.map(str::to_owned),
            discover_models: Some(self.common.has_database_models),
            models,
            ..ProviderFile::default()
        }
    }

    /// What LiteLLM lists for a pattern and serves by that pattern: no other name, and no longer pattern, fits.
    fn served(&self, own: &Entry) -> Vec<String> {
        let is_closer = |other: &Entry, name: &String| {
            other.name == *name
                || names::fits(&other.name, name) && other.name.len() > own.name.len()
        };
        let is_served = |name: &&String| {
            names::fits(&own.name, name) && !self.entries.iter().any(|other| is_closer(other, name))
        };
        own.listed.iter().filter(is_served).cloned().collect()
    }

    /// The settings of one name.
    fn name(&self, name: &str, all: &[&Direct], providers: &mut Providers, file: &mut File) {
        if let Some(pattern) = self.patterns.get(name) {
            let of_name = self.entries.iter().find(|own| own.name == name);
            let listed = of_name.map(|own| self.served(own)).unwrap_or_default();
            all.iter().for_each(|own| providers.add_pattern(own, pattern, &listed));
            return;
        }
        let mut targets: Vec<(String, f64)> = Vec::new();
        let shares = shares(all);
        for (own, share) in
            all.iter().zip(shares.iter().flatten().copied().chain(std::iter::repeat(1.0)))
        {
            let provider = providers.name(own);
            let target = format!("{provider}:{}", own.model);
            if let Some((input, output)) = own.price {
                let price = PriceFile {
                    input: million(input),
                    output: million(output),
                    ..PriceFile::default()
                };
                file.prices.insert(format!("{provider}/{}", own.model), price);
            }
            match targets.iter_mut().find(|(other, _)| *other == target) {
                Some((_, weight)) => *weight += share,
                None => targets.push((target, share)),
            }
        }
        if let [(target, _)] = targets.as_slice() {
            file.aliases.insert(name.to_owned(), target.clone());
            return;
        }
        let is_weighed = shares.is_some() && self.common.strategy == Ok(Strategy::Weighted);
        let weights = whole(&targets);
        let deployments =
            targets.into_iter().zip(weights).map(|((target, _), weight)| DeploymentFile {
                target,
                weight: is_weighed.then_some(weight),
                ..DeploymentFile::default()
            });
        file.models.push(ModelFile {
            name: name.to_owned(),
            deployments: deployments.collect(),
            strategy: self.common.strategy.clone().ok().filter(|own| *own != Strategy::Weighted),
            sticky: None,
        });
    }

    /// The other names of models.
    fn aliases(&self, file: &mut File) {
        for (alias, model) in &self.common.aliases {
            let is_group = file.models.iter().any(|own| own.name == *model);
            let target =
                file.aliases.get(model).cloned().or_else(|| is_group.then(|| model.clone()));
            let is_name = ModelName::check(alias).is_ok();
            let is_free = !file.aliases.contains_key(alias)
                && file.models.iter().all(|own| own.name != *alias);
            match target {
                Some(target) if is_name && is_free => {
                    _ = file.aliases.insert(alias.clone(), target)
                }
                None if is_name => {
                    let litellm = file.providers.get_mut(LITELLM);
                    litellm.into_iter().for_each(|own| own.models.push(alias.clone()));
                }
                _ => {}
            }
        }
    }

    /// The names that LiteLLM keeps although a pattern that goes direct fits them.
    fn kept_names(&self, file: &mut File) {
        let taken = |name: &str| self.patterns.keys().any(|pattern| names::fits(pattern, name));
        let mut matched = Vec::new();
        for own in self.entries.iter().filter(|own| own.outcome.is_err()) {
            if !taken(&own.name) || ModelName::check(&own.name).is_err() {
                continue;
            }
            if own.name.contains('*') {
                matched.push(own.name.clone());
            } else if !file.aliases.contains_key(&own.name) {
                file.aliases.insert(own.name.clone(), format!("{LITELLM}:{}", own.name));
            }
        }
        let litellm = file.providers.get_mut(LITELLM);
        litellm.into_iter().for_each(|own| own.patterns.extend(matched.clone()));
    }
}

/// The shares of deployments, by the first of these that any of them has: as LiteLLM draws.
fn shares(all: &[&Direct]) -> Option<Vec<f64>> {
    let kinds: [fn(&Direct) -> Option<f64>; 3] =
        [|own| own.shares.weight, |own| own.shares.rpm, |own| own.shares.tpm];
    let kind = kinds.into_iter().find(|kind| all.iter().any(|own| kind(own).is_some()))?;
    Some(all.iter().map(|own| kind(own).unwrap_or(0.0)).collect())
}

/// The most that a weight is, where shares are not whole numbers.
const WEIGHT_SCALE: f64 = 1000.0;

/// Shares as whole numbers of the same proportion.
fn whole(targets: &[(String, f64)]) -> Vec<u32> {
    let most = targets.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    let is_whole = targets.iter().all(|(_, share)| share.fract() == 0.0) && most <= 1_000_000.0;
    let scale = if is_whole || most == 0.0 { 1.0 } else { WEIGHT_SCALE / most };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    let weight = |share: f64| (share * scale).round() as u32;
    targets.iter().map(|(_, share)| weight(*share)).collect()
}

/// The price of a million tokens, without the digits that come of the binary form.
fn million(token: f64) -> f64 {
    (token * 1e12).round() / 1e6
}
