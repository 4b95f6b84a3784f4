//! LiteLLM's paths for keys and users, with an admin key of Gaud's.

use super::Setup;
use crate::kit::client::{Request, Response, h1};
use serde_json::{Value, json};

fn post(setup: &Setup, path: &str, body: &Value) -> Response {
    setup.admin(Request::post(path, body.to_string()))
}

#[track_caller]
fn done(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn keys_have_litellms_names() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    let fields = json!({
        "key_alias": "laptop", "user_id": "ann", "models": ["own:*"], "duration": "30d", "max_budget": null,
    });
    let made = done(&post(&setup, "/key/generate", &fields));
    assert_eq!((&made["key_alias"], &made["user_id"]), (&json!("laptop"), &json!("ann")));
    assert!(made["expires"].as_str().is_some_and(|time| time.ends_with('Z')), "{made}");
    let key = made["key"].as_str().expect("a key").to_owned();
    let token = made["token"].as_str().expect("a hash").to_owned();
    assert_eq!(setup.statuses(&key), [200]);
    for name in [&key, &token] {
        let info = setup.admin(Request::new("GET", format!("/key/info?key={name}")));
        let info = done(&info);
        assert_eq!((&info["key"], &info["info"]["models"]), (&json!(token), &json!(["own:*"])));
        assert!(!info.to_string().contains(&key), "{info}");
    }
    done(&post(&setup, "/key/update", &json!({"key": key, "models": ["gpt-4o"]})));
    assert_eq!(setup.statuses(&key), [403]);
    done(&post(&setup, "/key/update", &json!({"key": token, "models": []})));
    assert_eq!(setup.statuses(&key), [200]);
    done(&post(&setup, "/key/block", &json!({"key": key})));
    assert_eq!(setup.statuses(&key), [401]);
    done(&post(&setup, "/key/unblock", &json!({"key": key})));
    assert_eq!(setup.statuses(&key), [200]);
    let list = done(&setup.admin(Request::new("GET", "/key/list?user_id=ann")));
    assert_eq!((&list["keys"], &list["total_count"]), (&json!([token]), &json!(1)));
    let next = done(&post(&setup, &format!("/key/{key}/regenerate"), &json!({})));
    let next = next["key"].as_str().expect("a key").to_owned();
    assert_eq!((setup.statuses(&key), setup.statuses(&next)), (vec![401], vec![200]));
    let gone = done(&post(&setup, "/key/delete", &json!({"keys": [next]})));
    assert_eq!(gone["deleted_keys"], json!([next]));
    assert_eq!(setup.statuses(&next), [401]);
    assert_eq!(post(&setup, "/key/delete", &json!({"keys": [next]})).status, 404);
}

#[test]
fn users_have_litellms_names() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    let new = json!({"user_id": "bob", "user_email": "bob@example.com", "user_alias": "Bob"});
    let made = done(&post(&setup, "/user/new", &new));
    assert_eq!((&made["user_id"], &made["user_alias"]), (&json!("bob"), &json!("Bob")));
    let key = made["key"].as_str().expect("a key of the user").to_owned();
    assert_eq!(setup.statuses(&key), [200]);
    let info = done(&setup.admin(Request::new("GET", "/user/info?user_id=bob")));
    assert_eq!(info["user_info"]["user_email"], "bob@example.com");
    assert_eq!(info["keys"].as_array().map(Vec::len), Some(1));
    done(&post(&setup, "/user/new", &json!({"user_id": "eve", "auto_create_key": false})));
    let list = done(&setup.admin(Request::new("GET", "/user/list")));
    assert_eq!(list["total"], 2);
    done(&post(&setup, "/user/update", &json!({"user_id": "bob", "user_alias": "Robert"})));
    assert_eq!(done(&post(&setup, "/user/delete", &json!({"user_ids": ["bob"]}))), json!(1));
    assert_eq!(setup.statuses(&key), [401]);
}

#[test]
fn a_field_that_is_not_supported_is_refused_by_its_name() {
    let setup = Setup::start("", "");
    for (path, body, field) in [
        ("/key/generate", json!({"soft_budget": 5}), "soft_budget"),
        ("/key/generate", json!({"metadata": {"a": 1}}), "metadata"),
        ("/key/generate", json!({"duration": "soon"}), "duration"),
        ("/key/generate", json!({"key": "sk-1234567890123456"}), "key"),
        ("/key/update", json!({"models": []}), "key"),
        ("/user/new", json!({"teams": ["a"]}), "teams"),
        ("/user/new", json!({"password": "a"}), "password"),
    ] {
        let answer = post(&setup, path, &body);
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        assert_eq!(answer.json()["error"]["param"], field);
    }
    let keys = setup.admin(Request::new("GET", "/admin/keys")).json();
    assert_eq!(keys["keys"], json!([]));
}

/// Every other credential gets LiteLLM's answer, as before.
#[test]
fn only_an_admin_key_of_gauds_gets_gauds_answer() {
    let setup = Setup::start("", "");
    let client = setup.make_any().key;
    for (path, value) in [
        ("/key/info", "Bearer sk-master".to_owned()),
        ("/user/list", "Bearer sk-master".to_owned()),
        ("/key/list", format!("Bearer {client}")),
        ("/keys", format!("Bearer {client}")),
    ] {
        let request = Request::new("GET", path).header("authorization", value).case("litellm");
        let answer = h1::exchange(setup.run.addr(), &request);
        assert_eq!(
            answer.header("x-gaud-provider").as_deref(),
            Some("open"),
            "{path}: {}",
            answer.text()
        );
    }
    assert_eq!(setup.open.seen("litellm").len(), 4);
    let wrong = format!("sk-prx-adm{}-{}", "x".repeat(9), "x".repeat(32));
    for (name, value) in [("authorization", format!("bearer {wrong}")), ("x-api-key", wrong)] {
        let answer =
            h1::exchange(setup.run.addr(), &Request::new("GET", "/key/list").header(name, value));
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    let request = Request::new("GET", "/key/list").header("x-api-key", setup.run.admin_key());
    assert_eq!(h1::exchange(setup.run.addr(), &request).status, 200);
    setup.assert_nowhere(&client);
}
