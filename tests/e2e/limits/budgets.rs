//! Money is reserved before a request leaves.

use super::{INPUT_NANOS, OUTPUT_NANOS, Setup, always, answer, budget, chat, code};
use crate::kit::client::{Request, h1};
use crate::kit::upstream::Gate;
use serde_json::json;
use std::thread;

const CLIENTS: usize = 64;
/// In nano-dollars.
const BUDGET: u64 = 100_000;

/// A budget that no request fits into lets one through, and that one may use the rest.
#[test]
fn sixty_four_requests_at_once_at_a_budget_for_one() {
    let setup = Setup::start();
    for (model, cost) in [("priced", 400_000), ("chain", 400_000)] {
        let (key, id) = setup.key(&budget(BUDGET));
        let gate = Gate::closed();
        for _ in 0..CLIENTS {
            setup.one.script(model, answer(cost / INPUT_NANOS, 0).held_by(&gate));
        }
        let (addr, request) = (setup.run.addr(), chat(&key, model));
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let clients: Vec<_> =
                (0..CLIENTS).map(|_| scope.spawn(|| h1::exchange(addr, &request).status)).collect();
            // All others are refused while the one is held.
            crate::kit::harness::wait::until_true("63 refusals", || {
                clients.iter().filter(|client| client.is_finished()).count() == CLIENTS - 1
            });
            gate.open();
            clients.into_iter().map(|client| client.join().expect("a client")).collect()
        });
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1]), (200, 429), "{statuses:?}");
        assert_eq!(setup.one.seen(model).len(), 1);
        // It has cost four times the budget: exceeded by one request, and used up.
        let spent = setup.ledger(&id, 1)["cost_nanos"].as_u64().expect("a sum");
        let over = spent.saturating_sub(BUDGET);
        println!("{model}: {CLIENTS} at once, {BUDGET} allowed, {spent} spent, {over} over");
        assert!(spent == cost && over < cost, "{spent}");
        let refused = setup.ask(&key, model);
        assert_eq!((refused.status, code(&refused)), (429, "insufficient_quota".to_owned()));
    }
}

#[test]
fn a_strict_budget_lets_nothing_through_that_might_not_fit() {
    let setup = Setup::start();
    let fields = json!({"budget": {"usd": 0.0001, "window": "total", "strict": true}});
    let (key, _) = setup.key(&fields);
    assert_eq!(code(&setup.ask(&key, "priced")), "insufficient_quota");
    assert!(setup.one.seen("priced").is_empty());
}

#[test]
fn a_budget_is_used_to_the_last_request_that_fits() {
    let setup = Setup::start();
    always(&setup.one, "priced", 200_000);
    let (key, _) = setup.key(&budget(1_000_000));
    assert_eq!(setup.served(&key, "priced", 10), 5);
    // What the body asks for is reserved: here more than is left, so that the next is the last.
    let (key, _) = setup.key(&budget(1_000_000));
    let body = json!({"model": "priced", "max_tokens": 1_000_000 / OUTPUT_NANOS, "messages": []});
    let request = Request::chat(body.to_string()).case("priced");
    let request = request.header("authorization", format!("Bearer {key}"));
    for status in [200, 200, 200, 200, 200, 429] {
        assert_eq!(h1::exchange(setup.run.addr(), &request).status, status);
    }
}

#[test]
fn a_user_pays_for_all_keys_of_the_user() {
    let setup = Setup::start();
    always(&setup.one, "priced", 200_000);
    let mut user = budget(600_000);
    user["id"] = json!("ann");
    setup.admin("POST", "/admin/users", &user, 201);
    let (one, _) = setup.key(&json!({"user": "ann"}));
    let mut both = budget(200_000);
    both["user"] = json!("ann");
    let (two, _) = setup.key(&both);
    assert_eq!(setup.served(&two, "priced", 10), 1);
    assert_eq!(setup.served(&one, "priced", 10), 2);
    let refused = setup.ask(&one, "priced");
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains("The user of this API key has used up its budget."), "{message}");
    // More money, and it goes on at once.
    let more = json!({"budget": {"usd": 0.001, "window": "total"}});
    setup.change("/admin/users/ann", &more);
    assert_eq!(setup.served(&one, "priced", 10), 2);
}

#[test]
fn what_has_no_price_or_is_not_counted_is_refused_under_a_budget() {
    let setup = Setup::start();
    let (key, _) = setup.key(&budget(1_000_000));
    let refused = setup.ask(&key, "unheard-of");
    assert_eq!((refused.status, code(&refused)), (403, "model_not_priced".to_owned()));
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains(r#"[prices.\"one/unheard-of\"]"#), "{message}");
    let keyed = |request: Request| request.header("authorization", format!("Bearer {key}"));
    let send = |request: Request| h1::exchange(setup.run.addr(), &keyed(request)).status;
    assert_eq!(send(Request::post("/v1/batches", "{}")), 403);
    assert_eq!(send(Request::new("GET", "/v1/files")), 200);
    assert_eq!(send(Request::new("GET", "/v1/models")), 200);
    let (free, _) = setup.key(&json!({"rpm": 10}));
    assert_eq!(setup.ask(&free, "unheard-of").status, 200, "without a budget");
}
