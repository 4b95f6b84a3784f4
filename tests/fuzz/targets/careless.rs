//! A server that takes what it can for a model: in a path however that is cleaned, in a query, in a form or in a JSON
//! object, by a key in any case.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::multipart;

/// Paths whose body names the model, below `/v1` or without it.
const BODIES: [&str; 6] =
    ["chat/completions", "completions", "embeddings", "responses", "messages", "images/edits"];

/// What follows a model in a path.
const OPERATIONS: [&str; 3] = ["chat/completions", "embeddings", "completions"];

/// A request as a careless server gets it.
pub(crate) struct Careless<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) path: &'a str,
    pub(crate) content_type: String,
    pub(crate) body: &'a [u8],
}

/// The models that a careless server could read.
pub(crate) fn models(request: &Careless<'_>) -> Vec<String> {
    let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
    let mut models = Vec::new();
    let mut bytes = path.as_bytes().to_vec();
    for depth in 0..4 {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for cuts in [false, true] {
            let read = Read::of(&text, cuts);
            if WITH_BODY.iter().any(|method| request.method.eq_ignore_ascii_case(method))
                && read.names_model()
            {
                models.extend(request.of_body());
                models.extend(read.model().filter(|_| depth > 0));
            }
            if read.names_model() || read.is_realtime() {
                models.extend(of_pairs(query));
            }
        }
        bytes = gaud::request::escape::unescaped(&bytes);
    }
    models
}

const WITH_BODY: [&[u8]; 3] = [b"POST", b"PUT", b"PATCH"];

impl Careless<'_> {
    fn of_body(&self) -> Vec<String> {
        let kind = self.content_type.to_ascii_lowercase();
        if kind.contains("x-www-form-urlencoded") {
            return of_pairs(&String::from_utf8_lossy(self.body));
        }
        if kind.contains("multipart/form-data") {
            let at = kind.find("boundary=").map_or(kind.len(), |at| at + "boundary=".len());
            let rest = &self.content_type[at..];
            let boundary = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => rest.split([';', ',', ' ']).next(),
            };
            let delimiter = format!("\r\n--{}", boundary.unwrap_or_default());
            let values = multipart::models(self.body, delimiter.as_bytes());
            return values
                .iter()
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect();
        }
        let object = serde_json::from_slice::<Models>(self.body);
        object.map(|Models(models)| models).unwrap_or_default()
    }
}

/// The models of a query, or of a body that is one.
fn of_pairs(text: &str) -> Vec<String> {
    let decoded = |text: &str| {
        let bytes = gaud::request::escape::unescaped(text.replace('+', " "));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = text.split(['&', ';']).filter_map(|pair| pair.split_once('='));
    let named = pairs.filter(|(key, _)| {
        let key = decoded(key);
        let name = key.trim().split(['[', '.']).next().unwrap_or_default();
        ["model", "deployment"].iter().any(|known| name.eq_ignore_ascii_case(known))
    });
    named.map(|(_, value)| decoded(value)).collect()
}

/// Every string that an object has for a key that is `model` in any case.
struct Models(Vec<String>);

impl<'de> Deserialize<'de> for Models {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ModelsVisitor)
    }
}

struct ModelsVisitor;

impl<'de> Visitor<'de> for ModelsVisitor {
    type Value = Models;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Models, A::Error> {
        let mut models = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            if let (true, Value::String(model)) = (key.eq_ignore_ascii_case("model"), value) {
                models.push(model);
            }
        }
        Ok(Models(models))
    }
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

    fn is_realtime(&self) -> bool {
        let below =
            self.joined(usize::from(self.segments.first().is_some_and(|first| first == "v1")));
        let is_deployment =
            below.starts_with("openai/deployments/") && below.ends_with("/realtime");
        is_deployment
            || ["realtime", "realtime/calls"].iter().any(|path| below.eq_ignore_ascii_case(path))
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
