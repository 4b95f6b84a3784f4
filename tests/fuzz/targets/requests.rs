//! Whole requests, any line, headers and body: the gateway's key goes to the provider that its model names, as a
//! careless server reads that model, and nothing of the client's account goes with it.
//!
//! An input is a request as HTTP/1 writes one: a method, a space and a path, lines of headers, an empty line, the body. The
//! provider `away` takes `away:*` and `a-*`, `home` the rest.

use std::rc::Rc;

use gaud::config::File;
use gaud::gateway::{Gateway, Provider};
use gaud::request::head::Head;
use gaud::request::header_map::serialized;
use gaud::session::{HeaderChange, Outgoing, RequestAction, Session};
use serde_json::Value;

use gaud::host::memory::Memory;

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

/// Paths whose body names the model, below `/v1` or without it.
const BODIES: [&str; 6] =
    ["chat/completions", "completions", "embeddings", "responses", "messages", "images/edits"];

/// What follows a model in a path.
const OPERATIONS: [&str; 3] = ["chat/completions", "embeddings", "completions"];

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
    let asked_models = models(asked.method, &asked_path, asked.body);
    let is_aways = |model: &String| model.starts_with("a-") || model.contains("away:");
    for model in models(asked.method, &path, &body) {
        assert!(
            !model.starts_with("away:") && !model.starts_with("home:"),
            "{model} has its namespace"
        );
        match provider.name.as_str() {
            "home" => assert!(!model.starts_with("a-"), "{model} at home: {path}"),
            _ => assert!(asked_models.iter().any(is_aways), "{model} at away: {path}"),
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
}

/// The request as it leaves, if it reaches a provider whole.
fn forwarded(gateway: &Rc<Gateway>, asked: &Asked<'_>) -> Option<(Outgoing, Provider)> {
    let own = [(&b":method"[..], asked.method), (b":path", asked.path)];
    let map = serialized(&own.into_iter().chain(asked.headers.iter().copied()).collect::<Vec<_>>());
    let host = Memory::default();
    let end = asked.body.is_empty();
    let (mut session, mut action) =
        Session::begin(Rc::clone(gateway), &host, &Head::parse(&map), end);
    let mut outgoing = None;
    let mut pieces = asked.body.chunks(asked.body.len().div_ceil(3).max(1)).peekable();
    loop {
        match action {
            RequestAction::Reply(_) => return None,
            RequestAction::Forward(forwarded) => outgoing = Some(forwarded),
            _ => {}
        }
        let Some(piece) = pieces.next() else { break };
        let read = |start: usize, size: usize| piece[start..piece.len().min(start + size)].to_vec();
        let end = pieces.peek().is_none();
        (action, _) = session.receive(&host, piece.len(), end, &read);
    }
    Some((outgoing?, session.provider()?.clone()))
}

/// The models that a careless server could read.
fn models(method: &[u8], path: &str, body: &[u8]) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    let mut models = Vec::new();
    let mut bytes = path.as_bytes().to_vec();
    for depth in 0..4 {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for cuts in [false, true] {
            let read = Read::of(&text, cuts);
            if method.eq_ignore_ascii_case(b"POST") && read.names_model() {
                let document: Option<Value> = serde_json::from_slice(body).ok();
                let name =
                    document.and_then(|document| Some(document.get("model")?.as_str()?.to_owned()));
                models.extend(name);
                models.extend(read.model().filter(|_| depth > 0));
            }
        }
        bytes = gaud::request::escape::unescaped(&bytes);
    }
    models
}

/// A path as a careless server cleans it.
struct Read {
    segments: Vec<String>,
}

impl Read {
    fn of(path: &str, cuts: bool) -> Self {
        let path = path.replace('\\', "/");
        let path = if cuts { path.split(['?', '#']).next().unwrap_or_default() } else { &path };
        let mut segments: Vec<String> = Vec::new();
        for segment in path.split('/') {
            let cut = if cuts { segment.split(';').next().unwrap_or_default() } else { segment };
            match cut.trim_matches(|letter: char| letter.is_whitespace() || letter.is_control()) {
                "" | "." => {}
                ".." => drop(segments.pop()),
                other => segments.push(other.to_owned()),
            }
        }
        if segments.len() > 1 && segments[0] == "api" && segments[1] == "litellm" {
            segments.drain(..2);
        }
        Self { segments }
    }

    fn joined(&self, from: usize) -> String {
        self.segments.get(from..).unwrap_or_default().join("/")
    }

    fn names_model(&self) -> bool {
        let first = self.segments.first().map(|first| first.to_ascii_lowercase());
        let below = if first.as_deref() == Some("v1") { self.joined(1) } else { self.joined(0) };
        BODIES.iter().any(|path| below.eq_ignore_ascii_case(path)) || self.model().is_some()
    }

    fn model(&self) -> Option<String> {
        let starts = |names: [&str; 2]| {
            let own = self.segments.iter().take(2);
            self.segments.len() > 2
                && own.zip(names).all(|(own, name)| own.eq_ignore_ascii_case(name))
        };
        let rest = self.joined(2);
        if starts(["openai", "deployments"]) || starts(["v1", "engines"]) {
            let lower = rest.to_ascii_lowercase();
            let end = OPERATIONS.iter().find_map(|end| lower.strip_suffix(&format!("/{end}")));
            return end.map(|model| rest[..model.len()].to_owned());
        }
        let (model, verb) = rest.rsplit_once(':').filter(|_| starts(["v1beta", "models"]))?;
        (verb.eq_ignore_ascii_case("generateContent") && !model.is_empty())
            .then(|| model.to_owned())
    }
}
