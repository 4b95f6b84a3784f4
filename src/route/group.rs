//! Groups: the deployments that serve one model, and which of them gets a request.
//!
//! | strategy | the first deployment | those that follow |
//! |---|---|---|
//! | `weighted` | drawn by the weights | drawn by the weights among the rest |
//! | `least_busy` | of two that are drawn, the one with fewer requests under way for its weight | the same |
//! | `latency` | of two that are drawn, the one that has answered sooner | the same |
//!
//! Of two that are equal the first drawn is taken, so that a tie goes to none of them always. A deployment whose breaker is
//! open is skipped, and one that has failed is left out for the rest of the request: the next in the order follows. One that has
//! had its requests or tokens for a minute (`rpm`, `tpm`) comes after all others: that is a reason to skip it, and none to fail.

use hashbrown::HashMap;

use super::{ChainTarget, CheckTarget, RouteTable, Target};
use crate::config::{ConfigError, DeploymentFile, File, ModelFile, Sticky, Strategy};
use crate::request::model::ModelName;

/// The most deployments of a model.
const DEPLOYMENTS_MAX: usize = 32;

/// The most that a weight may be: the weights of all deployments together fit into 32 bits.
const WEIGHT_MAX: u64 = 1_000_000;

/// The most that `rpm` may be: the time between two requests is counted in microseconds.
const RPM_MAX: u64 = 10_000_000;

/// The most that `tpm` may be.
const TPM_MAX: u64 = 1_000_000_000;

/// Why what requests use cannot be counted.
pub const NEEDS_METER: &str = "counts what requests use; set usage.meter = \"all\"";

/// The deployments of one model.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    deployments: Vec<Deployment>,
    /// Which deployment gets a request.
    pub strategy: Strategy,
    is_sticky: bool,
}

/// A target that serves a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The provider, and the model's name there.
    pub target: ChainTarget,
    /// The share of the requests.
    pub weight: u32,
    pub rates: Rates,
}

/// What a deployment may have in a minute before the others come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Requests.
    pub rpm: Option<u32>,
    pub tpm: Option<u32>,
}

impl Rates {
    fn are_none(self) -> bool {
        self == Self::default()
    }

    /// # Errors
    /// A number is out of bounds, or the tokens are counted by nobody: the field, and what is wrong.
    #[inline(never)]
    fn compile(file: &DeploymentFile, is_metered: bool) -> Result<Self, (&'static str, String)> {
        for (field, rate, most) in [("rpm", file.rpm, RPM_MAX), ("tpm", file.tpm, TPM_MAX)] {
            let rate = rate.map_or(1, u64::from);
            ConfigError::unless_within("", rate, 1, most)
                .map_err(|error| (field, error.problem))?;
        }
        match file.tpm.is_some() && !is_metered {
            true => Err(("tpm", NEEDS_METER.to_owned())),
            false => Ok(Self { rpm: file.rpm, tpm: file.tpm }),
        }
    }
}

/// How a deployment has done lately, as far as the worker has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests without the end of their answer.
    pub under_way: u32,
    /// The time until an answer began; 0 where that is not known.
    pub answer_ms: u32,
    /// The requests or the tokens for a minute are spent.
    pub is_spent: bool,
}

/// What decides between deployments.
pub struct Draw<'a> {
    /// Different for each request.
    pub chance: u64,
    /// The same for each request of a client.
    pub client: Option<u64>,
    /// How a deployment does.
    pub load: &'a dyn Fn(&Deployment) -> Load,
}

impl Draw<'_> {
    /// By chance alone.
    pub fn by(chance: u64) -> Self {
        Self { chance, client: None, load: &|_| Load::default() }
    }
}

impl Group {
    /// The deployments in the order of the file.
    pub fn deployments(&self) -> &[Deployment] {
        &self.deployments
    }

    /// Whether a client's requests stay on one deployment.
    pub fn is_sticky(&self) -> bool {
        self.is_sticky
    }

