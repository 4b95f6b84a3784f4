//! `GET /admin/metrics`: what the ledger has, for Prometheus. Tokens and times are Envoy's to tell.
//!
//! Only a model with a price has a label of its own: a client can ask for any name.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::error::ApiError;
use crate::health::model_labels::OTHER;
use crate::native::ledger::{Day, Group, Ledger, Query, Row, dollars};

/// The format of Prometheus's text.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

const COST: &str = "gaud_cost_usd_total";
const KEY_COST: &str = "gaud_key_cost_usd_total";

/// The metrics of the ledger.
pub(super) fn metrics(ledger: &Ledger, now_secs: i64) -> Result<String, ApiError> {
    // Clocks of other gateways may be ahead.
    let until = Day::of_secs(now_secs).after(1);
    let sums = |by: [Group; 2]| ledger.report(&Query { by: by.into(), since: Day::FIRST, until });
    let by_model = sums([Group::Provider, Group::Model])?;
    Ok(text(&by_model, &sums([Group::Key, Group::User])?))
}

fn text(by_model: &[Row], by_key: &[Row]) -> String {
    let mut costs: BTreeMap<[(&str, &str); 2], i64> = BTreeMap::new();
    for row in by_model {
        let [provider, model] = values(row);
        let model = if row.cost_nanos > 0 { model } else { OTHER };
        let cost = costs.entry([("provider", provider), ("model", model)]).or_default();
        *cost = cost.saturating_add(row.cost_nanos);
    }
    let mut keys = BTreeMap::new();
    for row in by_key.iter().filter(|row| row.cost_nanos > 0) {
        let [key, user] = values(row);
        keys.insert([("key", key), ("user", user)], row.cost_nanos);
    }
    let mut text = String::new();
    family(&mut text, COST, "What requests have cost, in dollars, by provider and model.", &costs);
    family(&mut text, KEY_COST, "What keys have spent, in dollars, by public id.", &keys);
    text
}

/// The two names by which a row is summed.
fn values(row: &Row) -> [&str; 2] {
    let value = |place: usize| row.group.get(place).map_or("", |(_, value)| value);
    [value(0), value(1)]
}

fn family(text: &mut String, name: &str, help: &str, sums: &BTreeMap<[(&str, &str); 2], i64>) {
    // Writing to a text cannot fail.
    _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
    for (labels, nanos) in sums {
        let labels = labels.map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
        _ = writeln!(text, "{name}{{{}}} {}", labels.join(","), dollars(*nanos));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_without_a_price_has_no_label_of_its_own() {
        let row = |names: [&'static str; 2], values: [&str; 2], cost_nanos| Row {
            group: names.into_iter().zip(values.map(str::to_owned)).collect(),
            sums: Vec::new(),
            cost_nanos,
        };
        let model = |provider, model, cost| row(["provider", "model"], [provider, model], cost);
        let key = |key, user, cost| row(["key", "user"], [key, user], cost);
        let by_model = [model("a", "gpt-4.1", 3_163_500), model("a", "x1", 0), model("a", "x2", 0)];
        let by_key = [key("", "", 5), key("k1", "a\"\\\n", 1_000_000_000), key("k2", "", 0)];
        let expected = "\
# HELP gaud_cost_usd_total What requests have cost, in dollars, by provider and model.
# TYPE gaud_cost_usd_total counter
gaud_cost_usd_total{provider=\"a\",model=\"gpt-4.1\"} 0.0031635
gaud_cost_usd_total{provider=\"a\",model=\"other\"} 0.00
# HELP gaud_key_cost_usd_total What keys have spent, in dollars, by public id.
# TYPE gaud_key_cost_usd_total counter
gaud_key_cost_usd_total{key=\"\",user=\"\"} 0.000000005
gaud_key_cost_usd_total{key=\"k1\",user=\"a\\\"\\\\\\n\"} 1.00
";
        assert_eq!(text(&by_model, &by_key), expected);
    }
}
