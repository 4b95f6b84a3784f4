//! Who gets how many of ten thousand requests.

#![allow(clippy::arithmetic_side_effects)] // a debug build would show an overflow

use std::cell::RefCell;
use std::collections::VecDeque;

use super::*;
use crate::gateway::Gateway;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const REQUESTS: u64 = 10_000;

fn gateway(model: &str) -> Gateway {
    let json = format!(
        r#"{{"providers":{{"a":{{"url":"http://a","auth":"none"}},"b":{{"url":"http://b","auth":"none"}},
            "c":{{"url":"http://c","auth":"none"}}}},"models":[{{"name":"m",{model}}}]}}"#
    );
    Gateway::compile(&File::from_json(json.as_bytes()).unwrap(), &|_| None).unwrap()
}

const THREE: &str = r#""deployments":[{"target":"a:x","weight":WA},{"target":"b:x","weight":WB},{"target":"c:x","weight":WC}]"#;

fn weighted(weights: [u32; 3], more: &str) -> Gateway {
    let [a, b, c] = weights.map(|weight| weight.to_string());
    gateway(&(THREE.replace("WA", &a).replace("WB", &b).replace("WC", &c) + more))
}

fn group(gateway: &Gateway) -> &Group {
    gateway.routes.group("m").unwrap()
}

#[track_caller]
fn near(seen: u64, expected: u64) {
    // Five standard deviations of the most even draw, rounded up.
    assert!(seen.abs_diff(expected) <= 250, "{seen} is not near {expected}");
}

#[test]
fn each_place_of_the_order_is_drawn_by_the_weights() {
    let gateway = weighted([5, 3, 2], "");
    let (mut first, mut second) = ([0_u64; 3], [0_u64; 3]);
    for chance in 0..REQUESTS {
        let order = group(&gateway).order(&Draw::by(chance));
        let places: Vec<_> = order.iter().map(|target| target.provider.index()).collect();
        first[places[0]] += 1;
        second[places[1]] += 1;
        let mut all = places;
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
    }
    for (seen, expected) in first.into_iter().zip([5000, 3000, 2000]) {
        near(seen, expected);
    }
    // Of those that remain when each other was drawn first.
    let second_of_a = 3000 * 5 / 7 + 2000 * 5 / 8;
    let second_of_b = 5000 * 3 / 5 + 2000 * 3 / 8;
    near(second[0], second_of_a);
    near(second[1], second_of_b);
}

#[test]
fn a_deployment_without_weight_comes_last() {
    let gateway = weighted([0, 1, 0], "");
    let mut last = [0_u64; 3];
    for chance in 0..REQUESTS {
        let order = group(&gateway).order(&Draw::by(chance));
        assert_eq!(order[0].provider.index(), 1);
        last[order[2].provider.index()] += 1;
    }
    near(last[0], 5000);
    let none = weighted([0, 0, 0], "");
    let of_a = (0..REQUESTS)
        .filter(|chance| group(&none).order(&Draw::by(*chance))[0].provider.index() == 0);
    near(of_a.count() as u64, 3333);
}

/// Ten thousand requests, one each millisecond, of which each takes as long as its deployment says.
fn crowd(gateway: &Gateway, took_ms: [u64; 3]) -> [u64; 3] {
    let loads = RefCell::new([Load::default(); 3]);
    let mut under_way: VecDeque<(u64, usize)> = VecDeque::new();
    let mut seen = [0_u64; 3];
    for now_ms in 0..REQUESTS {
        under_way.retain(|(end_ms, place)| {
            let is_over = *end_ms <= now_ms;
            if is_over {
                loads.borrow_mut()[*place].under_way -= 1;
            }
            !is_over
        });
        let load = |own: &Deployment| loads.borrow()[own.target.provider.index()];
        let draw = Draw { chance: now_ms, client: None, load: &load };
        let place = group(gateway).order(&draw)[0].provider.index();
        seen[place] += 1;
        let mut loads = loads.borrow_mut();
        loads[place].under_way += 1;
        loads[place].answer_ms = u32::try_from(took_ms[place]).unwrap();
        under_way.push_back((now_ms + took_ms[place], place));
    }
    seen
}

