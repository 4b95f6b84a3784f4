//! Virtual keys as LiteLLM writes them, and what they become.

use serde_json::{Value, json};

use super::carry::{Carry, carry};
use super::source::Source;
use super::take::{take, take_over};
use super::token::Token;
use crate::keys::KeyHash;
use crate::limits::{Budget, Limits, Window};
use crate::native::control::{Done, KeyFilter, Store, Taking};
use crate::native::database::{PostgresUrl, testing};

fn token(more: Value) -> Token {
    let mut fields = json!({"token": KeyHash::of("sk-1").to_hex(), "models": [], "spend": 0.0});
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    serde_json::from_value(fields).unwrap()
}

fn carried(more: Value) -> Carry {
    carry(&token(more)).unwrap()
}

#[test]
fn a_key_has_what_litellm_says() {
    let own = carried(json!({
        "key_alias": "laptop", "user_id": "ann", "models": ["gpt-4o", "claude-*"], "rpm_limit": 60, "tpm_limit": 1000,
        "max_parallel_requests": 3, "max_budget": 5.5, "budget_duration": "30d", "spend": 1.25, "expires_secs": 77,
        "model_max_budget": {"gpt-4o": {"budget_limit": 2.0, "time_period": "1d"}},
        "metadata": {"model_rpm_limit": {"gpt-4o": 5}, "tags": ["a"]},
        "user": {"user_alias": "Ann", "user_email": "ann@example.com", "tpm_limit": 9, "max_budget": 7.0, "spend": 3.0},
    }));
    assert_eq!((own.closed, own.without), (None, vec!["its tags".to_owned()]));
    let budget = Some(Budget { nanos: 5_500_000_000, window: Window::Month, is_strict: false });
    let limits = Limits { rpm: Some(60), tpm: Some(1000), max_parallel_requests: Some(3), budget };
    let key = own.key.key;
    assert_eq!((key.name.as_str(), key.user.as_deref()), ("laptop", Some("ann")));
    assert_eq!(
        (key.limits, key.models.as_slice()),
        (limits, &["gpt-4o".to_owned(), "claude-*".to_owned()][..])
    );
    assert_eq!(
        (key.expires_secs, key.blocked, own.key.spent_nanos),
        (Some(77), false, 1_250_000_000)
    );
    let of_model = key.model_limits["gpt-4o"];
    assert_eq!((of_model.rpm, of_model.budget.unwrap().window), (Some(5), Window::Day));
    let user = own.owner.unwrap();
    assert_eq!(
        (user.name.as_str(), user.limits.tpm, user.carried.nanos),
        ("Ann", Some(9), 3_000_000_000)
    );
    assert_eq!(own.key.hash, KeyHash::of("sk-1"));
    assert!(carry(&token(json!({"token": "sk-1"}))).is_none());
}

#[test]
fn the_models_are_those_that_the_key_and_its_owner_may_call() {
    let list = |own: &[&str], team: Option<&[&str]>, user: Option<&[&str]>| {
        let mut fields = json!({"models": own, "user_id": "ann"});
        if let Some(models) = team {
            fields["team_id"] = json!("t");
            fields["team"] = json!({"models": models});
        }
        if let Some(models) = user {
            fields["user"] = json!({"models": models});
        }
        carried(fields).key.key.models
    };
    let none = ["no-default-models"];
    assert_eq!(list(&[], None, None), [""; 0]);
    assert_eq!(list(&["all-proxy-models"], None, None), [""; 0]);
    assert_eq!(list(&["all-team-models"], Some(&["a", "b"]), None), ["a", "b"]);
    assert_eq!(list(&["all-team-models"], Some(&[]), None), [""; 0]);
    assert_eq!(
        list(&["all-team-models"], None, None),
        ["all-team-models"],
        "no model has this name"
    );
    assert_eq!(list(&[], Some(&["a"]), None), ["a"]);
    assert_eq!(list(&["a", "c"], Some(&["a", "b"]), None), ["a"]);
    assert_eq!(list(&["a", "gpt-*"], Some(&["gpt-4o", "a*"]), None), ["a", "gpt-4o"]);
    assert_eq!(list(&["c"], Some(&["a", "b"]), None), none);
    assert_eq!(list(&["a"], Some(&["all-proxy-models"]), None), ["a"]);
    assert_eq!(list(&["a", "b"], None, Some(&["a"])), ["a"]);
    assert_eq!(list(&[], None, Some(&none)), none);
}

#[test]
fn the_owner_is_the_team_and_else_the_user() {
    let team = json!({"user_id": "ann", "team_id": "t", "team": {"team_alias": "Team", "max_budget": 7.0,
        "budget_duration": "1d", "spend": 6.0, "is_over": true, "blocked": true}});
    let own = carried(team);
    let owner = own.owner.unwrap();
    assert_eq!((owner.id.as_str(), owner.name.as_str(), owner.blocked), ("t", "Team", true));
    assert_eq!(owner.limits.budget.unwrap().nanos, 7_000_000_000);
    assert_eq!(owner.carried.nanos, 0, "the window is over");
    assert_eq!(own.without, ["its user: the owner is its team"]);
    let strange = carried(json!({"user_id": "a b"}));
    assert!(strange.owner.is_none() && strange.closed.is_none() && strange.without.len() == 1);
    let limited = carried(json!({"user_id": "a b", "user": {"rpm_limit": 5}}));
    assert_eq!(limited.closed.as_deref(), Some("its owner has limits"));
}

