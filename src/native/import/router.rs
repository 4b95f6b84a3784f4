//! What a file says for all models: strategy, retries, cooldowns, chains, and what LiteLLM does with each request.

use std::collections::HashSet;

use super::Options;
use super::report::{Report, Verdict};
use super::sources::Sources;
use super::yaml::{Entry, Node, Value};
use crate::config::{BreakerFile, RetriesFile, SecretSource, Strategy};

/// What counts for all deployments.
pub(super) struct Common<'a> {
    /// A variable that is not set keeps its deployment with LiteLLM.
    pub(super) needs_keys: bool,
    env: &'a dyn Fn(&str) -> Option<String>,
    declared: Vec<(&'a str, &'a str)>,
    pub(super) credentials: Vec<(&'a str, &'a Node)>,
    pub(super) timeout_secs: f64,
    /// Why no model goes direct.
    pub(super) kept: Option<String>,
    pub(super) strategy: Result<Strategy, String>,
    pub(super) retries: Option<RetriesFile>,
    pub(super) breaker: Option<BreakerFile>,
    pub(super) chains: Vec<Chain>,
    pub(super) defaults: Vec<String>,
    /// The models that another error than a failure sends to another model.
    pub(super) by_error: Vec<Chain>,
    /// The names of models, with what they mean; hidden names are not among them.
    pub(super) aliases: Vec<(String, String)>,
    /// Whether LiteLLM has models that the file does not name.
    pub(super) has_database_models: bool,
}

/// The models that follow a model.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) line: usize,
    pub(super) model: String,
    pub(super) to: Vec<String>,
}

impl Chain {
    /// Whether the same models follow the same model.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        self.model == other.model && self.to == other.to
    }
}

/// The longest wait unless a file says otherwise (`litellm.request_timeout`).
const TIMEOUT_SECS: f64 = 6000.0;

/// The most retries that `[retries]` has.
const RETRIES_MAX: f64 = 5.0;

/// The callbacks that only look at what has happened.
const LOGGERS: [&str; 40] = [
    "langfuse",
    "langfuse_otel",
    "langsmith",
    "lunary",
    "helicone",
    "sentry",
    "posthog",
    "datadog",
    "datadog_llm_observability",
    "otel",
    "opentelemetry",
    "prometheus",
    "s3",
    "s3_v2",
    "sqs",
    "gcs_bucket",
    "gcs_pubsub",
    "azure_storage",
    "dynamodb",
    "supabase",
    "slack",
    "email",
    "resend_email",
    "smtp_email",
    "lago",
    "openmeter",
    "athina",
    "arize",
    "arize_phoenix",
    "braintrust",
    "galileo",
    "greenscale",
    "literalai",
    "logfire",
    "mlflow",
    "opik",
    "promptlayer",
    "traceloop",
    "wandb",
    "cloudzero",
];

impl Common<'_> {
    /// The value of a variable: the environment's, else the one that the file declares.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.declared(name).map(str::to_owned).or_else(|| (self.env)(name))
    }

    /// The value that the file declares in `environment_variables`, for LiteLLM alone.
    pub(super) fn declared(&self, name: &str) -> Option<&str> {
        self.declared.iter().rev().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }
}

/// Reads what counts for all.
pub(super) fn read<'a>(
    sources: &'a Sources,
    options: &Options<'a>,
    report: &mut Report,
) -> Common<'a> {
    let mut common = Common {
        needs_keys: options.needs_keys,
        env: options.env,
        declared: declared(sources),
        credentials: credentials(sources),
        timeout_secs: TIMEOUT_SECS,
        kept: None,
        strategy: Ok(Strategy::Weighted),
        retries: None,
        breaker: None,
        chains: Vec::new(),
        defaults: Vec::new(),
        by_error: Vec::new(),
        aliases: Vec::new(),
        has_database_models: false,
    };
    // The settings of the router rule over LiteLLM's.
    for section in ["litellm_settings", "router_settings", "general_settings"] {
        let Some((file, node)) = sources.last(section) else { continue };
        if !node.is_map() {
            report.add(
                (file, node.line),
                section,
                Verdict::Refused,
                format!("is {}; write a table", node.kind()),
            );
        }
        for entry in node.entries() {
            let what = format!("{section}.{}", entry.key);
            let (verdict, why) = common.setting(section, entry);
            report.add((file, entry.line), what, verdict, why);
        }
    }
    for top in &sources.tops {
        common.top(top.file, &top.entry, report);
    }
    for (line, path, problem) in &sources.unread {
        report.add((0, *line), format!("include {path}"), Verdict::Refused, problem.as_str());
    }
    common
}

