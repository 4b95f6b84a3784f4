//! What the gateway answers itself. None of it calls a provider.

use std::ops::Range;

use serde::Serialize;

use crate::catalog::{Catalog, Listed};
use crate::client_path::ClientPath;
use crate::config::Gateway;
use crate::discovery;
use crate::endpoint::{Own, Shape};
use crate::host::Host;
use crate::model::ModelName;
use crate::reply::{Reject, Reply};
use crate::status::Status;

/// Answers one of the gateway's own paths; a model's name in the path stands at `place`.
pub(super) fn answer<H: Host + ?Sized>(
    own: Own,
    gateway: &Gateway,
    host: &H,
    (path, place): (&ClientPath, &Range<usize>),
    shape: Shape,
) -> Result<Reply, Reject> {
    Ok(match own {
        Own::Liveness => Reply::document(200, &Status::alive()),
        Own::Readiness => match Status::can_serve(gateway, host) {
            true => Reply::document(200, &Status::ready()),
            false => Reply::document(503, &Status::unavailable()),
        },
        Own::Health => Reply::document(200, &Status::of(gateway, host)),
        Own::Models => models(&Catalog::of(gateway, &discovered(gateway, host)), shape),
        Own::Model => {
            let asked = path.decoded(place).ok_or(Reject::NotUnicode)?;
            let asked = ModelName::try_from(asked).map_err(Reject::Model)?;
            let discovered = discovered(gateway, host);
            model(&Catalog::of(gateway, &discovered), asked.as_str(), shape)?
        }
        Own::FrontEndModels => {
            Reply::document(200, &Catalog::of(gateway, &discovered(gateway, host)).chat())
        }
        Own::Refresh => refresh(gateway, host),
    })
}

fn discovered<H: Host + ?Sized>(gateway: &Gateway, host: &H) -> Vec<Vec<Listed>> {
    gateway.providers().iter().map(|provider| discovery::listed(host, provider)).collect()
}

fn models(catalog: &Catalog<'_>, shape: Shape) -> Reply {
    match shape {
        Shape::Anthropic => Reply::document(200, &catalog.anthropic()),
        Shape::OpenAi | Shape::Gemini => Reply::document(200, &catalog.openai()),
    }
}

fn model(catalog: &Catalog<'_>, asked: &str, shape: Shape) -> Result<Reply, Reject> {
    let entry = catalog.find(asked).ok_or_else(|| Reject::NotListed(asked.to_owned()))?;
    Ok(match shape {
        Shape::Anthropic => Reply::document(200, &entry.anthropic()),
        Shape::OpenAi | Shape::Gemini => Reply::document(200, &entry.openai()),
    })
}

/// What `POST /api/models` answers.
#[derive(Serialize)]
struct Refreshed {
    success: bool,
    message: &'static str,
    count: usize,
}

/// Makes every provider due: a worker asks it within a second or so.
fn refresh<H: Host + ?Sized>(gateway: &Gateway, host: &H) -> Reply {
    for discovery in gateway.providers().iter().filter_map(|own| own.discovery.as_ref()) {
        discovery::refresh(host, discovery);
    }
    let count = Catalog::of(gateway, &discovered(gateway, host)).entries().len();
    let message = "The providers are being asked for their models; count is what is known now.";
    Reply::document(200, &Refreshed { success: true, message, count })
}
