//! A change at one gateway counts at all of them.

use super::Gateways;
use crate::kit::harness::{quiet, wait};
use crate::kit::postgres::Server;
use serde_json::json;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_change_at_one_gateway_counts_at_the_other_within_a_second() {
    let gateways = Gateways::start(2);
    let _quiet = quiet();
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let (key, id) = gateways.key(&json!({"name": "shared"}));
        gateways.admin(1, "PATCH", &format!("/admin/keys/{id}"), &json!({"blocked": true}), 200);
        let start = Instant::now();
        wait::until_true("the other gateway blocks the key", || gateways.models(0, &key) == 401);
        slowest = slowest.max(start.elapsed());
        gateways.admin(0, "DELETE", &format!("/admin/keys/{id}"), &json!({}), 200);
        wait::until_true("the other gateway revokes the key", || gateways.models(1, &key) == 401);
    }
    println!("the slowest of 10 changes took {slowest:?}");
    assert!(slowest < SECOND, "{slowest:?}");
}

#[test]
fn a_gateway_serves_on_while_the_database_is_away() {
    let server = Server::start();
    let gateways = Gateways::start_on(1, server.url("postgres"));
    let (key, _) = gateways.key(&json!({"name": "shared"}));
    drop(server);
    wait::until_true("the control server misses the database", || {
        let answer = gateways.admin_answer(0, "/admin/keys");
        answer.status == 500 && answer.text().contains("nothing takes connections there")
    });
    assert_eq!(gateways.models(0, &key), 200);
    assert_eq!(gateways.ask(0, &key).status, 200);
    let answer = gateways.admin_answer(0, "/admin/keys").text();
    assert!(!answer.contains("gaud@"), "no user of the database in {answer}");
}
