//! Who asks: the client's key, and whether the key allows what is asked.
//!
//! | `[keys] mode` | a key of Gaud's | any other credential, or none |
//! |---|---|---|
//! | `off` | refused, but on the gateway's own paths | passes |
//! | `optional` | checked | passes |
//! | `required` | checked | refused, but for the gateway's health and `passthrough` |
//!
//! With `[keys] litellm` the gateway knows LiteLLM's keys too. One rule says who checks such a key: where the client's own
//! credential goes on, the provider does; where it does not, the gateway does, and a request without a known key is refused.

use std::borrow::Cow;

use super::Session;
use super::hop::Caller;
use super::limits::Limited;
use crate::gateway::{Credential, Keys};
use crate::host::Host;
use crate::keys::{self, Allowed, Refusal};
use crate::reply::Reject;
use crate::request::credentials::GaudKey;
use crate::request::endpoint::{Endpoint, LocalEndpoint};
use crate::request::escape::{query_values, unescaped, without_query};
use crate::request::head::Head;
use crate::request::model::ModelName;
use crate::route::{Draw, ProviderId};

/// The key of a query in which Gemini's clients put keys.
const QUERY_KEY: &[u8] = b"key";

/// Whose key a request has, where LiteLLM's keys are known too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Gaud's, or nobody asks.
    Settled,
    /// LiteLLM's, and known here.
    Litellms,
    /// The request has no key that opens anything here.
    Missing(Refusal),
}

impl Session {
    /// Checks the client's key, before any of the body is read.
    ///
    /// # Errors
    /// The key opens nothing, or a key is needed.
    pub(super) fn identify(
        &mut self,
        host: &dyn Host,
        head: &Head<'_>,
        endpoint: &Endpoint,
    ) -> Result<(), Reject> {
        let sent = sent_key(head);
        let Some(keys) = &self.gateway.keys else {
            let is_local = matches!(endpoint, Endpoint::Local(..));
            return match sent {
                Some((kind, _)) if !is_local => Err(Reject::Key(kind)),
                _ => Ok(()),
            };
        };
        if is_health(endpoint) {
            return Ok(());
        }
        let Some((kind, key)) = sent else {
            let refusal = match keys.takes_litellms {
                false => Refusal::Invalid,
                true => match find(host, keys, head) {
                    Ok(allowed) => {
                        self.proof = Proof::Litellms;
                        self.take_key(Box::new(allowed), head, endpoint);
                        return Ok(());
                    }
                    Err(refusal) => {
                        self.proof = Proof::Missing(refusal);
                        refusal
                    }
                },
            };
            let is_open = !keys.are_required || self.needs_none(keys, head, endpoint);
            return if is_open { Ok(()) } else { Err(refused(refusal)) };
        };
        let key = key.filter(|_| kind == GaudKey::Client).ok_or(Reject::Key(kind))?;
        let allowed = check(host, keys, &key)?;
        self.take_key(allowed, head, endpoint);
        Ok(())
    }

    fn take_key(&mut self, mut allowed: Box<Allowed>, head: &Head<'_>, endpoint: &Endpoint) {
        if let (Some(terms), false) =
            (allowed.terms.take(), matches!(endpoint, Endpoint::Local(..)))
        {
            self.limited = Some(Limited::new(*terms, head.method));
        }
        self.key = Some(allowed);
    }

    /// Decides who checks the client's key, once it is known where the request goes.
    ///
    /// # Errors
    /// The gateway checks the key, and the request has no key that opens anything.
    pub(super) fn prove(&mut self, model: Option<&ModelName>) -> Result<(), Reject> {
        match self.proof {
            Proof::Settled => Ok(()),
            proof => self.prove_litellms(proof, model),
        }
    }

