//! The endpoints that the gateway answers. No answer calls a provider.

use std::rc::Rc;

use serde::Serialize;

use crate::gateway::Gateway;
use crate::health::page::Status;
use crate::host::Host;
use crate::keys::{self, Allowed};
use crate::models::{Page, Pages, discovery};
use crate::reply::{Reject, Reply};
use crate::request::endpoint::{LocalEndpoint, Shape};
use crate::request::model::ModelName;

/// Answers one of the gateway's paths. `asked` is the model that the path names, `None` when its name is not UTF-8. A `key`
/// is shown the models that it may call.
pub(super) fn answer(
    endpoint: LocalEndpoint,
    gateway: &Rc<Gateway>,
    host: &dyn Host,
    asked: Option<String>,
    shape: Shape,
    key: Option<&Allowed>,
) -> Result<Reply, Reject> {
    let key = key.filter(|key| !key.models.are_all());
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
        LocalEndpoint::Models => Reply::of(200, document(gateway, host, page(shape), key)),
        LocalEndpoint::Model => {
            let asked = asked.ok_or(Reject::NotUnicode)?;
            let asked = ModelName::try_from(asked).map_err(Reject::Model)?;
            if key.is_some_and(|key| !key.models.allow(gateway, asked.as_str())) {
                return Err(Reject::ModelNotAllowed(Some(asked.as_str().to_owned())));
            }
            let near = || nearest(gateway, host, asked.as_str(), key);
            model(&Pages::of(gateway, host), gateway, asked.as_str(), shape, near)?
        }
        LocalEndpoint::FrontEndModels => Reply::of(200, document(gateway, host, Page::Chat, key)),
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
    let near = Pages::of(gateway, host).nearest(gateway, asked)?;
    key.is_none_or(|key| key.models.allow(gateway, &near)).then_some(near)
}

fn document(gateway: &Rc<Gateway>, host: &dyn Host, page: Page, key: Option<&Allowed>) -> Rc<str> {
    let pages = Pages::of(gateway, host);
    match key {
        None => pages.document(gateway, page),
        Some(key) => pages.document_of(gateway, page, &|name| key.models.allow(gateway, name)),
    }
}

fn model(
    pages: &Pages,
    gateway: &Gateway,
    asked: &str,
    shape: Shape,
    near: impl FnOnce() -> Option<String>,
) -> Result<Reply, Reject> {
    let entry = pages
        .find(gateway, asked)
        .ok_or_else(|| Reject::NotListed { model: asked.to_owned(), near: near() })?;
    Ok(Reply::of(200, entry.document(page(shape)).into()))
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
