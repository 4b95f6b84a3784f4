//! What a virtual key becomes: a key of Gaud's, what of it is left out, and what blocks it.

use serde_json::Value;

use super::token::{Holder, Token, is_empty, object};
use crate::config::BudgetFile;
use crate::limits::{Budget, Limits};
use crate::native::control::{
    Carried, LitellmKey, ModelBudget, ModelLimitFields, ModelLimits, NewKey, RATE_MAX, UserRow,
    budget_window, check_models, check_name, check_user, hash_of_hex, model_limits,
};
use crate::route::Glob;

/// Names that LiteLLM gives a meaning of their own.
const ALL: &str = "all-proxy-models";
const OF_TEAM: &str = "all-team-models";
const NONE: &str = "no-default-models";

/// The group of routes that has all calls of models.
const ALL_ROUTES: &str = "llm_api_routes";

/// What a virtual key becomes.
#[derive(Debug)]
pub(super) struct Carry {
    pub(super) key: LitellmKey,
    /// The team or the user whose key this is.
    pub(super) owner: Option<UserRow>,
    pub(super) is_of_team: bool,
    /// What does not count here, and closes nothing.
    pub(super) without: Vec<String>,
    /// Why the key opens nothing here.
    pub(super) closed: Option<String>,
}

impl Carry {
    /// The key opens nothing here, for this reason unless there is one.
    pub(super) fn close(&mut self, why: &str) {
        self.closed.get_or_insert_with(|| why.to_owned());
        self.key.key.models = vec![NONE.to_owned()];
        self.key.key.blocked = true;
    }
}

/// Why a key opens nothing here: the first reason.
struct Closed(Option<String>);

impl Closed {
    /// What was kept; what cannot be kept closes the key.
    fn keep<T: Default>(&mut self, outcome: Result<T, String>) -> T {
        outcome.unwrap_or_else(|problem| {
            self.0.get_or_insert(problem);
            T::default()
        })
    }
}

/// `None` for a row whose `token` is not a SHA-256.
pub(super) fn carry(token: &Token) -> Option<Carry> {
    let hash = hash_of_hex(&token.token)?;
    let mut closed = Closed(restriction(token));
    let mut without = left_out(token);
    let limits = closed.keep(limits(&token.own, token.budget.as_ref(), "its"));
    let owner = owner(token, &mut closed, &mut without);
    let model_limits = closed.keep(limits_of_models(token));
    let models = models(token);
    closed.keep(check_models(&models));
    let alias = token.key_alias.clone().filter(|alias| check_name(alias).is_ok());
    let key = NewKey {
        name: alias.unwrap_or_default(),
        user: owner.as_ref().map(|owner| owner.id.clone()),
        models: if closed.0.is_some() { vec![NONE.to_owned()] } else { models },
        expires_secs: token.expires_secs,
        blocked: token.own.blocked == Some(true) || closed.0.is_some(),
        limits,
        model_limits,
    };
    let key = LitellmKey { hash, key, spent_nanos: spent(&token.own, &limits) };
    let is_of_team = token.team_id.is_some();
    Some(Carry { key, owner, is_of_team, without, closed: closed.0 })
}

/// The team of a key, else its user, and whose limits those are.
fn holder(token: &Token) -> Option<(&Holder, &'static str)> {
    match &token.team_id {
        Some(_) => token.team.as_ref().map(|own| (own, "its team's")),
        None => token.user.as_ref().map(|own| (own, "its user's")),
    }
}

/// Who owns the key.
fn owner(token: &Token, closed: &mut Closed, without: &mut Vec<String>) -> Option<UserRow> {
    let id = token.team_id.clone().or_else(|| token.user_id.clone())?;
    let nobody = Holder::default();
    let (holder, whose) = holder(token).unwrap_or((&nobody, "its owner's"));
    let limits = closed.keep(limits(holder, None, whose));
    if let Err(problem) = check_user(&id) {
        without.push(format!("its owner: {problem}"));
        let is_free = limits.is_none() && holder.blocked != Some(true);
        closed.keep(if is_free { Ok(()) } else { Err("its owner has limits".to_owned()) });
        return None;
    }
    let good = |text: Option<&String>| text.filter(|text| check_name(text).is_ok()).cloned();
    Some(UserRow {
        id,
        name: good(holder.team_alias.as_ref().or(holder.user_alias.as_ref())).unwrap_or_default(),
        email: good(holder.user_email.as_ref()),
        blocked: holder.blocked == Some(true),
        created_secs: 0,
        limits,
        is_litellms: false,
        carried: Carried { nanos: spent(holder, &limits), at_secs: 0 },
    })
}

