//! Alerts of budgets: to the log and to a webhook, once in each window, whatever is started again.

use super::{Setup, always, budget, config};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::tls::Authority;
use crate::kit::upstream::{Answer, Provider};
use rustix::process::Signal;
use serde_json::{Value, json};

const COST: u64 = 200_000;

/// The path of a webhook, which must not show.
const SECRET: &str = "/services/sk-alerts-secret";

/// The settings of alerts to a webhook.
fn alerts(webhook: &Provider) -> String {
    format!("[alerts]\nurl = \"{}{SECRET}\"\n", webhook.url())
}

fn start(tables: &str) -> Setup {
    let (one, two) = (Provider::start(), Provider::start());
    Setup { run: Run::start(&config(&one, &two, tables)), one, two }
}

/// What a webhook was told, by owner and part.
fn told(webhook: &Provider) -> Vec<(String, u64)> {
    let documents = webhook.seen("").into_iter().filter(|seen| seen.complete).map(|seen| {
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", SECRET));
        serde_json::from_slice::<Value>(&seen.body).expect("a document")
    });
    let part = |document: Value| {
        let owner = &document["owner"];
        let owner =
            format!("{} {}", owner["kind"].as_str().unwrap(), owner["id"].as_str().unwrap());
        (owner, document["percent"].as_u64().expect("a part"))
    };
    documents.map(part).collect()
}

#[track_caller]
fn wait_for(webhook: &Provider, count: usize) -> Vec<(String, u64)> {
    wait::until_true("what a webhook is told", || told(webhook).len() >= count);
    told(webhook)
}

#[test]
fn a_webhook_is_told_of_each_part_of_a_budget_once() {
    let webhook = Provider::start();
    let setup = start(&alerts(&webhook));
    always(&setup.one, "priced", COST);
    let mut user = budget(20 * COST);
    user["id"] = json!("team-1");
    setup.admin("POST", "/admin/users", &user, 201);
    let mut fields = budget(5 * COST);
    fields["user"] = json!("team-1");
    fields["name"] = json!("laptop");
    let (key, id) = setup.key(&fields);
    let of_key = |percent| (format!("key {id}"), percent);
    for _ in 0..3 {
        assert_eq!(setup.ask(&key, "priced").status, 200);
    }
    // The first answer is lost: the alert comes again.
    webhook.script("", Answer::json(500, &json!({})));
    assert_eq!(setup.ask(&key, "priced").status, 200);
    assert_eq!(wait_for(&webhook, 2), [of_key(80), of_key(80)]);
    let ids: Vec<_> = webhook.seen("").iter().map(|seen| seen.text()).collect();
    assert_eq!(ids[0], ids[1], "the same alert");
    let words = format!(
        "the key {id} (laptop) of team-1 has spent 80 % of its budget for all time: 0.0008 of 0.001 dollars"
    );
    setup.run.wait_for(&words);
    let document: Value = serde_json::from_str(&ids[0]).expect("a document");
    assert_eq!(document["text"], format!("Gaud: {words}."));
    assert_eq!(setup.ask(&key, "priced").status, 200);
    assert_eq!(wait_for(&webhook, 3)[2], of_key(100));
    setup.run.wait_for(&format!("the key {id} (laptop) of team-1 has used up its budget"));
    // Another budget is told anew, and the user's own as well.
    let more = budget(16 * COST);
    setup.change(&format!("/admin/keys/{id}"), &more);
    assert_eq!(setup.served(&key, "priced", 20), 11);
    let all = wait_for(&webhook, 6);
    let mut last = all[3..].to_vec();
    last.sort();
    assert_eq!(last, [of_key(80), of_key(100), ("user team-1".to_owned(), 80)]);
    assert!(!setup.run.log().contains(SECRET), "{}", setup.run.log());
    let shown = setup.admin("GET", "/admin/settings", &json!({}), 200).to_string();
    assert!(shown.contains("alerts.url") && !shown.contains("sk-alerts"), "{shown}");
}

#[test]
fn a_start_neither_repeats_an_alert_nor_forgets_one() {
    let webhook = Provider::start();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let (one, two) = (Provider::start(), Provider::start());
    let toml = config(&one, &two, &alerts(&webhook));
    std::fs::write(folder.join("gaud.toml"), &toml).expect("a file");
    let setup = Setup { run: Run::start_in(folder.clone(), &[]), one, two };
    setup.run.keep();
    always(&setup.one, "priced", COST);
    let (key, id) = setup.key(&budget(5 * COST));
    for _ in 0..4 {
        assert_eq!(setup.ask(&key, "priced").status, 200);
    }
    assert_eq!(wait_for(&webhook, 1), [(format!("key {id}"), 80)]);
    // The webhook is gone while the rest is spent, and gaud is killed.
    webhook.close();
    assert_eq!(setup.ask(&key, "priced").status, 200);
    setup.run.wait_for("the webhook of alerts.url has not taken an alert");
    setup.run.signal(Signal::KILL);
    let Setup { run, one, two } = setup;
    drop(run);
    webhook.open();
    let setup = Setup { run: Run::start_in(folder.clone(), &[]), one, two };
    wait::until_true("the alert that was left", || told(&webhook).len() >= 2);
    assert_eq!(told(&webhook)[1], (format!("key {id}"), 100));
    // One more alert comes after all that could be repeated.
    let (other, other_id) = setup.key(&budget(COST));
    assert_eq!(setup.ask(&other, "priced").status, 200);
    let all = wait_for(&webhook, 4);
    let of_other = format!("key {other_id}");
    assert_eq!(all[2..], [(of_other.clone(), 80), (of_other, 100)]);
    std::fs::remove_file(folder.join("keep")).expect("a file");
}

#[test]
fn an_address_with_tls_is_trusted_by_its_certificate() {
    let authority = Authority::new("alerts");
    let webhook = Provider::start_tls(&authority);
    let folder = tempfile::tempdir().expect("a folder");
    let pem = folder.path().join("ca.pem");
    authority.write_pem(&pem);
    let (one, two) = (Provider::start(), Provider::start());
    let port = webhook.addr().port();
    let tables = "[alerts]\nurl = \"os.environ/WEBHOOK\"\n";
    let address = format!("https://localhost:{port}{SECRET}");
    let environment =
        [("WEBHOOK", address.as_str()), ("SSL_CERT_FILE", pem.to_str().expect("a path"))];
    let run = Run::start_with(&config(&one, &two, tables), &environment);
    let setup = Setup { run, one, two };
    always(&setup.one, "priced", COST);
    let (key, id) = setup.key(&budget(COST));
    assert_eq!(setup.ask(&key, "priced").status, 200);
    let of_key = |percent| (format!("key {id}"), percent);
    assert_eq!(wait_for(&webhook, 2), [of_key(80), of_key(100)]);
}

#[test]
fn an_address_that_is_typed_in_is_put_aside() {
    let webhook = Provider::start();
    let setup = start("");
    let address = format!("{}{SECRET}", webhook.url());
    setup.admin("PUT", "/admin/settings", &json!({"key": "alerts.url", "value": address}), 200);
    let file = std::fs::read_to_string(setup.run.folder().join("gaud.toml")).expect("a file");
    assert!(
        file.contains("[alerts]") && file.contains("file:") && !file.contains(SECRET),
        "{file}"
    );
    always(&setup.one, "priced", COST);
    let (key, _) = setup.key(&budget(COST));
    assert_eq!(setup.ask(&key, "priced").status, 200);
    assert_eq!(wait_for(&webhook, 2).len(), 2);
}