#[test]
fn a_slow_deployment_gets_less_where_the_strategy_looks() {
    let weighted_alone = crowd(&weighted([1, 1, 1], ""), [10, 10, 100]);
    near(weighted_alone[2], 3333);
    let least_busy = crowd(&weighted([1, 1, 1], r#","strategy":"least_busy""#), [10, 10, 100]);
    assert!(least_busy[2] < 1500, "{least_busy:?}");
    assert!(least_busy[0].abs_diff(least_busy[1]) < 500, "{least_busy:?}");
    let latency = crowd(&weighted([1, 1, 1], r#","strategy":"latency""#), [10, 20, 100]);
    // Only who has not answered yet, or was drawn with nobody faster.
    assert!(latency[0] > 5000 && latency[2] < 10, "{latency:?}");
}

#[test]
fn equal_loads_are_no_herd() {
    for strategy in ["least_busy", "latency"] {
        let gateway = weighted([1, 1, 1], &format!(r#","strategy":"{strategy}""#));
        for seen in crowd(&gateway, [10, 10, 10]) {
            near(seen, 3333);
        }
    }
}

#[test]
fn a_busy_deployment_may_have_more_by_its_weight() {
    let gateway = weighted([3, 1, 0], r#","strategy":"least_busy""#);
    let load = |own: &Deployment| Load {
        under_way: if own.target.provider.index() == 0 { 29 } else { 10 },
        ..Load::default()
    };
    for chance in 0..REQUESTS {
        let draw = Draw { chance, client: None, load: &load };
        assert_eq!(group(&gateway).order(&draw)[0].provider.index(), 0);
    }
}

#[test]
fn a_deployment_that_has_had_its_requests_comes_last() {
    let model =
        r#""deployments":[{"target":"a:x","rpm":1},{"target":"b:x","rpm":1},{"target":"c:x"}]"#;
    let gateway = gateway(model);
    let load =
        |own: &Deployment| Load { is_spent: own.target.provider.index() != 1, ..Load::default() };
    let mut last = [0_u64; 3];
    for chance in 0..REQUESTS {
        let order = group(&gateway).order(&Draw { chance, client: None, load: &load });
        let places: Vec<_> = order.iter().map(|target| target.provider.index()).collect();
        // Without rpm, nothing is spent.
        assert_eq!(places[2], 0, "{places:?}");
        last[places[0]] += 1;
    }
    near(last[1], 5000);
}

#[test]
fn a_client_stays_where_it_is() {
    let gateway = weighted([1, 1, 1], r#","sticky":"key""#);
    let mut seen = [0_u64; 3];
    for client in 0..REQUESTS {
        let client = digest(&[&client.to_le_bytes()]);
        let order = |chance| {
            let draw = Draw { client: Some(client), ..Draw::by(chance) };
            group(&gateway).order(&draw)
        };
        assert_eq!(order(1), order(2));
        seen[order(1)[0].provider.index()] += 1;
    }
    seen.into_iter().for_each(|count| near(count, 3333));
    let unknown: std::collections::HashSet<_> =
        (0..100).map(|chance| group(&gateway).order(&Draw::by(chance))[0].provider).collect();
    assert_eq!(unknown.len(), 3, "a client that is not known has no place");
}

#[track_caller]
fn refused(models: &str, expected: &str) {
    let json = format!(
        r#"{{"providers":{{"a":{{"url":"http://a"}},"b":{{"url":"http://b","auth":"none"}}}},"default_provider":"a",
            "aliases":{{"fast":"b:x"}},"models":[{models}]}}"#
    );
    let file = File::from_json(json.as_bytes()).unwrap();
    assert_eq!(Gateway::compile(&file, &|_| None).unwrap_err().to_string(), expected);
}

#[test]
fn what_cannot_be_a_group_is_refused() {
    let one = r#""deployments":[{"target":"b:x"}]"#;
    refused(
        r#"{"name":"m","deployments":[]}"#,
        "models[0].deployments: has 0 deployments; write 1 to 32",
    );
    refused(
        &format!(r#"{{"name":"m",{one}}},{{"name":"m",{one}}}"#),
        "models[1].name: \"m\" is here twice; put the deployments into one",
    );
    refused(
        &format!(r#"{{"name":"fast",{one}}}"#),
        "models[0].name: \"fast\" is an alias too; take one of the two out",
    );
    refused(
        r#"{"name":"m","deployments":[{"target":"m"}]}"#,
        "models[0].deployments[0].target: \"m\" would be the model itself; write the provider before the model, as in \
         \"openai:gpt-4o\"",
    );
    refused(
        r#"{"name":"m","deployments":[{"target":"b:x"},{"target":"fast"}]}"#,
        "models[0].deployments[1].target: \"fast\" is a deployment of this model already; take one out",
    );
    refused(
        r#"{"name":"m","deployments":[{"target":"b:x","weight":1000001}]}"#,
        "models[0].deployments[0].weight: is 1000001; write 0 to 1000000",
    );
    refused(
        r#"{"name":"m","deployments":[{"target":"b:x"}],"sticky":"key","strategy":"latency"}"#,
        "models[0].sticky: needs strategy = \"weighted\"; take one of the two out",
    );
    refused(
        r#"{"name":"m","deployments":[{"target":"b:x"},{"target":"a:x"}]}"#,
        "models[0].deployments[1].target: goes to a, which has no credential of its own, and would get the client's for \
         another provider; set providers.a.api_key, or auth = \"none\"",
    );
}
