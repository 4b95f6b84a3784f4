//! `/admin/keys` and `/admin/users`.

use super::Setup;
use crate::kit::client::{Request, h1};
use serde_json::json;

#[test]
fn a_key_is_shown_once() {
    let setup = Setup::start("", "");
    let fields = json!({"name": "laptop", "models": ["gpt-*"], "valid_secs": 3600});
    let made = setup.make(&fields);
    let path = format!("/admin/keys/{}", made.id);
    let shown = setup.admin(Request::new("GET", &path));
    assert!(shown.status == 200 && !shown.text().contains(&made.key), "{}", shown.text());
    let shown = shown.json();
    assert_eq!((&shown["name"], &shown["state"]), (&json!("laptop"), &json!("valid")));
    assert_eq!(shown["models"], json!(["gpt-*"]));
    let end = shown["expires_secs"].as_i64().expect("a time");
    // The end is known before the key is made, and a second may pass between the two.
    let lasts_secs = end - shown["created_secs"].as_i64().expect("a time");
    assert!((3599..=3600).contains(&lasts_secs), "{lasts_secs}");
    for _ in 0..3 {
        setup.make_any();
    }
    let list = |query: &str| {
        let answer = setup.admin(Request::new("GET", format!("/admin/keys{query}")));
        assert!(!answer.text().contains("sk-prx-"), "{}", answer.text());
        answer.json()
    };
    assert_eq!(list("")["keys"].as_array().map(Vec::len), Some(4));
    let page = list("?limit=3");
    let next = page["next"].as_str().expect("a next page").to_owned();
    assert_eq!(list(&format!("?limit=3&after={next}"))["keys"].as_array().map(Vec::len), Some(1));
    setup.admin(Request::new("DELETE", &path));
    assert_eq!(list("")["keys"].as_array().map(Vec::len), Some(3));
    assert_eq!(list("?revoked=true")["keys"].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let setup = Setup::start("", "");
    let made = setup.make_any();
    for (method, path, fields, status, param) in [
        ("POST", "/admin/keys".to_owned(), json!({"user": "nobody"}), 400, json!("user")),
        ("POST", "/admin/keys".to_owned(), json!({"models": [""]}), 400, json!("models")),
        ("POST", "/admin/keys".to_owned(), json!({"name": "a\nb"}), 400, json!("name")),
        ("POST", "/admin/keys".to_owned(), json!({"limit": 5}), 400, json!(null)),
        (
            "POST",
            "/admin/keys".to_owned(),
            json!({"valid_secs": 1, "expires_secs": 1}),
            400,
            json!("valid_secs"),
        ),
        (
            "PATCH",
            format!("/admin/keys/{}", made.id),
            json!({"user": "nobody"}),
            400,
            json!("user"),
        ),
        ("PATCH", "/admin/keys/nothing".to_owned(), json!({}), 404, json!(null)),
        ("DELETE", "/admin/keys/nothing".to_owned(), json!({}), 404, json!(null)),
        ("POST", "/admin/users".to_owned(), json!({"id": "a b"}), 400, json!("id")),
        ("POST", "/admin/users".to_owned(), json!({}), 400, json!(null)),
        ("PATCH", "/admin/users/nobody".to_owned(), json!({}), 404, json!(null)),
    ] {
        let answer = setup.ask_admin(method, &path, &fields, status);
        assert_eq!(answer["error"]["param"], param, "{answer}");
    }
    setup.ask_admin("POST", "/admin/users", &json!({"id": "ann"}), 201);
    setup.ask_admin("POST", "/admin/users", &json!({"id": "ann"}), 409);
    assert_eq!(setup.ask(&made.key, "own:m").status, 200);
    let list = setup.admin(Request::new("GET", "/admin/keys")).json();
    assert_eq!(list["keys"].as_array().map(Vec::len), Some(1), "{list}");
}

#[test]
fn a_clients_key_opens_no_admin_path() {
    let setup = Setup::start("", "");
    let made = setup.make_any();
    for path in ["/admin/keys", "/admin/users", "/admin/settings"] {
        let request =
            Request::new("GET", path).header("authorization", format!("Bearer {}", made.key));
        assert_eq!(h1::exchange(setup.run.addr(), &request).status, 401, "{path}");
    }
}