/// In nano-dollars, in the window of now; nothing without a budget, so that not each use of a key is a change.
fn spent(holder: &Holder, limits: &Limits) -> u64 {
    let usd = if holder.is_over || limits.budget.is_none() { 0.0 } else { holder.spend.max(0.0) };
    // The most that the database keeps.
    budget(usd, "total").map_or(i64::MAX as u64, |own| own.nanos)
}

fn budget(usd: f64, window: &str) -> Result<Budget, String> {
    BudgetFile { usd, window: window.to_owned(), strict: None }.compile()
}

/// The limits of a holder; a shared budget counts where the holder says nothing.
fn limits(own: &Holder, shared: Option<&Holder>, whose: &str) -> Result<Limits, String> {
    let of = |field: fn(&Holder) -> Option<i64>| field(own).or_else(|| field(shared?));
    let rate = |number: i64| u64::try_from(number).unwrap_or_default().min(RATE_MAX);
    let max_budget = own.max_budget.or_else(|| shared?.max_budget);
    let duration = own.budget_duration.as_ref().or_else(|| shared?.budget_duration.as_ref());
    let said = |problem: String| format!("{whose} {problem}");
    let budget = max_budget.map(|usd| {
        let window = budget_window(duration.map(String::as_str)).map_err(said)?;
        budget(usd, window).map_err(|problem| format!("{whose} max_budget cannot be: {problem}"))
    });
    let most = own.max_parallel_requests.map(|most| u32::try_from(most.max(0)).unwrap_or(u32::MAX));
    if of(|own| own.tpd_limit).is_some() {
        return Err(format!("{whose} tpd_limit counts the tokens of a day, which Gaud does not"));
    }
    Ok(Limits {
        rpm: of(|own| own.rpm_limit).map(rate),
        tpm: of(|own| own.tpm_limit).map(rate),
        max_parallel_requests: most,
        budget: budget.transpose()?,
    })
}

/// The limits of the key for models: budgets are a column, rates are in the metadata.
fn limits_of_models(token: &Token) -> Result<ModelLimits, String> {
    let own = &token.own.model_max_budget;
    let budgets = match (is_empty(own), &token.budget) {
        (true, Some(shared)) => object(&shared.model_max_budget),
        _ => object(own),
    };
    let mut all = ModelLimitFields::new();
    for (name, value) in budgets {
        let budget: ModelBudget = serde_json::from_value(value).map_err(|_| {
            let name = name.escape_default();
            format!("its model_max_budget has something for {name} that is not a budget")
        })?;
        all.insert(
            name,
            budget.limits().map_err(|problem| format!("its model_max_budget: {problem}"))?,
        );
    }
    let metadata = object(&token.metadata);
    let rates = |field: &str| object(metadata.get(field).unwrap_or(&Value::Null));
    let rate = |name: &str, value: &Value| match value.as_u64() {
        Some(rate) => Ok(Some(u32::try_from(rate.min(RATE_MAX)).unwrap_or(u32::MAX))),
        None => Err(format!("its limit for {} is not a number", name.escape_default())),
    };
    for (name, value) in rates("model_rpm_limit") {
        let rate = rate(&name, &value)?;
        all.entry(name).or_default().rpm = rate;
    }
    for (name, value) in rates("model_tpm_limit") {
        let rate = rate(&name, &value)?;
        all.entry(name).or_default().tpm = rate;
    }
    model_limits(&all)
}

