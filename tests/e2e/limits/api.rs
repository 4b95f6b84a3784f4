//! How limits are set: `/admin`, LiteLLM's paths, and the defaults of new keys.

use super::{Setup, config};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use serde_json::json;

#[test]
fn limits_are_set_changed_and_taken_away() {
    let setup = Setup::start();
    let budget = json!({"usd": 12.5, "window": "month", "strict": false});
    let fields = json!({"rpm": 0, "tpm": 5, "max_parallel_requests": 3, "budget": budget});
    let (key, id) = setup.key(&fields);
    let path = format!("/admin/keys/{id}");
    let shown = setup.admin("GET", &path, &json!({}), 200);
    for (name, value) in fields.as_object().expect("an object") {
        assert_eq!(&shown[name], value, "{name}");
    }
    assert_eq!(setup.ask(&key, "priced").status, 429);
    let changed = setup.admin(
        "PATCH",
        &path,
        &json!({"rpm": null, "tpm": null, "max_parallel_requests": null}),
        200,
    );
    assert_eq!((&changed["rpm"], &changed["budget"]), (&json!(null), &budget));
    assert_eq!(setup.ask(&key, "priced").status, 200);
    for wrong in [
        json!({"rpm": -1}),
        json!({"budget": {"usd": 5, "window": "year"}}),
        json!({"budget": 5}),
        json!({"rpm_limit": 5}),
    ] {
        setup.admin("PATCH", &path, &wrong, 400);
    }
}

#[test]
fn litellms_names_mean_the_same() {
    let setup = Setup::start();
    let fields = json!({"max_budget": 5, "budget_duration": "30d", "rpm_limit": 7, "tpm_limit": 9, "max_parallel_requests": 2});
    let made = setup.admin("POST", "/key/generate", &fields, 200);
    let name = made["key_name"]
        .as_str()
        .expect("a name")
        .trim_start_matches("sk-prx-")
        .trim_end_matches("-...")
        .to_owned();
    let shown = setup.admin("GET", &format!("/admin/keys/{name}"), &json!({}), 200);
    assert_eq!(
        (&shown["rpm"], &shown["tpm"], &shown["max_parallel_requests"]),
        (&json!(7), &json!(9), &json!(2))
    );
    assert_eq!(shown["budget"], json!({"usd": 5.0, "window": "month", "strict": false}));
    assert_eq!((&made["max_budget"], &made["budget_duration"]), (&json!(5.0), &json!("1mo")));
    let refused = setup.admin(
        "POST",
        "/key/generate",
        &json!({"max_budget": 5, "budget_duration": "2d"}),
        400,
    );
    let message = refused["error"]["message"].to_string();
    assert!(
        message.contains("a window is a day (1d, 24h), a week (7d, 1w) or a month (1mo, 30d)"),
        "{message}"
    );
    setup.admin("POST", "/key/generate", &json!({"soft_budget": 5}), 400);
    let user = setup.admin(
        "POST",
        "/user/new",
        &json!({"user_id": "ann", "max_budget": 1, "auto_create_key": false}),
        200,
    );
    assert_eq!(user["max_budget"], json!(1.0));
}

#[test]
fn new_keys_have_the_defaults() {
    let (one, two) = (Provider::start(), Provider::start());
    let defaults = "[keys.defaults]\nrpm = 60\nbudget = { usd = 5, window = \"week\" }\n";
    let setup = Setup { run: Run::start(&config(&one, &two, defaults)), one, two };
    let made = setup.admin("POST", "/admin/keys", &json!({"rpm": 5}), 201);
    assert_eq!((&made["rpm"], &made["budget"]["window"]), (&json!(5), &json!("week")));
    let made = setup.admin("POST", "/admin/keys", &json!({"budget": null}), 201);
    assert_eq!((&made["rpm"], &made["budget"]), (&json!(60), &json!(null)));
}

#[test]
fn limits_need_a_gateway_that_meters() {
    let (one, two) = (Provider::start(), Provider::start());
    let text = config(&one, &two, "").replace("meter = \"all\"", "meter = \"off\"");
    let setup = Setup { run: Run::start(&text), one, two };
    let refused = setup.admin("POST", "/admin/keys", &json!({"rpm": 5}), 400);
    let message = refused["error"]["message"].to_string();
    assert!(message.contains(r#"set usage.meter = \"all\""#), "{message}");
    setup.admin("POST", "/admin/keys", &json!({}), 201);
}
