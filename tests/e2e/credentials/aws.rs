//! Signatures for AWS, and what becomes of requests for which Envoy finds no keys. `tests/sdk/test_aws.py` makes the signatures again.

use super::tokens::{ask, assert_has_no_token, chat, config, shown};
use crate::kit::client::h1;
use crate::kit::harness::{Gateway, Run};
use crate::kit::upstream::Provider;

const AWS: &str = "auth = { aws = { service = \"bedrock\", region = \"eu-west-1\" } }";

const TWO: (&str, &str) = ("GAUD_TWO_API_KEY", "sk-two");

/// Else Envoy looks for the keys of this machine's role.
const NO_ROLE: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

const KEYS: [(&str, &str); 3] =
    [NO_ROLE, ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret-of-aws")];

fn is_signed(credentials: &[String]) -> bool {
    matches!(credentials, [own] if own.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"))
}

#[test]
fn a_rendered_configuration_signs() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let gateway = Gateway::start(&config(&one, AWS, &two), &[&KEYS[..], &[TWO]].concat());
    assert_eq!(h1::exchange(gateway.addr(), &chat("straight")).status, 200);
    assert!(is_signed(&shown(&one, "straight")), "{:?}", shown(&one, "straight"));
}

#[test]
fn a_rendered_configuration_without_keys_lets_nothing_leave_unsigned() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let gateway = Gateway::start(&config(&one, AWS, &two), &[NO_ROLE, TWO]);
    assert_has_no_token(&h1::exchange(gateway.addr(), &chat("straight")));
    assert_eq!(h1::exchange(gateway.addr(), &chat("chain")).status, 200);
    assert_eq!(shown(&two, "chain"), ["Bearer sk-two"]);
    assert!(one.all().is_empty());
}

#[test]
fn signatures_begin_and_end_while_the_gateway_runs() {
    let [one, two] = [(); 2].map(|()| Provider::start());
    let keyed = config(&one, "api_key = \"sk-one\"", &two);
    let run = Run::start_with(&keyed, &KEYS);
    for (toml, model, signs) in
        [(&config(&one, AWS, &two), "signed", true), (&keyed, "keyed", false)]
    {
        run.change(toml);
        assert_eq!(ask(&run, model).status, 200);
        assert_eq!(is_signed(&shown(&one, model)), signs, "{model}");
        let dump = run.admin().get("/config_dump?include_eds") + &run.log();
        assert!(!dump.contains("secret-of-aws") && !dump.contains("sk-one"), "a secret shows");
    }
}
