//! Reads requests as the gateway does, one on each line of standard input, and writes what comes of each: the session
//! that the filter runs, without Envoy.
//!
//! A request that reaches a provider is written as it leaves, with the model that the gateway has read, as the provider
//! is to see the model. Another gateway says which model that is: it has no provider for any model, and names the model
//! in its answer.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "../fuzz/targets/whole.rs"]
mod whole;

use std::io::{BufRead, BufWriter, Write};
use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use gaud::config::File;
use gaud::gateway::Gateway;
use gaud::request::header_map::serialized;
use gaud::session::Outgoing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use whole::whole;

/// The provider `p` takes `p:MODEL`, without the namespace; `d` takes the rest.
const SERVING: &str =
    r#"{"default_provider":"d","providers":{"d":{"url":"http://d"},"p":{"url":"http://p"}}}"#;

const NAMESPACE: &str = "p:";

/// Takes no model that a document has.
const NAMING: &str = r#"{"providers":{"takes-nothing":{"url":"http://n"}}}"#;

/// What the answer has around a model that no provider takes.
const AROUND_MODEL: (&str, &str) = ("The model '", "' does not exist: ");

/// How the answer to a request without a model begins.
const NO_MODEL: &str = "The request names no 'model'";

#[derive(Deserialize)]
struct Asked {
    method: String,
    path: String,
    /// The headers `content-type`; each letter is a byte.
    types: Vec<String>,
    /// In Base64.
    body: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Refused { refused: String },
    Sent { path: String, body: String, model: Option<String> },
}

fn main() {
    let (serving, naming) = (gateway(SERVING), gateway(NAMING));
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line.expect("a line")).expect("a request");
        let body = BASE64.decode(&asked.body).expect("Base64");
        let answer = match run(&serving, &asked, &body) {
            Err(document) => Answer::Refused { refused: code(&document) },
            Ok(outgoing) => Answer::Sent {
                path: outgoing.path.unwrap_or_else(|| asked.path.clone()),
                body: BASE64
                    .encode(outgoing.edit.map_or(body.clone(), |edit| edit.apply(body.clone()))),
                model: model(&naming, &asked, &body),
            },
        };
        serde_json::to_writer(&mut out, &answer).expect("an answer");
        out.write_all(b"\n").expect("an answer");
    }
    out.flush().expect("the answers");
}

fn gateway(json: &str) -> Rc<Gateway> {
    let file = File::from_json(json.as_bytes()).expect("a configuration");
    Rc::new(Gateway::compile(&file, &|_| None).expect("a gateway"))
}

/// The whole request through a session, its body in pieces; the document of the answer, if the gateway refuses it.
fn run(gateway: &Rc<Gateway>, asked: &Asked, body: &[u8]) -> Result<Outgoing, String> {
    let mut headers = vec![
        (":method", asked.method.clone().into_bytes()),
        (":path", asked.path.clone().into_bytes()),
    ];
    let bytes = |text: &String| text.chars().map(|letter| letter as u8).collect();
    headers.extend(asked.types.iter().map(|value| ("content-type", bytes(value))));
    let map = serialized(&headers);
    let (outgoing, _) = whole(gateway, &map, body).map_err(|reply| reply.body.to_string())?;
    Ok(outgoing.expect("a request that ends is sent or refused"))
}

/// The model that the gateway reads, without its namespace; `None` where it reads none.
fn model(naming: &Rc<Gateway>, asked: &Asked, body: &[u8]) -> Option<String> {
    let document = run(naming, asked, body).expect_err("no provider takes a model");
    let document: Value = serde_json::from_str(&document).expect("a document");
    let message = document["error"]["message"].as_str().expect("a message");
    let (before, after) = AROUND_MODEL;
    let Some(rest) = message.strip_prefix(before) else {
        assert!(message.starts_with(NO_MODEL), "{message}");
        return None;
    };
    let (model, _) = rest.rsplit_once(after).expect("the end of the model");
    Some(model.strip_prefix(NAMESPACE).unwrap_or(model).to_owned())
}

fn code(document: &str) -> String {
    let document: Value = serde_json::from_str(document).expect("a document");
    let error = &document["error"];
    let code = error["code"].as_str().or(error["type"].as_str()).or(error["status"].as_str());
    code.unwrap_or_default().to_owned()
}
