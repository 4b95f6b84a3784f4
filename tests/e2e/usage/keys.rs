//! What a key's requests have used is the key's, straight and over the hop.

use super::{assert_sums, chat, completion, config};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Provider};
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

#[test]
fn keys_and_users_show_what_they_have_spent() {
    let (one, two) = (Provider::start(), Provider::start());
    let chain = "[retries]\nmax = 0\n[[fallbacks]]\nmodel = \"priced\"\nto = [\"two:priced\"]\n";
    let run = Run::start(&config(&one, &two, chain));
    let get = |path: &str| admin(&run, Request::new("GET", path));
    let made = admin(&run, Request::post("/user/new", r#"{"user_id":"ann"}"#));
    let text = |field: &str| made[field].as_str().expect("a text").to_owned();
    let (key, hash) = (text("key"), text("token"));
    let info = get(&format!("/key/info?key={hash}"));
    assert_eq!(info["info"]["spend"], 0.0);
    one.script("priced", Answer::json(503, &json!({"error": {"message": "no"}})));
    two.script("priced", completion(1000, 100));
    let request = chat("priced").header("authorization", format!("Bearer {key}"));
    assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    // 1000 · $2 + 100 · $10.5, for a million.
    let spend = json!(0.003_05);
    let path = format!("/key/info?key={hash}");
    wait::until_true("the spend", || get(&path)["info"]["spend"] == spend);
    let user = get("/user/info?user_id=ann");
    assert_eq!((&user["user_info"]["spend"], &user["keys"][0]["spend"]), (&spend, &spend));
    assert_eq!(get("/user/list")["users"][0]["spend"], spend);
    assert_eq!(get("/key/list?return_full_object=true")["keys"][0]["spend"], spend);
    let logs = get(&format!("/spend/logs?api_key={hash}"));
    let [last, first] = logs.as_array().expect("rows").as_slice() else { panic!("two: {logs}") };
    let fields = |row: &Value| {
        ["status", "custom_llm_provider", "model", "model_group", "user", "api_key", "call_type"]
            .map(|name| row[name].as_str().unwrap_or_default().to_owned())
    };
    let expected = |status: &str, provider: &str| {
        [status, provider, "priced", "priced", "ann", &hash, "acompletion"].map(str::to_owned)
    };
    let (one_row, two_row) = match first["custom_llm_provider"] == "one" {
        true => (first, last),
        false => (last, first),
    };
    assert_eq!(fields(one_row), expected("failure", "one"));
    assert_eq!(fields(two_row), expected("success", "two"));
    assert_eq!((&two_row["spend"], &two_row["total_tokens"]), (&spend, &json!(1100)));
    let call = two_row["litellm_call_id"].as_str().expect("a name");
    assert_eq!(get(&format!("/spend/logs?request_id={call}")).as_array().map(Vec::len), Some(2));
    let days = get("/spend/logs?start_date=2020-01-01&end_date=2999-01-01");
    assert_eq!(
        (&days[0]["spend"], &days[0]["users"]["ann"], &days[0][&hash]),
        (&spend, &spend, &spend)
    );
    assert_eq!(get("/spend/logs?user_id=nobody"), json!([]));
    // The metrics of the control server are sums of the same ledger; no key is in them.
    let request = Request::new("GET", "/admin/metrics")
        .header("authorization", format!("Bearer {}", run.admin_key()));
    let metrics = h1::exchange(run.addr(), &request).text();
    let cost = "gaud_cost_usd_total{provider=\"two\",model=\"priced\"} 0.00305\n";
    assert!(metrics.contains(cost) && !metrics.contains("sk-prx-"), "{metrics}");
    assert!(metrics.contains("user=\"ann\"} 0.00305\n"), "{metrics}");
    let refused = h1::exchange(run.addr(), &Request::new("GET", "/admin/metrics"));
    assert_eq!(refused.status, 401);
}