    #[cold]
    #[inline(never)]
    fn prove_litellms(&mut self, proof: Proof, model: Option<&ModelName>) -> Result<(), Reject> {
        match (self.replaces_credentials(model), proof) {
            (true, Proof::Missing(refusal)) => Err(refused(refusal)),
            (false, Proof::Litellms) => {
                (self.key, self.limited) = (None, None);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether any provider that the request may reach has a credential of its own, so that the client's credential stays here. A
    /// request that reaches no provider counts as such.
    fn replaces_credentials(&self, model: Option<&ModelName>) -> bool {
        let gateway = &self.gateway;
        let replaces = |provider: ProviderId| {
            let provider = gateway.provider(provider);
            provider.is_some_and(|provider| provider.credential != Credential::Passthrough)
        };
        let path = self.path.as_str();
        let draw = Draw::by(0);
        let is_replaced = match model {
            None => gateway.default_of(self.path.sent()).is_none_or(replaces),
            Some(model) => gateway
                .targets_in_turn(model, path, &draw)
                .map_or(true, |mut turns| turns.any(|turn| replaces(turn.target.provider))),
        };
        self.is_api && is_replaced
    }

    /// Who pays for the request; `None` without a key of Gaud's.
    pub(super) fn caller(&self) -> Option<Caller> {
        let key = self.key.as_ref()?;
        let charges = self.limited.as_ref().map(|limited| limited.charges()).unwrap_or_default();
        Some(Caller { key: key.id.clone(), user: key.user.clone(), charges })
    }

    #[cold]
    #[inline(never)]
    /// Whether a request without a key passes where keys are required.
    fn needs_none(&self, keys: &Keys, head: &Head<'_>, endpoint: &Endpoint) -> bool {
        match endpoint {
            Endpoint::Unknown => keys.let_pass(without_query(self.path.as_str())),
            // The control server asks for the list of models.
            Endpoint::Local(..) => {
                let own = keys.authorization.expose();
                !own.is_empty() && head.credentials.value("authorization") == Some(own.as_bytes())
            }
            _ => false,
        }
    }

    /// # Errors
    /// The client's key does not allow the model.
    pub(super) fn check_model(&self, asked: &str) -> Result<(), Reject> {
        match &self.key {
            Some(key) if !key.models.allow(&self.gateway, asked) => {
                Err(Reject::ModelNotAllowed(Some(asked.to_owned())))
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    /// The client's key allows some models alone, and the request names none that can be read.
    pub(super) fn check_unnamed(&self) -> Result<(), Reject> {
        let allows_all = |key: &Allowed| key.models.are_all();
        match self.key.as_deref().is_none_or(allows_all) {
            true => Ok(()),
            false => Err(Reject::ModelNotAllowed(None)),
        }
    }
}

/// # Errors
/// The key opens nothing now.
#[inline(never)]
fn check(host: &dyn Host, keys: &Keys, key: &str) -> Result<Box<Allowed>, Reject> {
    keys::check(host, keys, key).map(Box::new).map_err(refused)
}

fn refused(refusal: Refusal) -> Reject {
    match refusal {
        Refusal::Invalid => Reject::Key(GaudKey::Client),
        Refusal::Expired => Reject::ExpiredKey,
        Refusal::Waiting => Reject::KeysUnknown,
        Refusal::Stale => Reject::KeysStale,
    }
}

/// Looks up a key that is not Gaud's.
#[cold]
#[inline(never)]
fn find(host: &dyn Host, keys: &Keys, head: &Head<'_>) -> Result<Allowed, Refusal> {
    let key = head.credentials.any_key().map(Cow::Borrowed);
    let key = key.or_else(|| value_in_query(head.path).map(Cow::Owned));
    keys::find(host, keys, &key.ok_or(Refusal::Invalid)?)
}

fn is_health(endpoint: &Endpoint) -> bool {
    let health = [LocalEndpoint::Liveness, LocalEndpoint::Readiness, LocalEndpoint::Health];
    matches!(endpoint, Endpoint::Local(own, _) if health.contains(own))
}

/// What a key of Gaud's is for, wherever in a head such a key is; and the key, if it is alone where clients put keys.
fn sent_key<'a>(head: &Head<'a>) -> Option<(GaudKey, Option<Cow<'a, str>>)> {
    match head.credentials.gaud_key() {
        Some((kind, key)) => Some((kind, key.map(Cow::Borrowed))),
        None => key_in_query(head.path).map(|(kind, key)| (kind, key.map(Cow::Owned))),
    }
}

#[inline(never)]
fn key_in_query(path: &[u8]) -> Option<(GaudKey, Option<String>)> {
    let query = path.iter().position(|byte| *byte == b'?')?;
    let kind = GaudKey::within(&unescaped(path.get(query..)?))?;
    Some((kind, value_in_query(path)))
}

fn value_in_query(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let place = query_values(path, QUERY_KEY).next()?;
    String::from_utf8(unescaped(path.get(place)?)).ok()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::config::File;
    use crate::gateway::Gateway;
    use crate::host::memory::Memory;
    use crate::keys::{KeyHash, Models, Page, Policy, Standing, feed};
    use crate::limits::Terms;
    use crate::request::header_map::serialized;
    use crate::session::RequestAction;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const CHAT: &str = "/v1/chat/completions";

    fn gateway(keys: &str) -> Rc<Gateway> {
        let json = format!(
            r#"{{"default_provider":"p","aliases":{{"best":"q:x"}},{keys}
            "fallbacks":[{{"model":"safe","to":["q:x"]}}],
            "providers":{{"p":{{"url":"http://a","models":["gpt-4o","gpt-5"]}},
            "q":{{"url":"http://b","api_key":"os.environ/K","models":["x"]}}}}}}"#
        );
        let file = File::from_json(json.as_bytes()).unwrap();
        Rc::new(Gateway::compile(&file, &|_| Some("t".to_owned())).unwrap())
    }

    fn optional() -> Rc<Gateway> {
        gateway(r#""keys":{"mode":"optional"},"#)
    }

    fn required() -> Rc<Gateway> {
        gateway(r#""keys":{"mode":"required","passthrough":["/key"]},"#)
    }

    fn key(letter: &str) -> String {
        format!("sk-prx-{}-{}", letter.repeat(12), letter.repeat(32))
    }

    /// A host that knows the key `a` for every model, `b` for `gpt-*` and `best`, and `e`, which has expired.
    fn host() -> Memory {
        let host = Memory::at(10_000);
        let policy = |letter: &str, models: &[&str], expires_secs| {
            let models = Models::of(models.iter().map(|model| (*model).to_owned()).collect());
            let (id, user, name) = (letter.repeat(12), String::new(), String::new());
            let standing = Standing::Valid;
            let policy = Policy {
                number: 1,
                standing,
                expires_secs,
                id,
                user,
                name,
                models,
                terms: Terms::default(),
                user_terms: Terms::default(),
                model_terms: Vec::new(),
            };
            (KeyHash::of(&key(letter)), policy)
        };
        let policies = vec![
            policy("a", &[], 0),
            policy("b", &["gpt-*", "best", "safe"], 0),
            policy("e", &[], 5),
        ];
        let page = Page { is_reset: true, database: 1, number: 1, policies, ..Page::default() };
        assert!(feed::answered(&host, Some(200), || page.to_bytes()));
        host
    }

    fn begin(
        gateway: &Rc<Gateway>,
        host: &Memory,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (Session, RequestAction) {
        let head = [(":method", method), (":path", path)];
        let map = serialized(&[&head, headers].concat());
        Session::begin(Rc::clone(gateway), host, &Head::parse(&map), method == "GET")
    }

    /// The code and the message of a refusal.
    #[track_caller]
    fn refused(action: RequestAction) -> (u32, String) {
        let RequestAction::Reply(reply) = action else { panic!("not refused: {action:?}") };
        let document: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        (reply.status, document["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    fn bearer(key: &str) -> String {
        format!("Bearer {key}")
    }

    #[test]
    fn a_key_is_taken_from_wherever_clients_put_keys() {
        let (gateway, host, good) = (required(), host(), key("a"));
        let protocol = format!("realtime, openai-insecure-api-key.{good}");
        for (name, value) in [
            ("authorization", bearer(&good)),
            ("authorization", format!("bearer  {good} ")),
            ("x-api-key", good.clone()),
            ("api-key", good.clone()),
            ("x-goog-api-key", good.clone()),
            ("sec-websocket-protocol", protocol),
        ] {
            let (session, action) = begin(&gateway, &host, "POST", CHAT, &[(name, &value)]);
            assert_eq!(action, RequestAction::Hold, "{name}: {value}");
            assert_eq!(session.key.unwrap().id, "a".repeat(12));
        }
        let escaped = good.replace('-', "%2D");
        for path in [format!("{CHAT}?key={good}"), format!("{CHAT}?a=b&key={escaped}")] {
            assert_eq!(begin(&gateway, &host, "POST", &path, &[]).1, RequestAction::Hold, "{path}");
        }
    }

    #[test]
    fn a_key_anywhere_else_or_of_another_form_opens_nothing() {
        let (gateway, host, good) = (optional(), host(), key("a"));
        let admin = good.replace("aaaaaaaaaaaa", "admaaaaaaaaa");
        let all = |key: &str| {
            [
                ("cookie", format!("k={key}")),
                ("authorization", format!("Basic {key}")),
                ("authorization", bearer(&format!("{key}x"))),
                ("authorization", bearer(&format!("x{key}"))),
                ("x-litellm-api-key", key.to_owned()),
            ]
        };
        let expected = refused(begin(&gateway, &host, "POST", CHAT, &[("x-api-key", &key("z"))]).1);
        assert_eq!(expected, (401, "invalid_api_key".to_owned()));
        for (name, value) in all(&good) {
            let (_, action) = begin(&gateway, &host, "POST", CHAT, &[(name, &value)]);
            assert_eq!(refused(action), expected, "{name}: {value}");
        }
        for (name, value) in all(&admin) {
            let (_, action) = begin(&gateway, &host, "POST", CHAT, &[(name, &value)]);
            assert_eq!(refused(action), (403, "admin_key".to_owned()), "{name}");
        }
        let (_, action) = begin(&gateway, &host, "GET", &format!("/v1/files?token={good}"), &[]);
        assert_eq!(refused(action), expected);
        let expired = [("x-api-key", key("e"))];
        let (_, action) = begin(&gateway, &host, "POST", CHAT, &[(expired[0].0, &expired[0].1)]);
        assert_eq!(refused(action), (401, "expired_key".to_owned()));
    }

    #[test]
    fn the_modes_differ_in_what_passes_without_a_key() {
        let (host, off) = (host(), gateway(""));
        let invalid = (401, "invalid_api_key".to_owned());
        let other = [("authorization", "Bearer sk-1234")];
        let good = bearer(&key("a"));
        let keyed = [("authorization", good.as_str())];
        assert_eq!(refused(begin(&off, &host, "POST", CHAT, &keyed).1), invalid);
        assert_eq!(begin(&off, &host, "POST", CHAT, &other).1, RequestAction::Hold);
        assert_eq!(begin(&optional(), &host, "POST", CHAT, &other).1, RequestAction::Hold);
        let required = required();
        for (method, path) in [
            ("POST", CHAT),
            ("GET", "/v1/models"),
            ("GET", "/v1/files"),
            ("GET", "/user/info"),
            ("DELETE", CHAT),
        ] {
            assert_eq!(refused(begin(&required, &host, method, path, &other).1), invalid, "{path}");
        }
        for path in ["/healthz", "/readyz", "/health", "/", "/key/info"] {
            let (_, action) = begin(&required, &host, "GET", path, &other);
            let is_refused = matches!(&action, RequestAction::Reply(reply) if reply.status == 401);
            assert!(!is_refused, "{path}: {action:?}");
        }
        // The control server's own question.
        let own = [("authorization", "Bearer t")];
        let (_, action) = begin(&required, &host, "GET", "/api/models", &own);
        assert!(matches!(action, RequestAction::Reply(reply) if reply.status == 200));
    }

    #[test]
    fn nothing_is_opened_before_the_keys_are_known() {
        let (gateway, empty) = (optional(), Memory::at(1));
        let good = key("a");
        let (_, action) = begin(&gateway, &empty, "POST", CHAT, &[("x-api-key", &good)]);
        let RequestAction::Reply(reply) = action else { panic!("not refused") };
        assert_eq!((reply.status, reply.retry_after_secs), (503, Some(1)));
        assert!(reply.body.contains("keys_unavailable"), "{}", reply.body);
        let (_, ready) = begin(&gateway, &empty, "GET", "/readyz", &[]);
        assert!(matches!(ready, RequestAction::Reply(reply) if reply.status == 503));
        let (_, ready) = begin(&gateway, &host(), "GET", "/readyz", &[]);
        assert!(matches!(ready, RequestAction::Reply(reply) if reply.status == 200));
    }

    #[test]
    fn a_list_of_models_holds_on_every_way_to_name_a_model() {
        let (gateway, host, limited) = (optional(), host(), key("b"));
        let keyed = [("x-api-key", limited.as_str()), ("content-type", "application/json")];
        let not_allowed = (403, "model_not_allowed".to_owned());
        let ask = |model: &str| {
            let (mut session, action) = begin(&gateway, &host, "POST", CHAT, &keyed);
            assert_eq!(action, RequestAction::Hold);
            let body = format!(r#"{{"model":"{model}"}}"#);
            session.feed(&host, body.as_bytes()).unwrap();
            session.advance(&host, true)
        };
        for model in ["gpt-4o", "p:gpt-4o", "best", "safe", "q:gpt-5"] {
            let action = ask(model);
            assert!(!matches!(action, RequestAction::Reply(_)), "{model}: {action:?}");
        }
        for model in ["x", "q:x", "xgpt-4o", "nothing", "p:best2"] {
            assert_eq!(refused(ask(model)), not_allowed, "{model}");
        }
        for (method, path) in [
            ("POST", "/v1beta/models/x:generateContent"),
            ("POST", "/openai/deployments/x/chat/completions"),
            ("GET", "/v1/realtime?model=x"),
            // No model that the gateway reads.
            ("GET", "/v1/files"),
            ("POST", "/v1/messages/batches"),
            ("GET", "/anything"),
        ] {
            let (_, action) = begin(&gateway, &host, method, path, &keyed);
            let action = match action {
                RequestAction::Hold => {
                    let (mut session, _) = begin(&gateway, &host, method, path, &keyed);
                    session.feed(&host, b"{}").unwrap();
                    session.advance(&host, true)
                }
                action => action,
            };
            // Gemini's shape has no code.
            let RequestAction::Reply(reply) = action else { panic!("{path} passes: {action:?}") };
            assert_eq!(
                (reply.status, reply.details.as_str()),
                (403, "gaud_model_not_allowed"),
                "{path}"
            );
        }
    }

    const LITELLMS: &str = "sk-a1b2c3d4e5f6g7h8";

    /// The gateway of [`gateway`] with LiteLLM's keys, and a host that knows such a key for `best` and `gpt-*`.
    fn with_litellms(mode: &str) -> (Rc<Gateway>, Memory) {
        let gateway = gateway(&format!(r#""keys":{{"mode":"{mode}","litellm":true}},"#));
        let host = host();
        let models = Models::of(vec!["best".to_owned(), "gpt-*".to_owned()]);
        let terms = Terms {
            limits: crate::limits::Limits { rpm: Some(1), ..crate::limits::Limits::NONE },
            known: None,
        };
        let policy = Policy {
            number: 2,
            standing: Standing::Valid,
            expires_secs: 0,
            id: "l".repeat(12),
            user: String::new(),
            name: String::new(),
            models,
            terms,
            user_terms: Terms::default(),
            model_terms: Vec::new(),
        };
        let policies = vec![(KeyHash::of(LITELLMS), policy)];
        let page = Page { database: 1, number: 2, policies, ..Page::default() };
        assert!(feed::answered(&host, Some(200), || page.to_bytes()));
        host.advance(60_000);
        (gateway, host)
    }

    /// What becomes of a chat for a model, with these headers.
    fn chat(
        (gateway, host): &(Rc<Gateway>, Memory),
        model: &str,
        headers: &[(&str, &str)],
    ) -> (Session, RequestAction) {
        let (mut session, action) = begin(gateway, host, "POST", CHAT, headers);
        if action != RequestAction::Hold {
            return (session, action);
        }
        session.feed(host, format!(r#"{{"model":"{model}"}}"#).as_bytes()).unwrap();
        let action = session.advance(host, true);
        (session, action)
    }

    #[test]
    fn litellms_key_is_checked_where_it_does_not_go_on() {
        for mode in ["optional", "required"] {
            for (name, value) in [
                ("authorization", bearer(LITELLMS)),
                ("x-api-key", LITELLMS.to_owned()),
                ("api-key", LITELLMS.to_owned()),
                ("x-litellm-api-key", LITELLMS.to_owned()),
                ("x-litellm-api-key", bearer(LITELLMS)),
            ] {
                let both = with_litellms(mode);
                let headers = [(name, value.as_str())];
                // The provider `q` has a credential of its own.
                let (session, action) = chat(&both, "best", &headers);
                assert!(matches!(action, RequestAction::Forward(_)), "{mode} {name}: {action:?}");
                assert_eq!(session.caller().unwrap().key, "l".repeat(12));
                assert_eq!(refused(chat(&both, "best", &headers).1).0, 429, "the limit of the key");
                let not_allowed = (403, "model_not_allowed".to_owned());
                assert_eq!(refused(chat(&both, "q:x", &headers).1), not_allowed);
                // The provider `p` has none: the key goes on, and nothing counts here.
                for model in ["gpt-4o", "p:claude", "claude"] {
                    let (session, action) = chat(&both, model, &headers);
                    assert!(matches!(action, RequestAction::Forward(_)), "{model}: {action:?}");
                    assert_eq!(session.caller(), None);
                    assert!(session.limit_headers().is_empty());
                }
            }
        }
    }

    #[test]
    fn what_goes_direct_needs_a_key_that_is_known() {
        let both = with_litellms("optional");
        let unknown = [("authorization", "Bearer sk-unknown")];
        for headers in [&[][..], &unknown] {
            let said = refused(chat(&both, "best", headers).1);
            assert_eq!(said, (401, "invalid_api_key".to_owned()));
            let (_, action) = chat(&both, "gpt-4o", headers);
            assert!(matches!(action, RequestAction::Forward(_)), "{action:?}");
        }
        let own = bearer(&key("a"));
        let (session, action) = chat(&both, "best", &[("authorization", &own)]);
        assert!(matches!(action, RequestAction::Forward(_)), "{action:?}");
        assert_eq!(session.caller().unwrap().key, "a".repeat(12));
        let required = with_litellms("required");
        assert_eq!(refused(begin(&required.0, &required.1, "POST", CHAT, &unknown).1).0, 401);
        // Without the setting another credential passes everywhere, and LiteLLM's key is such a credential.
        let without = (optional(), both.1);
        let other = bearer(LITELLMS);
        let (session, action) = chat(&without, "best", &[("authorization", &other)]);
        assert!(matches!(action, RequestAction::Forward(_)) && session.caller().is_none());
        let empty = (with_litellms("optional").0, Memory::at(10_000));
        assert_eq!(refused(chat(&empty, "best", &unknown).1).0, 503, "no keys are known yet");
    }

    #[test]
    fn a_key_sees_the_models_that_it_may_call() {
        let (gateway, host) = (optional(), host());
        let list = |key: &str, path: &str| {
            let (_, action) = begin(&gateway, &host, "GET", path, &[("x-api-key", key)]);
            let RequestAction::Reply(reply) = action else { panic!("no list") };
            (reply.status, reply.body.to_string())
        };
        let (limited, all) = (key("b"), key("a"));
        let ids = |document: &str| {
            let document: serde_json::Value = serde_json::from_str(document).unwrap();
            let data = document.get("data").unwrap_or(&document).as_array().unwrap().clone();
            data.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for path in ["/v1/models", "/api/models"] {
            assert_eq!(ids(&list(&all, path).1), ["gpt-4o", "gpt-5", "q:x", "best"]);
            assert_eq!(ids(&list(&limited, path).1), ["gpt-4o", "gpt-5", "best"]);
        }
        assert_eq!(list(&limited, "/v1/models/gpt-4o").0, 200);
        for hidden in ["q:x", "nothing"] {
            let (status, body) = list(&limited, &format!("/v1/models/{hidden}"));
            assert_eq!(status, 403);
            assert!(!body.contains("Did you mean"), "{body}");
        }
        assert_eq!(list(&key("z"), "/v1/models").0, 401);
    }
}