fn declared(sources: &Sources) -> Vec<(&str, &str)> {
    let all = sources.all("environment_variables").flat_map(|(_, node)| node.entries());
    let texts = all.filter_map(|entry| Some((entry.key.as_str(), entry.node.text()?)));
    let is_value = |value| !matches!(SecretSource::parse(value), SecretSource::Environment(_));
    texts.filter(|(_, value)| is_value(value)).collect()
}

fn credentials(sources: &Sources) -> Vec<(&str, &Node)> {
    let all = sources.all("credential_list").flat_map(|(_, node)| node.items());
    all.filter_map(|item| {
        Some((item.get("credential_name")?.text()?, item.get("credential_values")?))
    })
    .collect()
}

/// The settings of a file's top that are read elsewhere.
const SECTIONS: [&str; 5] =
    ["model_list", "litellm_settings", "router_settings", "general_settings", "include"];

impl Common<'_> {
    /// A key of a file's top.
    fn top(&mut self, file: usize, entry: &Entry, report: &mut Report) {
        let at = (file, entry.line);
        match entry.key.as_str() {
            own if SECTIONS.contains(&own) => {}
            "environment_variables" => {
                report.add(
                    at,
                    "environment_variables",
                    Verdict::Taken,
                    "where an entry names one of these",
                );
            }
            "credential_list" => {
                report.add(
                    at,
                    "credential_list",
                    Verdict::Taken,
                    "where an entry names one of these",
                );
            }
            "policies" | "policy_attachments"
                if !entry.node.items().is_empty() || !entry.node.entries().is_empty() =>
            {
                self.kept.get_or_insert("a policy looks at requests".to_owned());
                report.add(
                    at,
                    entry.key.as_str(),
                    Verdict::Stays,
                    "a policy looks at requests, so every model stays",
                );
            }
            "guardrails" => {
                let always = entry.node.items().iter().find(|own| {
                    own.get("litellm_params")
                        .is_some_and(|own| own.get("default_on").is_some_and(Node::is_true))
                });
                match always {
                    Some(own) => {
                        let name = own
                            .get("guardrail_name")
                            .and_then(Node::text)
                            .unwrap_or("without a name");
                        let why = format!(
                            "the guardrail {name} looks at every request, so every model stays"
                        );
                        self.kept
                            .get_or_insert(format!("the guardrail {name} looks at every request"));
                        report.add((file, own.line), "guardrails", Verdict::Stays, why);
                    }
                    None => report.add(at, "guardrails", Verdict::Lost, ""),
                }
            }
            own => report.add(at, own, Verdict::Stays, ""),
        }
    }

    fn setting(&mut self, section: &str, entry: &Entry) -> (Verdict, String) {
        let node = &entry.node;
        if node.value == Value::Null {
            return (Verdict::Stays, "is empty".to_owned());
        }
        let taken = |why: &str| (Verdict::Taken, why.to_owned());
        match (section, entry.key.as_str()) {
            ("general_settings", "master_key") => lost(
                "LiteLLM asks its clients for keys; set [keys] mode = \"required\", or let only those reach the gateway who may spend",
            ),
            ("general_settings", "store_model_in_db") if node.is_true() => {
                self.has_database_models = true;
                stays("models of the database go to LiteLLM")
            }
            ("general_settings" | "litellm_settings", "max_budget" | "budget_duration") => {
                lost("LiteLLM does not see what goes direct")
            }
            ("general_settings", _) => stays(""),
            (_, "fallbacks") => self.chains(node, |this, chains| this.chains = chains),
            (_, "default_fallbacks") => self.default_chain(node),
            (_, "context_window_fallbacks" | "content_policy_fallbacks") => {
                let (verdict, why) = self.chains(node, |this, chains| this.by_error.extend(chains));
                match verdict {
                    Verdict::Taken => stays("a model stays whose fallbacks do not say the same"),
                    _ => (verdict, why),
                }
            }
            (_, "num_retries") => self.retries(node),
            (_, "timeout" | "request_timeout") => match node.number().filter(|secs| *secs > 0.0) {
                Some(secs) => {
                    self.timeout_secs = secs;
                    taken("timeout_secs of each provider")
                }
                None => refused(node, "write seconds, as in 600"),
            },
            ("router_settings", "routing_strategy") => self.strategy(node),
            ("router_settings", "routing_groups") => {
                self.strategy = Err("routing_groups have strategies of their own".to_owned());
                stays("models with several deployments stay")
            }
            ("router_settings", "enable_weighted_failover") if node.is_true() => {
                taken("a request goes on to another deployment of its model")
            }
            ("router_settings", "model_group_alias") => self.aliases(node),
            (_, "allowed_fails") => self.breaker(node, "failures", |breaker, fails| {
                // LiteLLM counts the failures beyond these.
                breaker.failures = Some(fails.saturating_add(1));
            }),
            (_, "cooldown_time") => self.breaker(node, "open_secs", |breaker, secs| {
                breaker.open_secs = Some(u64::from(secs.max(1)));
            }),
            (_, "disable_cooldowns") if node.is_true() => {
                self.breaker.get_or_insert_default().enabled = Some(false);
                taken("[breaker] enabled = false")
            }
            ("litellm_settings", "callbacks") => self.callbacks(node),
            ("litellm_settings", "success_callback" | "failure_callback") => {
                lost("LiteLLM does not see what goes direct")
            }
            ("litellm_settings", "cache") if node.is_true() => lost(""),
            ("litellm_settings", "drop_params") if node.is_true() => {
                lost("a parameter that a provider does not know reaches the provider")
            }
            (
                _,
                "retry_policy"
                | "model_group_retry_policy"
                | "allowed_fails_policy"
                | "max_fallbacks"
                | "retry_after",
            ) => lost(""),
            ("router_settings", "enable_pre_call_checks" | "enable_tag_filtering")
                if node.is_true() =>
            {
                lost("")
            }
            _ => stays(""),
        }
    }

    fn chains(
        &mut self,
        node: &Node,
        keep: impl FnOnce(&mut Self, Vec<Chain>),
    ) -> (Verdict, String) {
        let example = "write a list of tables, as in - gpt-4o: [gpt-4o-mini]";
        let Value::List(items) = &node.value else { return refused(node, example) };
        let mut chains = Vec::new();
        for item in items {
            if let Some(text) = item.text() {
                let first = items.first().and_then(Node::text).unwrap_or(text);
                let others: Vec<_> = items.iter().skip(1).filter_map(Node::text).collect();
                let why = format!(
                    "is a list of names, and LiteLLM needs the model that fails: write - {first}: [{}]",
                    others.join(", ")
                );
                return (Verdict::Refused, why);
            }
            if let (Some(name), Some(to)) =
                (item.get("model_name").and_then(Node::text), item.get("fallbacks"))
            {
                let to: Vec<_> = to.items().iter().filter_map(Node::text).collect();
                let why = format!(
                    "LiteLLM takes model_name for the name of a model; write - {name}: [{}]",
                    to.join(", ")
                );
                return (Verdict::Refused, why);
            }
            for entry in item.entries() {
                let all = entry.node.items();
                let to: Vec<String> =
                    all.iter().filter_map(Node::text).map(str::to_owned).collect();
                if to.is_empty() || to.len() < all.len() {
                    // A target may be a table with parameters, which LiteLLM puts in.
                    let chain =
                        Chain { line: entry.line, model: entry.key.clone(), to: Vec::new() };
                    self.by_error.push(chain);
                    continue;
                }
                chains.push(Chain { line: entry.line, model: entry.key.clone(), to });
            }
        }
        keep(self, chains);
        (Verdict::Taken, "[[fallbacks]], where the model and all that follow go direct".to_owned())
    }

    fn default_chain(&mut self, node: &Node) -> (Verdict, String) {
        let names: Vec<String> =
            node.items().iter().filter_map(Node::text).map(str::to_owned).collect();
        if names.is_empty() {
            return refused(node, "write a list of models, as in [gpt-4o-mini]");
        }
        self.defaults = names;
        (
            Verdict::Taken,
            "[[fallbacks]] of each model that goes direct, where all that follow go direct"
                .to_owned(),
        )
    }

    fn retries(&mut self, node: &Node) -> (Verdict, String) {
        let Some(number) = node.number().filter(|number| *number >= 0.0 && number.fract() == 0.0)
        else {
            return refused(node, "write a whole number, as in 2");
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within bounds"
        )]
        let max = number.min(RETRIES_MAX) as u32;
        self.retries = Some(RetriesFile { max: Some(max), ..RetriesFile::default() });
        let most = if number > RETRIES_MAX { ", the most that there is" } else { "" };
        (Verdict::Taken, format!("[retries] max = {max}{most}"))
    }

    fn strategy(&mut self, node: &Node) -> (Verdict, String) {
        let name = node.text().unwrap_or_default();
        let strategy = match name {
            "simple-shuffle" => Strategy::Weighted,
            "least-busy" | "usage-based-routing" | "usage-based-routing-v2" => Strategy::LeastBusy,
            "latency-based-routing" => Strategy::Latency,
            "cost-based-routing" => {
                self.strategy = Err("LiteLLM chooses by cost".to_owned());
                return stays("models with several deployments stay");
            }
            _ => {
                let known =
                    "simple-shuffle, least-busy, latency-based-routing, usage-based-routing-v2";
                let problem =
                    format!("\"{name}\" is not one of LiteLLM's strategies; write one of {known}");
                return (Verdict::Refused, problem);
            }
        };
        // Groups with strategies of their own rule over the common one.
        if self.strategy.is_ok() {
            self.strategy = Ok(strategy);
        }
        let ours = match strategy {
            Strategy::Weighted => "weighted",
            Strategy::LeastBusy => "least_busy",
            Strategy::Latency => "latency",
        };
        let instead = if name.starts_with("usage") {
            ", which looks at requests and not at tokens"
        } else {
            ""
        };
        (Verdict::Taken, format!("strategy = \"{ours}\"{instead}"))
    }

    fn aliases(&mut self, node: &Node) -> (Verdict, String) {
        if !node.is_map() {
            return refused(node, "write a table, as in gpt-4: gpt-4o");
        }
        let hidden: HashSet<&str> = node
            .entries()
            .iter()
            .filter(|entry| entry.node.get("hidden").is_some_and(Node::is_true))
            .map(|entry| entry.key.as_str())
            .collect();
        for entry in node.entries().iter().filter(|entry| !hidden.contains(entry.key.as_str())) {
            let model = entry.node.text().or_else(|| entry.node.get("model")?.text());
            self.aliases.extend(model.map(|model| (entry.key.clone(), model.to_owned())));
        }
        let stay = if hidden.is_empty() { "" } else { "; hidden names stay with LiteLLM" };
        (Verdict::Taken, format!("[aliases]{stay}"))
    }

    fn breaker(
        &mut self,
        node: &Node,
        name: &str,
        set: impl FnOnce(&mut BreakerFile, u32),
    ) -> (Verdict, String) {
        let Some(number) = node.number().filter(|number| (0.0..=86_400.0).contains(number)) else {
            return refused(node, "write a number, as in 3");
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within bounds"
        )]
        set(self.breaker.get_or_insert_default(), number.ceil() as u32);
        (Verdict::Taken, format!("[breaker] {name}"))
    }

    fn callbacks(&mut self, node: &Node) -> (Verdict, String) {
        let one = node.text().into_iter();
        let names = one.chain(node.items().iter().filter_map(Node::text));
        let acting = names.into_iter().find(|name| !LOGGERS.contains(name));
        match acting {
            Some(name) => {
                self.kept.get_or_insert(format!("the callback {name} may change requests"));
                stays(&format!("the callback {name} may change requests, so every model stays"))
            }
            None => lost("LiteLLM does not see what goes direct"),
        }
    }
}

fn lost(why: &str) -> (Verdict, String) {
    (Verdict::Lost, why.to_owned())
}

fn stays(why: &str) -> (Verdict, String) {
    (Verdict::Stays, why.to_owned())
}

fn refused(node: &Node, remedy: &str) -> (Verdict, String) {
    (Verdict::Refused, format!("is {}; {remedy}", node.kind()))
}
