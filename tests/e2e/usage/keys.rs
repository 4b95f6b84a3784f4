//! What a key's requests have used is the key's, straight and over the hop.

use super::{assert_sums, chat, completion, config};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::Provider;
use serde_json::{Value, json};

fn admin(run: &Run, request: Request) -> Value {
    let request = request.header("authorization", format!("Bearer {}", run.admin_key()));
    let answer = h1::exchange(run.addr(), &request);
    assert!(answer.status < 300, "{}", answer.text());
    answer.json()
}

#[test]
fn the_ledger_names_the_key_and_its_user() {
    let (one, two) = (Provider::start(), Provider::start());
    let chain = "[[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n";
    let run = Run::start(&config(&one, &two, chain));
    let post = |path: &str, body: Value| admin(&run, Request::post(path, body.to_string()));
    post("/admin/users", json!({"id": "team,1"}));
    let made = post("/admin/keys", json!({"name": "app", "user": "team,1"}));
    let text = |field: &str| made[field].as_str().expect("a text").to_owned();
    let (key, id) = (text("key"), text("id"));
    for model in ["straight", "chain"] {
        one.script(model, completion(10, 2));
        let request = chat(model).header("authorization", format!("Bearer {key}"));
        assert_eq!(h1::exchange(run.addr(), &request).status, 200, "{model}");
    }
    one.script("nobody", completion(1, 1));
    assert_eq!(h1::exchange(run.addr(), &chat("nobody")).status, 200);
    for (by, name) in [("key", id.as_str()), ("user", "team,1")] {
        let row = wait::until(&format!("two attempts by {by}"), || {
            let rows =
                admin(&run, Request::new("GET", format!("/admin/usage?by={by}")))["rows"].clone();
            let rows = rows.as_array().expect("rows").clone();
            let row = rows.into_iter().find(|row| row[by] == name)?;
            (row["attempts"] == 2).then_some(row)
        });
        assert_sums(&row, &json!({"input": 20, "output": 4, "failed": 0}));
    }
}
