//! The service, or its Redis, does not answer.

use super::{Shared, code};
use crate::kit::client::Response;
use crate::kit::harness::wait;
use crate::kit::rate_limits::wait_for_a_minute_with;
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

/// More than the service is waited for, and less than a client would notice as a failure.
const SOON: Duration = Duration::from_secs(2);

/// Makes the service or its Redis go away in each way, and hands over what a gateway answers then.
fn each_way(on_failure: &str, check: impl Fn(&str, Response)) {
    let mut shared = Shared::start(on_failure);
    let (key, _) = shared.gateways.key(&json!({"rpm": 100_000, "tpm": 1_000_000_000}));
    let ask = |shared: &Shared, what: &str| {
        let start = Instant::now();
        let answer = shared.gateways.ask(0, &key);
        assert!(start.elapsed() < SOON, "{what}: {:?}", start.elapsed());
        println!("{what}: {} after {:?}", answer.status, start.elapsed());
        answer
    };
    assert_eq!(ask(&shared, "all there").status, 200);
    shared.counting.service.signal(Signal::STOP);
    check("the service hangs", ask(&shared, "the service hangs"));
    shared.counting.service.signal(Signal::CONT);
    shared.counting.redis.signal(Signal::STOP);
    check("Redis hangs", ask(&shared, "Redis hangs"));
    shared.counting.redis.signal(Signal::CONT);
    shared.counting.redis.kill();
    check("Redis is gone", ask(&shared, "Redis is gone"));
    shared.counting.restart_redis();
    shared.counting.service.kill();
    check("the service is gone", ask(&shared, "the service is gone"));
    shared.counting.restart_service();
    let (limited, _) = shared.gateways.key(&json!({"rpm": 1}));
    wait_for_a_minute_with(15);
    wait::until_true("it is counted again", || {
        shared.gateways.ask(0, &limited).status == 429
            && shared.gateways.ask(1, &limited).status == 429
    });
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn requests_are_served_while_nobody_counts() {
    each_way("serve", |what, answer| assert_eq!(answer.status, 200, "{what}: {}", answer.text()));
}

#[test]
#[ignore = "needs envoyproxy/ratelimit: make test-ratelimit"]
fn requests_are_refused_while_nobody_counts_where_the_configuration_says_so() {
    each_way("refuse", |what, answer| {
        assert_eq!((answer.status, code(&answer).as_str()), (503, "limits_unavailable"), "{what}");
        assert_eq!(answer.header("retry-after").as_deref(), Some("1"), "{what}");
        let said = "The service that counts requests and tokens for all gateways does not answer; try again.";
        assert_eq!(answer.json()["error"]["message"], said, "{what}");
    });
}
