//! Whole requests, any line, headers and body: the gateway's key never goes with a model that the gateway has not read. The
//! key goes to the provider that the model names, whoever reads the model where ([`super::careless`]), and nothing of the
//! client's account goes with the key.
//!
//! An input is a request as HTTP/1 writes one: a method, a space and a path, lines of headers, an empty line, the body. The
//! provider `away` takes `away:*` and `a-*`, `home` the rest.

use std::rc::Rc;

use gaud::config::File;
use gaud::gateway::{Gateway, Provider};
use gaud::request::header_map::serialized;
use gaud::session::{HeaderChange, Outgoing};

use super::careless::{Careless, models};
use super::whole::whole;

const CONFIGURATION: &[u8] = br#"{"default_provider":"home","providers":{
    "home":{"url":"http://h","api_key":"os.environ/HOME"},
    "away":{"url":"http://a","api_key":"os.environ/AWAY","match":["a-*"]}}}"#;

thread_local! {
    static GATEWAY: Rc<Gateway> = {
        let file = File::from_json(CONFIGURATION).expect("a configuration");
        let key = |name: &str| Some(format!("sk-{name}"));
        Rc::new(Gateway::compile(&file, &key).expect("a gateway"))
    };
}

/// Headers that no provider with a key of its own gets from the client.
const ACCOUNTS: [&str; 8] = [
    "authorization",
    "x-api-key",
    "api-key",
    "cookie",
    "openai-organization",
    "openai-project",
    "x-auth-token",
    "x-http-method-override",
];

struct Asked<'a> {
    method: &'a [u8],
    path: &'a [u8],
    headers: Vec<(&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

pub(crate) fn run(data: &[u8]) {
    let Some(asked) = Asked::parse(data) else { return };
    let Some((outgoing, provider)) = GATEWAY.with(|gateway| forwarded(gateway, &asked)) else {
        return;
    };
    let changes = outgoing.header_changes(&provider);
    let key = format!("Bearer sk-{}", provider.name.to_uppercase());
    let carries_key = changes
        .iter()
        .any(|change| matches!(change, HeaderChange::Set("authorization", value) if *value == key));
    if !carries_key {
        return;
    }
    for (name, _) in &asked.headers {
        let is_removed = changes.iter().any(|change| match change {
            HeaderChange::Remove(removed) => removed.as_bytes() == *name,
            HeaderChange::Set(set, _) => set.as_bytes() == *name,
            HeaderChange::SetNumber(..) => false,
        });
        let is_account = ACCOUNTS.iter().any(|account| account.as_bytes() == *name);
        assert!(!is_account || is_removed, "{} passes", String::from_utf8_lossy(name));
    }
    let sent = String::from_utf8_lossy(asked.path).into_owned();
    let path = outgoing.path.clone().unwrap_or(sent);
    let body = match &outgoing.edit {
        Some(edit) => edit.apply(asked.body.to_vec()),
        None => asked.body.to_vec(),
    };
    let asked_path = String::from_utf8_lossy(asked.path);
    let asked_models = models(&asked.as_read(&asked_path, asked.body));
    let has = |wanted: &dyn Fn(&str) -> bool| asked_models.iter().any(|model| wanted(model));
    for model in models(&asked.as_read(&path, &body)) {
        for namespace in ["away:", "home:"] {
            let is_left =
                model.starts_with(namespace) && !has(&|asked| asked.contains(&format!(":{model}")));
            assert!(!is_left, "{model} has its namespace");
        }
        match provider.name.as_str() {
            "home" => assert!(
                !model.starts_with("a-") || has(&|asked| asked.contains("home:")),
                "{model} at home: {path}"
            ),
            _ => assert!(
                has(&|asked| asked.starts_with("a-") || asked.contains("away:")),
                "{model} at away: {path}"
            ),
        }
    }
}

impl<'a> Asked<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
        let (head, rest) = data.split_at(end);
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = lines.next()?;
        let space = line.iter().position(|byte| *byte == b' ')?;
        let header = |line: &'a [u8]| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        };
        Some(Self {
            method: &line[..space],
            path: &line[space + 1..],
            headers: lines.filter_map(header).collect(),
            body: rest.get(2..).unwrap_or_default(),
        })
    }

    /// The request with this path and body.
    fn as_read<'b>(&'b self, path: &'b str, body: &'b [u8]) -> Careless<'b> {
        let types = self.headers.iter().filter(|(name, _)| *name == b"content-type");
        let values = types.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        Careless {
            method: self.method,
            path,
            content_type: values.collect::<Vec<_>>().join(","),
            body,
        }
    }
}

/// The request as it leaves, if it reaches a provider whole.
fn forwarded(gateway: &Rc<Gateway>, asked: &Asked<'_>) -> Option<(Outgoing, Provider)> {
    let own = [(&b":method"[..], asked.method), (b":path", asked.path)];
    let map = serialized(&own.into_iter().chain(asked.headers.iter().copied()).collect::<Vec<_>>());
    let (outgoing, session) = whole(gateway, &map, asked.body).ok()?;
    Some((outgoing?, session.provider()?.clone()))
}