#[test]
fn a_shared_budget_counts_where_the_key_says_nothing() {
    let budget = json!({"max_budget": 3.0, "budget_duration": "7d", "rpm_limit": 9});
    let own = carried(json!({"budget_id": "b", "budget": budget, "rpm_limit": 5}));
    let limits = own.key.key.limits;
    assert_eq!((limits.rpm, limits.budget.unwrap().window), (Some(5), Window::Week));
}

#[test]
fn what_gaud_cannot_keep_blocks_the_key() {
    for (fields, why) in [
        (
            json!({"max_budget": 5.0, "budget_duration": "30s"}),
            "its budget_duration is \"30s\"; a window is a day (1d, 24h), a week (7d, 1w) or a month (1mo, 30d)",
        ),
        (json!({"tpd_limit": 5}), "its tpd_limit counts the tokens of a day, which Gaud does not"),
        (
            json!({"team_id": "t", "team": {"max_budget": 5.0, "budget_duration": "2h"}}),
            "its team's budget_duration is \"2h\"; a window is a day (1d, 24h), a week (7d, 1w) or a month (1mo, 30d)",
        ),
        (
            json!({"allowed_routes": ["management_routes"]}),
            "its allowed_routes are not those of all models",
        ),
        (json!({"aliases": {"gpt-4": "gpt-4o"}}), "its aliases give models other names"),
        (
            json!({"budget_limits": [{"budget_duration": "1d"}]}),
            "its budget_limits are several windows of one budget",
        ),
        (json!({"team_id": "t", "member_budget_id": "b"}), "its user has a budget within the team"),
        (
            json!({"team_id": "t", "team": {"organization_id": "o"}}),
            "its organization may have limits",
        ),
        (json!({"project_id": "p"}), "its project may have limits"),
        (json!({"metadata": {"guardrails": ["pii"]}}), "it has guardrails"),
        (
            json!({"allowed_routes": ["openai_routes"]}),
            "its allowed_routes are not those of all models",
        ),
        (
            json!({"team_id": "t", "team": {"metadata": {"model_tpm_limit": {"m": 5}}}}),
            "its owner has limits for models",
        ),
        (json!({"team_id": "t"}), "its team is not there"),
        (json!({"team_id": "a b", "team": {"blocked": true}}), "its owner has limits"),
        (
            json!({"metadata": {"model_rpm_limit": {"m\n": "10"}}}),
            "its limit for m\\n is not a number",
        ),
        (
            json!({"model_max_budget": {"m": {"max_budget": 1.0, "budget_duration": "5m"}}}),
            "its model_max_budget: budget_duration is \"5m\"; a window is a day (1d, 24h), a week (7d, 1w) or a month (1mo, \
             30d)",
        ),
        (json!({"models": vec!["m"; 257]}), "257 models are too many; write 256 at most"),
    ] {
        let own = carried(fields);
        assert_eq!(own.closed.as_deref(), Some(why));
        assert!(own.key.key.blocked);
        assert_eq!(own.key.key.models, ["no-default-models"]);
    }
    let open = carried(
        json!({"allowed_routes": ["llm_api_routes"], "aliases": {}, "metadata": "{}", "blocked": false}),
    );
    assert!(open.closed.is_none() && !open.key.key.blocked);
    assert!(carried(json!({"blocked": true})).key.key.blocked);
}

#[test]
fn a_team_and_a_user_with_one_id_close_their_keys() {
    let store = Store::open(&testing::sqlite()).unwrap();
    let of_user = token(json!({"user_id": "ml"}));
    let hash = KeyHash::of("sk-2").to_hex();
    let of_team = token(json!({"token": hash, "team_id": "ml", "team": {"max_budget": 10.0}}));
    let report = take(&[of_user, of_team], &store, Taking::InStep).unwrap();
    for line in &report.keys {
        let why = "a team and a user have the id of its owner";
        assert_eq!(line.closed.as_deref(), Some(why));
        assert!(store.key(&line.id).unwrap().unwrap().blocked);
    }
}

