//! How a request that may take several attempts reaches the hop: Envoy's router sends the request to the
//! hop again and again, and each time the filter after the hop makes one attempt.
//!
//! ```text
//! client ──> session ──> Envoy's router, which retries ──> hop ──> attempt ──> provider
//! ```
//!
//! Head and body reach the hop as the client sent them. The header [`crate::names::headers::CROSSING`] has the rest.

use crate::body::{Edit, FoundModel, Scanner, UsageQuestion};
use crate::breaker::ClientNumber;
use crate::keys::Charges;
use crate::limits::Period;
use crate::request::escape::{escaped, unescaped};

const WHOLE: &str = "whole,";
const UNFINISHED: &str = "unfinished,";
const QUESTION: &str = "usage,";

/// What an attempt must know of its request, in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// A name that is unique among the requests of this worker.
    pub request: String,
    /// Whose key the request has; `None` without a key of Gaud's.
    pub caller: Option<Caller>,
    /// Head and body had come when the request left for the hop.
    pub is_whole: bool,
    /// Who sends the request: over the hop Envoy knows no client's address.
    pub asker: ClientNumber,
    /// The model that the client asks for.
    pub asked: String,
    /// Where the body names the model.
    pub place: Option<ModelPlace>,
    /// How to ask for the usage of a stream, where the client does not.
    pub question: Option<UsageQuestion>,
}

/// Who pays for a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The key's public id.
    pub key: String,
    /// The user's id; empty without a user.
    pub user: String,
    /// Which windows of their budgets the attempts count in.
    pub charges: Charges,
}

/// Where a body names its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelPlace {
    start: u64,
    end: u64,
    kind: Naming,
}

/// How a body names its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Form,
    Json,
    /// In JSON, as a resource of Gemini's: `models/NAME`.
    Resource,
}

