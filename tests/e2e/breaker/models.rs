//! The two levels: a failing model leaves the other models of its provider alone, several open the provider.

use super::{LISTEN, Site, provider};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{metric, shown, transitions};
use crate::kit::upstream::{Answer, Provider};
use serde_json::json;

const BREAKER: &str = "failures = 3, open_secs = 30";

struct Models(Site);

impl Models {
    /// A provider whose configuration names some of its models.
    fn start(breaker: &str) -> Self {
        let server = Provider::start();
        let models = "models = [\"dead\", \"gpt-4.1\"]";
        let table = provider("p", &server.url(), breaker, &[models]);
        Self(Site { gateway: Gateway::with_workers(2, &format!("{LISTEN}{table}")), server })
    }

    fn ask(&self, model: &str) -> Response {
        let body = format!(r#"{{"model":"p:{model}"}}"#);
        h1::exchange(self.0.gateway.addr(), &Request::chat(body).case(model))
    }

    fn fails(&self, model: &str, status: u16, times: usize) {
        for _ in 0..times {
            self.0.server.script(model, Answer::new(status, "text/plain", "scripted"));
            assert_eq!(self.ask(model).status, status, "{model}");
        }
    }

    /// Waits until this number of lines of the log hold this text.
    fn wait_for_lines(&self, text: &str, count: usize) {
        wait::until_true(text, || self.lines(text) == count);
    }

    /// How many lines of the log hold this.
    fn lines(&self, text: &str) -> usize {
        let logs = self.0.gateway.logs();
        logs.lines().filter(|line| line.contains("gaud: ") && line.contains(text)).count()
    }
}

#[test]
fn a_failing_model_leaves_a_healthy_one_alone() {
    let models = Models::start(BREAKER);
    models.fails("dead", 500, 3);
    let refused = models.ask("dead");
    assert_eq!(refused.status, 503);
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.starts_with("\"The model 'dead' of the provider 'p' has failed"), "{message}");
    for _ in 0..5 {
        assert_eq!(models.ask("gpt-4.1").status, 200);
    }
    let gateway = &models.0.gateway;
    let shown = shown(gateway, "p");
    assert_eq!(shown["breaker"], "closed");
    assert_eq!(shown["failing_models"].as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(shown["failing_models"][0]["model"], "dead");
    assert_eq!(shown["failing_models"][0]["breaker"], "open");
    for (model, state) in [("dead", 1), ("gpt-4_1", 0)] {
        let name = format!(r#"gaud_model_breaker_state{{model="{model}",provider="p"}}"#);
        assert_eq!(metric(gateway, &name), state, "{model}");
    }
    let line = "provider p, model dead: breaker open for 30 s: 3 failures in a row, the last: \
                status 500";
    assert_eq!(models.lines(line), 1);
    assert_eq!(models.lines("breaker"), 1, "no other line");
    gateway.assert_no_trap();
}

#[test]
fn three_failing_models_open_the_provider() {
    let models = Models::start(BREAKER);
    for model in ["dead", "a-clients-name", "another"] {
        assert_eq!(models.ask("gpt-4.1").status, 200);
        models.fails(model, 503, 3);
    }
    let refused = models.ask("gpt-4.1");
    assert_eq!(refused.status, 503);
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.starts_with("\"The provider 'p' has failed"), "{message}");
    let gateway = &models.0.gateway;
    let shown = shown(gateway, "p");
    assert_eq!(shown["breaker"], "open");
    let names = shown["failing_models"].as_array().expect("models").iter();
    let mut names: Vec<_> = names.map(|model| model["model"].clone()).collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, [json!("dead"), json!("other"), json!("other")]);
    models.wait_for_lines("provider p: breaker open for 30 s: 3 of its models are open", 1);
    models.wait_for_lines("a model that is not listed", 2);
    assert_eq!(models.lines("a-clients-name"), 0);
    assert_eq!(metric(gateway, &transitions("p", "open")), 4);
    gateway.assert_no_trap();
}

#[test]
fn requests_without_a_model_do_not_open_the_provider() {
    let server = Provider::start();
    let table = provider("p", &server.url(), "failures = 1, open_secs = 30", &[]);
    let gateway = Gateway::start(&format!("{LISTEN}default_provider = \"p\"\n{table}"), &[]);
    for path in ["/v1/containers/x", "/v1/files/x", "/spend/logs"] {
        for _ in 0..3 {
            server.script(path, Answer::new(500, "text/plain", ""));
            let request = Request::new("GET", path).case(path);
            assert_eq!(h1::exchange(gateway.addr(), &request).status, 500, "{path}");
        }
    }
    assert_eq!(shown(&gateway, "p")["breaker"], "closed");
    assert_eq!(h1::exchange(gateway.addr(), &super::request("p")).status, 200);
    gateway.assert_no_trap();
}

/// Who, why, and for how long; and no line for a request that changes no breaker.
#[test]
fn each_change_of_a_breaker_is_one_line() {
    let models = Models::start("failures = 1, open_secs = 1, successes = 2, models = 9");
    models.fails("dead", 500, 1);
    // The probe fails, then two succeed. A refused request leaves its answer to the next.
    for status in [502, 200, 200] {
        models.0.server.script("dead", Answer::new(status, "application/json", "{}"));
        wait::until_true("a probe", || models.ask("dead").status == status);
    }
    assert_eq!(models.ask("dead").status, 200);
    let whole = || {
        let logs = models.0.gateway.logs();
        let lines = logs.lines().filter_map(|line| line.split_once("gaud: provider "));
        let lines = lines.map(|(_, said)| said.trim_end().to_owned());
        lines.filter(|said| said.contains("breaker")).collect::<Vec<_>>()
    };
    let probed = "p, model dead: breaker half-open: one request probes it";
    let expected = [
        "p, model dead: breaker open for 1 s: 1 failures in a row, the last: status 500",
        probed,
        "p, model dead: breaker open for 1 s: half-open, and status 502",
        probed,
        "p, model dead: breaker closed: 2 successful probes",
    ];
    wait::until_true("all lines", || whole().len() == expected.len());
    assert_eq!(whole(), expected);
    models.0.gateway.assert_no_trap();
}
