//! A browser: it keeps its cookie, and sends the forms of the pages that it has got.

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Run;
use std::cell::RefCell;
use std::fmt::Write;

/// A browser that has no scripts.
pub(super) struct Browser<'a> {
    run: &'a Run,
    cookie: RefCell<String>,
}

impl<'a> Browser<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        Self { run, cookie: RefCell::default() }
    }

    /// A browser whose user is logged in.
    pub(super) fn logged_in(run: &'a Run) -> Self {
        let browser = Self::new(run);
        let answer = browser.log_in(&run.admin_key());
        assert_eq!(answer.status, 303, "{}\n{}", answer.text(), run.log());
        browser
    }

    pub(super) fn log_in(&self, key: &str) -> Response {
        self.post_from("/ui/login", "/ui/login", &[("key", key)])
    }

    /// What the browser sends as its cookie.
    pub(super) fn cookie(&self) -> String {
        self.cookie.borrow().clone()
    }

    pub(super) fn set_cookie(&self, cookie: &str) {
        cookie.clone_into(&mut self.cookie.borrow_mut());
    }

    pub(super) fn send(&self, request: Request) -> Response {
        let cookie = self.cookie();
        let request = if cookie.is_empty() { request } else { request.header("cookie", &cookie) };
        let answer = h1::exchange(self.run.addr(), &request);
        if let Some(set) = answer.header("set-cookie") {
            self.set_cookie(set.split(';').next().unwrap_or_default());
        }
        answer
    }

    pub(super) fn get(&self, path: &str) -> Response {
        self.send(Request::new("GET", path).header("accept", "text/html"))
    }

    /// The text of a page.
    pub(super) fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}\n{}", answer.text(), self.run.log());
        answer.text()
    }

    /// Sends a form with the token of a page.
    pub(super) fn post_from(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let token = hidden(&self.page(page), "token");
        self.post(path, &[&[("token", token.as_str())], fields].concat())
    }

    /// Sends a form as it is.
    pub(super) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = Request::post(path, form(fields));
        let mut request = request.header("content-type", "application/x-www-form-urlencoded");
        request
            .headers
            .0
            .retain(|(name, value)| name != "content-type" || value != b"application/json");
        self.send(request)
    }

    /// Saves settings from the page as it is now.
    pub(super) fn save(&self, section: &str, settings: &[(&str, &str)]) -> Response {
        let etag = hidden(&self.page("/ui/settings"), "etag");
        self.save_from(&etag, section, settings)
    }

    /// Saves settings from a page that had this tag.
    pub(super) fn save_from(
        &self,
        etag: &str,
        section: &str,
        settings: &[(&str, &str)],
    ) -> Response {
        let names: Vec<_> = settings.iter().map(|(key, _)| format!("set {key}")).collect();
        let pairs = names.iter().zip(settings).map(|(name, (_, text))| (name.as_str(), *text));
        let fields: Vec<_> =
            [("etag", etag), ("section", section)].into_iter().chain(pairs).collect();
        self.post_from("/ui/settings", "/ui/settings", &fields)
    }
}

/// The value of a hidden field of a page.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no {name} in {page}"));
    let (value, _) = rest.split_once('"').expect("an end");
    value.replace("&quot;", "\"")
}

/// The part of a page that is about a setting.
pub(super) fn field<'a>(page: &'a str, key: &str) -> &'a str {
    let start = format!("<label for=\"s-{key}\"");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no {key} in {page}"));
    rest.split_once("</div>").expect("an end").0
}

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |mut all, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => all.push(char::from(byte)),
                _ => write!(all, "%{byte:02X}").expect("a text"),
            }
            all
        })
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}