/// What LiteLLM refuses this key, and nothing here would.
fn restriction(token: &Token) -> Option<String> {
    let Token { own, allowed_routes, .. } = token;
    let holder = holder(token).map(|(own, _)| own);
    let any = |field: fn(&Holder) -> bool| field(own) || holder.is_some_and(field);
    let metadata = object(&token.metadata);
    let has = |field: &str| metadata.get(field).is_some_and(|value| !is_empty(value));
    let of_holder = object(holder.map_or(&Value::Null, |own| &own.metadata));
    let holder_has = |field: &str| of_holder.get(field).is_some_and(|value| !is_empty(value));
    let has_organization =
        token.organization_id.is_some() || holder.is_some_and(|own| own.organization_id.is_some());
    let cases = [
        (
            !allowed_routes.is_empty() && !allowed_routes.iter().any(|route| route == ALL_ROUTES),
            "its allowed_routes are not those of all models",
        ),
        (!is_empty(&token.aliases), "its aliases give models other names"),
        (
            any(|own| !is_empty(&own.budget_limits)),
            "its budget_limits are several windows of one budget",
        ),
        (
            holder.is_some_and(|own| !is_empty(&own.model_max_budget)),
            "its owner has budgets for models",
        ),
        (token.member_budget_id.is_some(), "its user has a budget within the team"),
        (has_organization, "its organization may have limits"),
        (token.project_id.is_some(), "its project may have limits"),
        (token.agent_id.is_some(), "its agent may have limits"),
        (any(|own| !own.policies.is_empty()), "it has policies"),
        (has("guardrails") || holder_has("guardrails"), "it has guardrails"),
        (
            holder_has("model_rpm_limit") || holder_has("model_tpm_limit"),
            "its owner has limits for models",
        ),
        (token.team_id.is_some() && token.team.is_none(), "its team is not there"),
        (has("enforced_params"), "it has enforced_params"),
    ];
    cases.into_iter().find_map(|(holds, why)| holds.then(|| why.to_owned()))
}

/// What counts nowhere here, and refuses nothing there.
fn left_out(token: &Token) -> Vec<String> {
    let metadata = object(&token.metadata);
    let has = |field: &str| metadata.get(field).is_some_and(|value| !is_empty(value));
    let has_alias = token.key_alias.as_ref().is_some_and(|alias| check_name(alias).is_err());
    let cases = [
        (token.team_id.is_some() && token.user_id.is_some(), "its user: the owner is its team"),
        (has_alias, "its alias, which is too long"),
        (has("tags"), "its tags"),
        (!is_empty(&token.router_settings), "its router_settings"),
        (!is_empty(&token.permissions), "its permissions"),
        (!token.access_group_ids.is_empty(), "the models of its access groups"),
    ];
    cases.into_iter().filter(|(holds, _)| *holds).map(|(_, what)| what.to_owned()).collect()
}

/// The models that the key and its owner may call; none for all.
fn models(token: &Token) -> Vec<String> {
    let own = &token.own.models;
    let holder = holder(token).map_or(&[][..], |(holder, _)| holder.models.as_slice());
    let are_all = |list: &[String], word: &str| list.iter().any(|name| name == word);
    let is_open = holder.is_empty() || are_all(holder, ALL);
    let inherits =
        own.is_empty() || are_all(own, ALL) || (are_all(own, OF_TEAM) && token.team_id.is_some());
    match (inherits, is_open) {
        (true, true) => Vec::new(),
        (true, false) => holder.to_vec(),
        (false, true) => own.clone(),
        (false, false) => both(own, holder),
    }
}

/// The names and patterns that two lists have in common.
fn both(one: &[String], other: &[String]) -> Vec<String> {
    let allows =
        |list: &[String], name: &str| list.iter().any(|own| Glob::new(own.clone()).matches(name));
    let mut common: Vec<String> = one.iter().filter(|name| allows(other, name)).cloned().collect();
    let more = other.iter().filter(|name| !one.contains(name) && allows(one, name));
    common.extend(more.cloned());
    // An empty list would be every model.
    if common.is_empty() { vec![NONE.to_owned()] } else { common }
}