#[test]
fn the_report_names_each_key_by_its_public_id() {
    let store = Store::open(&testing::sqlite()).unwrap();
    let tokens = || {
        let other =
            json!({"token": KeyHash::of("sk-2").to_hex(), "tpd_limit": 5, "user_id": "ann"});
        vec![
            token(json!({"key_alias": "laptop", "metadata": {"tags": ["x"]}})),
            token(other),
            token(json!({"token": "sk-3"})),
        ]
    };
    let report = take(&tokens(), &store, Taking::Over).unwrap();
    let [one, two] = report.keys.as_slice() else { panic!("{report}") };
    let expected = format!(
        "key {} (laptop): taken over, without its tags\nkey {}: taken over, blocked: its tpd_limit counts the tokens of a day, \
         which Gaud does not\nrows that are left out, because their token is not a SHA-256: 1\nkeys: 2 taken over, 0 \
         changed, 0 as before; blocked because of what Gaud cannot keep: 1\n",
        one.id, two.id
    );
    assert_eq!(report.to_string(), expected);
    let again = take(&tokens(), &store, Taking::Over).unwrap();
    let same =
        "keys: 0 taken over, 0 changed, 2 as before; blocked because of what Gaud cannot keep: 1\n";
    assert!(again.to_string().ends_with(same), "{again}");
    assert!(again.to_string().contains(&format!("key {} (laptop): as before", one.id)));
}

/// The columns that are asked for by name, and a few others.
const TABLES: &str = r#"
    CREATE TABLE "LiteLLM_VerificationToken" (token text PRIMARY KEY, key_alias text, spend float8 DEFAULT 0, models text[],
        user_id text, team_id text, budget_id text, expires timestamp(3), budget_reset_at timestamp(3), blocked boolean,
        max_budget float8, budget_duration text, rpm_limit bigint, last_active timestamp(3), metadata jsonb DEFAULT '{}');
    CREATE TABLE "LiteLLM_TeamTable" (team_id text PRIMARY KEY, team_alias text, models text[], spend float8 DEFAULT 0,
        budget_reset_at timestamp(3), max_budget float8);
    CREATE TABLE "LiteLLM_UserTable" (user_id text PRIMARY KEY, user_alias text, spend float8 DEFAULT 0,
        budget_reset_at timestamp(3));
    CREATE TABLE "LiteLLM_BudgetTable" (budget_id text PRIMARY KEY, max_budget float8, budget_reset_at timestamp(3));
    CREATE TABLE "LiteLLM_TeamMembership" (user_id text, team_id text, budget_id text);
"#;

#[tokio::test]
async fn the_keys_are_read_from_litellms_tables_which_nothing_is_written_to() {
    let (server, database) = testing::server();
    let url = PostgresUrl::parse(&server.url(&database)).unwrap();
    let store = Store::open(&testing::sqlite()).unwrap();
    let missing = take_over(&url, &store).await.unwrap_err();
    let end = "it is not LiteLLM's; name the one that DATABASE_URL names for LiteLLM";
    assert_eq!(missing, format!("the database {url}: {end}"));
    server.sql(&database, TABLES);
    let insert = |key: &str, more: &str, values: &str| {
        let hash = KeyHash::of(key).to_hex();
        let sql = format!(
            r#"INSERT INTO "LiteLLM_VerificationToken" (token{more}) VALUES ('{hash}'{values})"#
        );
        server.sql(&database, &sql);
    };
    insert("sk-a", ", key_alias, models, expires, team_id", ", 'a', '{m}', '2030-01-01', 't'");
    insert(
        "sk-b",
        ", spend, max_budget, budget_duration, budget_reset_at",
        ", 5, 9, '1d', '2020-01-01'",
    );
    insert("sk-ui", ", team_id", ", 'litellm-dashboard'");
    server.sql(
        &database,
        r#"INSERT INTO "LiteLLM_TeamTable" VALUES ('t', 'Team', '{}', 1, NULL, 3)"#,
    );
    let source = Source::connect(&url).await.unwrap();
    let first = source.mark().await.unwrap();
    let report = take_over(&url, &store).await.unwrap();
    assert_eq!(report.keys.iter().map(|line| line.done).collect::<Vec<_>>(), [Done::Added; 2]);
    let a = store.key_by_hash(&KeyHash::of("sk-a")).unwrap().unwrap();
    assert_eq!(
        (a.name.as_str(), a.expires_secs, a.user.as_deref()),
        ("a", Some(1_893_456_000), Some("t"))
    );
    let b = store.key_by_hash(&KeyHash::of("sk-b")).unwrap().unwrap();
    assert_eq!(
        (b.carried.nanos, b.models.is_empty()),
        (0, true),
        "the window of the budget is over"
    );
    let again = take_over(&url, &store).await.unwrap();
    assert_eq!(again.keys.iter().map(|line| line.done).collect::<Vec<_>>(), [Done::Same; 2]);
    server.sql(&database, r#"UPDATE "LiteLLM_VerificationToken" SET last_active = now()"#);
    assert_eq!(source.mark().await.unwrap(), first, "each use of a key changes this");
    server.sql(&database, r#"UPDATE "LiteLLM_TeamTable" SET max_budget = 4"#);
    assert_ne!(source.mark().await.unwrap(), first);
    let all = KeyFilter { limit: 10, ..KeyFilter::default() };
    assert_eq!(store.keys(&all).unwrap().len(), 2);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'gaud'";
    assert_eq!(server.sql(&database, schemas), "0", "nothing of Gaud's is in LiteLLM's database");
}
