//! The metrics of what attempts have used, in OpenTelemetry's names and buckets where OpenTelemetry has some.
//!
//! A model has metrics from its first attempt on. Only the models that the configuration names or that a provider lists have a
//! label of their own ([`crate::health::model_labels`]), so that a client can make no metrics.

use super::family::{Family, Values};
use crate::usage::{Basis, Operation, Settlement};

const TOKENS: Family = Family {
    name: "gaud_tokens_total",
    labels: &["provider", "model", "type"],
    values: Values::Of(&TOKEN_TYPES),
    meaning: "tokens by `type`: `input` and `output`, and their parts `cached`, `cache_write` and `reasoning`; where `usage.meter` is \
              `all`, as is each metric below",
};

const TOKEN_USAGE: Family = Family {
    name: "gen_ai_client_token_usage",
    labels: &[PROVIDER, MODEL, OPERATION, "gen_ai_token_type"],
    values: Values::Of(&["input", "output"]),
    meaning: "histogram: tokens of an answer by `gen_ai_token_type`: `input` or `output`",
};

const DURATION: Family = Family {
    name: "gen_ai_client_operation_duration_milliseconds",
    labels: &[PROVIDER, MODEL, OPERATION],
    values: Values::None,
    meaning: "histogram: from the request's leaving to the end of its answer",
};

const FIRST_TOKEN: Family = Family {
    name: "gen_ai_server_time_to_first_token_milliseconds",
    labels: &[PROVIDER, MODEL, OPERATION],
    values: Values::None,
    meaning: "histogram: from the request's leaving to the first byte of a stream",
};

const PROVIDER: &str = "gen_ai_provider_name";
const MODEL: &str = "gen_ai_request_model";
const OPERATION: &str = "gen_ai_operation_name";

const TOKEN_TYPES: [&str; 5] = ["input", "output", "cached", "cache_write", "reasoning"];

/// The families, in the order of the table of metrics.
pub(super) const FAMILIES: &[Family] = &[TOKENS, TOKEN_USAGE, DURATION, FIRST_TOKEN];

/// How many series an operation of a model at a provider has: the tokens by type, the histogram of input and of output, the
/// duration, the first token.
pub const SERIES: usize = TOKEN_TYPES.len() + 4;

/// OpenTelemetry's buckets.
const TOKEN_BUCKETS: [u64; 14] = [
    1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
    67_108_864,
];

/// OpenTelemetry's buckets, in milliseconds: Envoy's histograms have whole numbers.
const MS_BUCKETS: [u64; 14] =
    [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960, 81_920];

/// The buckets of the histograms, by what the names begin with.
pub const BUCKETS: [(&str, [u64; 14]); 3] = [
    (TOKEN_USAGE.name, TOKEN_BUCKETS),
    (DURATION.name, MS_BUCKETS),
    (FIRST_TOKEN.name, MS_BUCKETS),
];

/// Whether a series is a counter; else the series is a histogram.
pub fn is_counter(series: usize) -> bool {
    series < TOKEN_TYPES.len()
}

/// The names of the series in Envoy.
pub fn names(provider: &str, model: &str, operation: Operation) -> [String; SERIES] {
    let tokens =
        |kind: &str| format!("{}.provider.{provider}.model.{model}.type.{kind}", TOKENS.name);
    let operation = operation.otel_name();
    let of = |family: &Family| {
        format!("{}.{PROVIDER}.{provider}.{MODEL}.{model}.{OPERATION}.{operation}", family.name)
    };
    let usage = |kind: &str| format!("{}.gen_ai_token_type.{kind}", of(&TOKEN_USAGE));
    let [input, output, cached, cache_write, reasoning] = TOKEN_TYPES.map(tokens);
    let (usage_in, usage_out) = (usage("input"), usage("output"));
    let (duration, first) = (of(&DURATION), of(&FIRST_TOKEN));
    [input, output, cached, cache_write, reasoning, usage_in, usage_out, duration, first]
}

/// What an attempt adds to each series.
pub fn values(settlement: &Settlement, is_stream: bool) -> [Option<u64>; SERIES] {
    if settlement.basis == Basis::Failed {
        return [None; SERIES];
    }
    let usage = &settlement.usage;
    let some = |tokens: u64| (tokens > 0).then_some(tokens);
    [
        some(usage.input),
        some(usage.output),
        some(usage.cached),
        some(usage.cache_write),
        some(usage.reasoning),
        some(usage.input),
        some(usage.output),
        Some(settlement.duration_ms),
        settlement.first_ms.filter(|_| is_stream),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{Admission, Tier, Usage};
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn settlement(basis: Basis) -> Settlement {
        let admission = Admission {
            request: "r".to_owned(),
            attempt: 1,
            begun_ms: 5,
            key: String::new(),
            user: String::new(),
            provider: "p".to_owned(),
            model: "m".to_owned(),
            asked: "m".to_owned(),
            operation: Operation::Chat,
            request_bytes: 10,
        };
        let usage = Usage { input: 9, cached: 4, output: 7, ..Usage::NONE };
        let (duration_ms, first_ms) = (30, Some(20));
        Settlement {
            admission,
            status: 200,
            basis,
            tier: Tier::Standard,
            usage,
            duration_ms,
            first_ms,
        }
    }

    #[test]
    fn each_series_has_a_name_and_a_value() {
        let names = names("p", "m", Operation::Completions);
        let shown = |settlement, is_stream| {
            let values = values(settlement, is_stream);
            let pairs = names.iter().zip(values).enumerate();
            let text = |(series, (name, value)): (usize, (&String, Option<u64>))| {
                let kind = if is_counter(series) { "counter" } else { "histogram" };
                value.map(|value| format!("{kind} {name} {value}"))
            };
            pairs.filter_map(text).collect::<Vec<_>>()
        };
        let counted = settlement(Basis::Counted);
        let of =
            "gen_ai_provider_name.p.gen_ai_request_model.m.gen_ai_operation_name.text_completion";
        let first = format!("histogram gen_ai_server_time_to_first_token_milliseconds.{of} 20");
        let mut expected = vec![
            "counter gaud_tokens_total.provider.p.model.m.type.input 9".to_owned(),
            "counter gaud_tokens_total.provider.p.model.m.type.output 7".to_owned(),
            "counter gaud_tokens_total.provider.p.model.m.type.cached 4".to_owned(),
            format!("histogram gen_ai_client_token_usage.{of}.gen_ai_token_type.input 9"),
            format!("histogram gen_ai_client_token_usage.{of}.gen_ai_token_type.output 7"),
            format!("histogram gen_ai_client_operation_duration_milliseconds.{of} 30"),
            first,
        ];
        assert_eq!(shown(&counted, true), expected);
        expected.pop();
        assert_eq!(shown(&counted, false), expected, "a first token is a stream's");
        assert!(shown(&settlement(Basis::Failed), true).is_empty());
    }
}
