//! The endpoints that the gateway answers. No answer calls a provider.

use std::borrow::Cow;
use std::rc::Rc;

use serde::Serialize;

use crate::gateway::Gateway;
use crate::health::page::Status;
use crate::host::Host;
use crate::keys::{self, Allowed};
use crate::models::{Names, Page, Pages, discovery};
use crate::reply::{Reject, Reply};
use crate::request::endpoint::{LocalEndpoint, Shape};
use crate::request::model::ModelName;

/// What a client asks of the gateway itself.
pub(super) struct Question<'a> {
    pub(super) endpoint: LocalEndpoint,
    /// The model that the path names, `None` when its name is not UTF-8.
    pub(super) asked: Option<String>,
    pub(super) shape: Shape,
    /// The client is shown the models that this key may call.
    pub(super) key: Option<&'a Allowed>,
    /// The path as the client has sent the path.
    pub(super) sent: &'a str,
}

/// Answers one of the gateway's paths.
pub(super) fn answer(
    question: Question<'_>,
    gateway: &Rc<Gateway>,
    host: &dyn Host,
) -> Result<Reply, Reject> {
    let Question { endpoint, asked, shape, key, sent } = question;
    let key = key.filter(|key| !key.models.are_all());
    let viewer = Viewer { gateway, host, key, sent };
    Ok(match endpoint {
        LocalEndpoint::Liveness => Reply::document(200, &Status::alive()),
        LocalEndpoint::Readiness => {
            if gateway.keys.is_some() && keys::check::is_waiting(host) {
                Reply::document(503, &Status::without_keys())
            } else if Status::can_serve(gateway, host) {
                Reply::document(200, &Status::ready())
            } else {
                Reply::document(503, &Status::unavailable())
            }
        }
        LocalEndpoint::Health => Reply::document(200, &Status::of(gateway, host)),
        LocalEndpoint::Models => Reply::of(200, viewer.document(page(shape))),
        LocalEndpoint::Model => {
            let asked = asked.ok_or(Reject::NotUnicode)?;
            viewer.model(&ModelName::try_from(asked).map_err(Reject::Model)?, page(shape))?
        }
        LocalEndpoint::FrontEndModels => Reply::of(200, viewer.document(Page::Chat)),
        LocalEndpoint::Refresh => refresh(gateway, host),
    })
}

/// A model of the gateway's list that was probably meant by `asked`, and that the key may call.
pub(super) fn nearest(
    gateway: &Rc<Gateway>,
    host: &dyn Host,
    asked: &str,
    key: Option<&Allowed>,
) -> Option<String> {
    let pages = Pages::of(gateway, host);
    // A model that is listed needs a namespace here, and nothing else.
    let listed = pages.find(gateway, asked).map(|entry| entry.name.into_owned());
    let near = listed.or_else(|| pages.nearest(gateway, asked))?;
    key.is_none_or(|key| key.models.allow(gateway, &near)).then_some(near)
}

/// Who looks at the models.
struct Viewer<'a> {
    gateway: &'a Rc<Gateway>,
    host: &'a dyn Host,
    /// A key that may call some models alone.
    key: Option<&'a Allowed>,
    sent: &'a str,
}

impl Viewer<'_> {
    fn document(&self, page: Page) -> Rc<str> {
        let pages = Pages::of(self.gateway, self.host);
        let litellm = self.gateway.litellm_of(self.sent);
        let names = litellm.map_or(Names::Configured, Names::OfLitellm);
        match self.key {
            None => pages.document(self.gateway, page, names),
            Some(_) => pages.document_of(self.gateway, page, names, &|name| self.may_call(name)),
        }
    }

    fn model(&self, asked: &ModelName, page: Page) -> Result<Reply, Reject> {
        let (gateway, asked) = (self.gateway, asked.as_str());
        let pages = Pages::of(gateway, self.host);
        let full = self.full(asked);
        let found = pages.find(gateway, &full);
        let name = found.as_ref().map_or(asked, |entry| entry.name.as_ref());
        if !self.may_call(asked) && !self.may_call(name) {
            return Err(Reject::ModelNotAllowed(Some(asked.to_owned())));
        }
        let Some(mut entry) = found else {
            let near = nearest(gateway, self.host, asked, self.key);
            return Err(Reject::NotListed { model: asked.to_owned(), near });
        };
        if gateway.litellm_of(self.sent).is_some() {
            entry.name = asked.into();
        }
        Ok(Reply::of(200, entry.document(page).into()))
    }

    fn may_call(&self, name: &str) -> bool {
        self.key.is_none_or(|key| key.models.allow(self.gateway, &self.full(name)))
    }

    /// The name by which a request for this model is routed.
    fn full<'n>(&self, name: &'n str) -> Cow<'n, str> {
        let namespace = self.gateway.namespace_of(self.sent, name);
        if namespace.is_empty() { name.into() } else { [namespace, name].concat().into() }
    }
}

fn page(shape: Shape) -> Page {
    match shape {
        Shape::Anthropic => Page::Anthropic,
        Shape::OpenAi | Shape::Gemini => Page::OpenAi,
    }
}

/// What `POST /api/models` answers.
#[derive(Serialize)]
struct Refreshed {
    success: bool,
    message: &'static str,
    count: usize,
}

/// Makes every provider due: within about a second a worker asks each provider.
fn refresh(gateway: &Rc<Gateway>, host: &dyn Host) -> Reply {
    for discovery in gateway.providers().iter().filter_map(|provider| provider.discovery.as_ref()) {
        discovery::refresh(host, discovery);
    }
    let count = Pages::of(gateway, host).count();
    let message = "The providers are being asked for their models; count is what is known now.";
    Reply::document(200, &Refreshed { success: true, message, count })
}