    /// The targets in the order in which a request asks them.
    pub fn order(&self, draw: &Draw<'_>) -> Vec<Target<'_>> {
        let seed = draw.client.filter(|_| self.is_sticky).unwrap_or(draw.chance);
        let mut dice = Dice(seed);
        let mut rest: Vec<&Deployment> = self.deployments.iter().collect();
        let mut order = Vec::with_capacity(rest.len());
        while let Some(first) = drawn(&mut dice, &mut rest) {
            let second = if self.strategy == Strategy::Weighted {
                None
            } else {
                drawn(&mut dice, &mut rest)
            };
            let chosen = match second {
                Some(second) if self.prefers(second, first, draw) => {
                    rest.push(first);
                    second
                }
                Some(second) => {
                    rest.push(second);
                    first
                }
                None => first,
            };
            order.push(chosen);
        }
        if self.deployments.iter().any(|own| !own.rates.are_none()) {
            order.sort_by_key(|own| !own.rates.are_none() && (draw.load)(own).is_spent);
        }
        order.into_iter().map(|own| own.target.as_target()).collect()
    }

    fn prefers(&self, one: &Deployment, other: &Deployment, draw: &Draw<'_>) -> bool {
        let (load_of_one, load_of_other) = ((draw.load)(one), (draw.load)(other));
        if self.strategy == Strategy::Latency {
            return load_of_one.answer_ms < load_of_other.answer_ms;
        }
        let busy = |load: Load, weight: u32| {
            u64::from(load.under_way).saturating_mul(u64::from(weight.max(1)))
        };
        busy(load_of_one, other.weight) < busy(load_of_other, one.weight)
    }

    fn compile(
        model: &ModelFile,
        routes: &RouteTable,
        check: CheckTarget<'_>,
        is_metered: bool,
    ) -> Result<Self, (String, String)> {
        let count = model.deployments.len();
        if count == 0 || count > DEPLOYMENTS_MAX {
            let problem = format!("has {count} deployments; write 1 to {DEPLOYMENTS_MAX}");
            return Err(("deployments".to_owned(), problem));
        }
        let mut deployments: Vec<Deployment> = Vec::new();
        for (index, file) in model.deployments.iter().enumerate() {
            let at = |field: &str| format!("deployments[{index}].{field}");
            let target =
                target(model, &file.target, routes).map_err(|problem| (at("target"), problem))?;
            if deployments.iter().any(|other| other.target == target) {
                let problem = format!(
                    "\"{}\" is a deployment of this model already; take one out",
                    file.target.escape_default()
                );
                return Err((at("target"), problem));
            }
            let weight = u64::from(file.weight.unwrap_or(1));
            let weight = ConfigError::unless_within("", weight, 0, WEIGHT_MAX)
                .map_err(|error| (at("weight"), error.problem))?;
            let rates = Rates::compile(file, is_metered)
                .map_err(|(field, problem)| (at(field), problem))?;
            let weight = u32::try_from(weight).unwrap_or(1);
            deployments.push(Deployment { target, weight, rates });
        }
        let group = Self {
            deployments,
            strategy: model.strategy.unwrap_or_default(),
            is_sticky: model.sticky == Some(Sticky::Key),
        };
        if group.is_sticky && group.strategy != Strategy::Weighted {
            let problem = "needs strategy = \"weighted\"; take one of the two out";
            return Err(("sticky".to_owned(), problem.to_owned()));
        }
        group
            .check(check)
            .map_err(|(index, problem)| (format!("deployments[{index}].target"), problem))?;
        Ok(group)
    }

    /// Whether every deployment may get what a client sends to the others.
    pub(super) fn check(&self, check: CheckTarget<'_>) -> Result<(), (usize, String)> {
        let mut providers = self.deployments.iter().map(|own| own.target.provider);
        let first = providers.next();
        let only = first.filter(|first| providers.all(|other| other == *first));
        for (index, own) in self.deployments.iter().enumerate() {
            check(own.target.as_target(), only).map_err(|problem| (index, problem))?;
        }
        Ok(())
    }
}

/// Compiles `models`, on top of the routes without them.
pub(super) fn compile(
    file: &File,
    routes: &RouteTable,
    check: CheckTarget<'_>,
) -> Result<HashMap<String, Group>, ConfigError> {
    let mut groups = HashMap::new();
    for (index, model) in file.models.iter().enumerate() {
        let error = |field: &str, problem: String| {
            Err(ConfigError::new(format!("models[{index}].{field}"), problem))
        };
        let name = &model.name;
        if let Err(problem) = ModelName::check(name) {
            return error("name", problem.to_string());
        }
        if groups.contains_key(name) {
            return error(
                "name",
                format!("\"{name}\" is here twice; put the deployments into one"),
            );
        }
        if file.aliases.contains_key(name) {
            return error("name", format!("\"{name}\" is an alias too; take one of the two out"));
        }
        match Group::compile(model, routes, check, file.records()) {
            Ok(group) => _ = groups.insert(name.clone(), group),
            Err((field, problem)) => return error(&field, problem),
        }
    }
    Ok(groups)
}

/// Where a deployment goes, by the routes without groups.
fn target(model: &ModelFile, target: &str, routes: &RouteTable) -> Result<ChainTarget, String> {
    ModelName::check(target).map_err(|problem| problem.to_string())?;
    let decision = routes.decide_str(target).map_err(|no_route| no_route.to_string())?;
    let is_itself = target == model.name && decision.alias.is_none();
    if is_itself && matches!(decision.rule, super::Rule::Default) {
        return Err(format!(
            "\"{}\" would be the model itself; write the provider before the model, as in \"openai:gpt-4o\"",
            target.escape_default()
        ));
    }
    Ok(decision.target.into())
}

/// Takes one by the weights. Those without a weight come when no other is left.
fn drawn<'a>(dice: &mut Dice, rest: &mut Vec<&'a Deployment>) -> Option<&'a Deployment> {
    let count = u64::try_from(rest.len()).unwrap_or(u64::MAX);
    let all: u64 = rest.iter().map(|own| u64::from(own.weight)).sum();
    let is_weighed = all > 0;
    let mut point = dice.below(if is_weighed { all } else { count });
    let place = rest.iter().position(|own| {
        let share = if is_weighed { u64::from(own.weight) } else { 1 };
        let is_hit = point < share;
        point = point.saturating_sub(share);
        is_hit
    })?;
    Some(rest.remove(place))
}

/// Numbers that look random, from a seed: splitmix64, <https://prng.di.unimi.it/splitmix64.c>.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at most 32 bits long.
    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 32).saturating_mul(bound) >> 32
    }
}

/// A number by which texts are told apart (FNV-1a, 64 bits).
pub fn digest(texts: &[&[u8]]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = texts.iter().flat_map(|text| text.iter().chain(std::iter::once(&0)));
    bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests;