impl Naming {
    fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "json",
            Self::Resource => "resource",
        }
    }

    fn from_str(text: &str) -> Option<Self> {
        [Self::Form, Self::Json, Self::Resource].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl ModelPlace {
    /// The place that a scanner has found. The name there may begin with `resource`.
    pub fn of(scanner: &Scanner, found: &FoundModel, resource: &str) -> Self {
        let is_resource = !resource.is_empty() && found.value.starts_with(resource);
        let kind = match scanner {
            Scanner::Json(_) if is_resource => Naming::Resource,
            Scanner::Json(_) => Naming::Json,
            _ => Naming::Form,
        };
        Self { start: found.start, end: found.end, kind }
    }

    /// The edit that replaces the model, which begins with `resource` where the client's does.
    pub fn edit(self, resource: &str, model: &str) -> Edit {
        let found = FoundModel { value: String::new(), start: self.start, end: self.end };
        match self.kind {
            Naming::Form => Edit::form_model(&found, model),
            Naming::Json => Edit::json_model(&found, model),
            Naming::Resource => Edit::json_model(&found, &[resource, model].concat()),
        }
    }
}

impl Crossing {
    /// The header's value: visible ASCII, whatever the model.
    pub fn to_header(&self) -> String {
        let (mut request, asked) = (self.request.clone(), escaped(&self.asked, false));
        if let Some(Caller { key, user, charges }) = &self.caller {
            request = [&request, ",", &escaped(key, false), ",", &escaped(user, false)].concat();
            if *charges != Charges::default() {
                for (period, units) in charges.periods.into_iter().zip(charges.units) {
                    request.push(',');
                    request.push_str(&period.map(Period::to_text).unwrap_or_default());
                    if units > 0 {
                        request.push_str(&["/", &units.to_string()].concat());
                    }
                }
                request = [&request, ",", &escaped(&charges.model, false)].concat();
            }
        }
        let arrival = if self.is_whole { WHOLE } else { UNFINISHED };
        let asker = self.asker.number();
        let mut header = match self.place {
            Some(ModelPlace { start, end, kind }) => {
                let kind = kind.as_str();
                format!("{request};{arrival}{asker};{asked};{kind};{start};{end}")
            }
            None => format!("{request};{arrival}{asker};{asked}"),
        };
        if let Some(question) = self.question {
            let [text, start, end] = question.numbers();
            header.push_str(&format!(";{QUESTION}{text},{start},{end}"));
        }
        header
    }

    pub fn from_header(header: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(header).ok()?.split(';');
        let (request, arrival, asked) = (parts.next()?, parts.next()?, parts.next()?);
        let (is_whole, asker) = match arrival.strip_prefix(WHOLE) {
            Some(asker) => (true, asker),
            None => (false, arrival.strip_prefix(UNFINISHED)?),
        };
        let asker = ClientNumber::numbered(asker.parse().ok()?);
        let text = |part: &str| String::from_utf8(unescaped(part)).ok();
        let mut names = request.split(',');
        let request = names.next()?.to_owned();
        let caller = match (names.next(), names.next()) {
            (Some(key), Some(user)) => {
                let mut charges = Charges::default();
                for (period, units) in charges.periods.iter_mut().zip(&mut charges.units) {
                    let part = names.next().unwrap_or_default();
                    let (text, taken) = part.split_once('/').unwrap_or((part, ""));
                    (*period, *units) =
                        (Period::from_text(text), taken.parse().unwrap_or_default());
                }
                charges.model = text(names.next().unwrap_or_default())?;
                Some(Caller { key: text(key)?, user: text(user)?, charges })
            }
            _ => None,
        };
        let (mut place, mut last) = (None, parts.next());
        if let Some(kind) = last.filter(|part| !part.starts_with(QUESTION)) {
            place = Some(ModelPlace {
                kind: Naming::from_str(kind)?,
                start: parts.next()?.parse().ok()?,
                end: parts.next()?.parse().ok()?,
            });
            last = parts.next();
        }
        let question = match last {
            Some(part) => Some(question(part)?),
            None => None,
        };
        Some(Self { request, caller, is_whole, asker, asked: text(asked)?, place, question })
    }
}

fn question(part: &str) -> Option<UsageQuestion> {
    let mut numbers = part.strip_prefix(QUESTION)?.split(',').map(|number| number.parse().ok());
    UsageQuestion::of_numbers([numbers.next()??, numbers.next()??, numbers.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Window;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_header_has_all_that_an_attempt_needs() {
        let json = Some(ModelPlace { start: 10, end: 12, kind: Naming::Json });
        let form = Some(ModelPlace { start: 0, end: u64::MAX, kind: Naming::Form });
        let resource = Some(ModelPlace { start: 10, end: 12, kind: Naming::Resource });
        let caller = |user: &str| {
            let charges = Charges::default();
            Some(Caller { key: "k1".to_owned(), user: user.to_owned(), charges })
        };
        let period = Window::Month.at(1_795_968_000);
        let model = "gpt-*;x".to_owned();
        let periods = [None, Some(period), Some(period)];
        let charges = Charges { periods, model, ..Charges::default() };
        let charged = caller("ann").map(|caller| Caller { charges, ..caller });
        let units = Charges { units: [0, 7, 9_001], ..Charges::default() };
        let shared = caller("ann").map(|caller| Caller { charges: units, ..caller });
        for (asked, is_whole, place, caller, expected) in [
            ("gpt-4o", true, json, None, "17-1;whole,9;gpt-4o;json;10;12"),
            (
                "a;b/ä",
                false,
                form,
                None,
                "17-1;unfinished,9;a%3Bb%2F%C3%A4;form;0;18446744073709551615",
            ),
            ("p:x", false, None, None, "17-1;unfinished,9;p:x"),
            ("g:x", true, resource, None, "17-1;whole,9;g:x;resource;10;12"),
            ("x", true, None, caller(""), "17-1,k1,;whole,9;x"),
            ("x", true, None, caller("a,b;c"), "17-1,k1,a%2Cb%3Bc;whole,9;x"),
            (
                "x",
                true,
                None,
                charged,
                "17-1,k1,ann,,month1793491200,month1793491200,gpt-%2A%3Bx;whole,9;x",
            ),
            ("x", true, None, shared, "17-1,k1,ann,,/7,/9001,;whole,9;x"),
        ] {
            let (request, asked) = ("17-1".to_owned(), asked.to_owned());
            let (asker, question) = (ClientNumber::numbered(9), None);
            let mut crossing =
                Crossing { request, caller, is_whole, asker, asked, place, question };
            assert_eq!(crossing.to_header(), expected);
            assert_eq!(Crossing::from_header(expected.as_bytes()), Some(crossing.clone()));
            crossing.question = UsageQuestion::of_numbers([4, 17, 22]);
            let asking = format!("{expected};usage,4,17,22");
            assert_eq!(crossing.to_header(), asking);
            assert_eq!(Crossing::from_header(asking.as_bytes()), Some(crossing));
        }
        for bad in [
            &b""[..],
            b"1",
            b"1;whole",
            b"1;whole,0",
            b"1;whole;a",
            b"1;whole,x;a",
            b"1;u,0;a",
            b"1;whole,0;a;json;1",
            b"1;whole,0;%ff",
            b"1;whole,0;a;json;x;1",
            b"1;whole,0;a;text;1;2",
            b"\xff;whole,0;a",
            b"1;whole,0;a;usage,9,1,1",
            b"1;whole,0;a;usage,1,1",
            b"1;whole,0;a;json;1;2;other",
        ] {
            assert_eq!(Crossing::from_header(bad), None);
        }
    }
}
