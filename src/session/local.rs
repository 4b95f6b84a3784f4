//! The endpoints that the gateway answers. No answer calls a provider.

use std::rc::Rc;

use serde::Serialize;

use crate::gateway::Gateway;
use crate::health::page::Status;
use crate::host::Host;
use crate::models::{Page, Pages, discovery};
use crate::reply::{Reject, Reply};
use crate::request::endpoint::{LocalEndpoint, Shape};
use crate::request::model::ModelName;

/// Answers one of the gateway's paths. `asked` is the model that the path names, `None` when its name is not UTF-8.
pub(super) fn answer(
    endpoint: LocalEndpoint,
    gateway: &Rc<Gateway>,
    host: &dyn Host,
    asked: Option<String>,
    shape: Shape,
) -> Result<Reply, Reject> {
    Ok(match endpoint {
        LocalEndpoint::Liveness => Reply::document(200, &Status::alive()),
        LocalEndpoint::Readiness => {
            if Status::can_serve(gateway, host) {
                Reply::document(200, &Status::ready())
            } else {
                Reply::document(503, &Status::unavailable())
            }
        }
        LocalEndpoint::Health => Reply::document(200, &Status::of(gateway, host)),
        LocalEndpoint::Models => {
            Reply::of(200, Pages::of(gateway, host).document(gateway, page(shape)))
        }
        LocalEndpoint::Model => {
            let asked = asked.ok_or(Reject::NotUnicode)?;
            let asked = ModelName::try_from(asked).map_err(Reject::Model)?;
            model(&Pages::of(gateway, host), gateway, asked.as_str(), shape)?
        }
        LocalEndpoint::FrontEndModels => {
            Reply::of(200, Pages::of(gateway, host).document(gateway, Page::Chat))
        }
        LocalEndpoint::Refresh => refresh(gateway, host),
    })
}

/// A model of the gateway's list that was probably meant by `asked`.
pub(super) fn nearest(gateway: &Rc<Gateway>, host: &dyn Host, asked: &str) -> Option<String> {
    Pages::of(gateway, host).nearest(gateway, asked)
}

fn model(pages: &Pages, gateway: &Gateway, asked: &str, shape: Shape) -> Result<Reply, Reject> {
    let entry = pages.find(gateway, asked).ok_or_else(|| Reject::NotListed {
        model: asked.to_owned(),
        near: pages.nearest(gateway, asked),
    })?;
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
