//! Where a request goes: to its provider directly, or over the hop.

use std::borrow::Cow;
use std::rc::Rc;

use super::hop::{Crossing, ModelPlace};
use super::outgoing::{Departure, Outgoing};
use super::{Phase, RequestAction, Session, bytes, local};
use crate::body::{Edit, FoundModel, Scanner, UsageQuestion};
use crate::breaker::{Arrival, ClientNumber};
use crate::gateway::{Gateway, Provider, Turn};
use crate::health::admission::{Admission, Refused};
use crate::health::asking::Asking;
use crate::health::shared_breaker::{self, Watched};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::keys::Allowed;
use crate::reply::Reject;
use crate::request::escape::{MODEL_KEYS, query_models};
use crate::request::model::ModelName;
use crate::room::{Client, Place, Purpose};
use crate::route::{Draw, NoRoute, ProviderId, Target};

/// Where a request goes. Without a model, only the provider's breaker is asked.
#[derive(Clone, Copy)]
struct Destination<'a> {
    provider: ProviderId,
    model: Option<&'a str>,
    /// The model that the client asked for.
    asked: &'a str,
}

/// The length of a chat's body is rarely more.
const USUAL_BYTES: u64 = 1024 * 1024;

impl Session {
    /// Routes by the model that the path names, else by the body's, else to the default provider.
    pub(super) fn route(
        &mut self,
        host: &dyn Host,
        found: Option<&FoundModel>,
    ) -> Result<RequestAction, Reject> {
        let gateway = Rc::clone(&self.gateway);
        let asked = match (&self.named, found) {
            (Some(place), _) => self.path.decoded(place).ok_or(Reject::NotUnicode)?,
            (None, Some(found)) => {
                found.value.strip_prefix(self.resource).unwrap_or(&found.value).to_owned()
            }
            (None, None) => {
                self.prove(None)?;
                self.check_unnamed()?;
                self.admit(host, None)?;
                let provider = gateway.default_of(self.path.sent()).ok_or(Reject::NoModel)?;
                return self.forward(
                    host,
                    Destination { provider, model: None, asked: "" },
                    None,
                    None,
                );
            }
        };
        let namespace = gateway.namespace_of(self.path.sent(), &asked);
        let full = if namespace.is_empty() { asked } else { [namespace, &asked].concat() };
        let model = ModelName::try_from(full).map_err(Reject::Model)?;
        let sent = model.as_str().get(namespace.len()..).unwrap_or_default();
        self.prove(Some(&model))?;
        self.check_model(model.as_str())?;
        if gateway.stops_metered && self.operation().is_some() {
            return Err(Reject::JournalFull);
        }
        let draw = self.draw(host);
        let mut turns = gateway
            .targets_in_turn(&model, self.path.as_str(), &draw)
            .map_err(|none| no_route(&gateway, host, none, self.key.as_deref()))?;
        let Some(turn) = turns.next() else { return Err(Reject::NoModel) };
        let mut target = turn.target;
        let is_repeated = self.repeats_in_query(sent)?;
        let (mut others, mut all_same) = (0_usize, target.model == sent);
        // A request that is sent once goes past the deployments whose breaker is open.
        let mut is_open = turn.has_sibling && !self.may_repeat && !self.admits(host, target);
        for Turn { target: other, has_sibling } in turns {
            others = others.saturating_add(1);
            all_same &= other.model == sent;
            if is_open && self.admits(host, other) {
                (target, is_open) = (other, false);
            }
            is_open &= has_sibling;
        }
        let is_renamed = target.model != sent;
        if let (Some(nested), false) = (&mut self.nested, all_same) {
            nested.rename()?;
        }
        if is_repeated && !all_same {
            return Err(Reject::ModelsInQuery);
        }
        self.admit(host, Some(&model))?;
        if self.takes_the_hop(target, others) {
            return Ok(self.cross(host, model.as_str(), found, others.saturating_add(1)));
        }
        let to = Destination {
            provider: target.provider,
            model: Some(target.model),
            asked: model.as_str(),
        };
        let place = self.named.as_ref().filter(|_| is_renamed);
        let path = place.map(|place| self.path.renamed(place, target.model));
        let edit = found.and_then(|found| {
            let name = self.name_in_body(found, target.model);
            (found.value != *name).then(|| self.scanner()?.edit(&name))?
        });
        self.forward(host, to, path, edit)
    }

    /// Whether the query names the model that the path names: Azure's clients of realtime do.
    ///
    /// # Errors
    /// When the query names another one, or the same one twice.
    fn repeats_in_query(&self, model: &str) -> Result<bool, Reject> {
        let Some(named) = &self.named else { return Ok(false) };
        let mut is_repeated = false;
        for (place, is_plain) in query_models(self.path.as_str(), &MODEL_KEYS) {
            if place == *named {
                continue;
            }
            if is_repeated || !is_plain || self.path.decoded(&place).as_deref() != Some(model) {
                return Err(Reject::ModelsInQuery);
            }
            is_repeated = true;
        }
        Ok(is_repeated)
    }

    /// What the body is to call the model.
    fn name_in_body<'a>(&self, found: &FoundModel, model: &'a str) -> Cow<'a, str> {
        match self.resource {
            "" => model.into(),
            resource if found.value.starts_with(resource) => format!("{resource}{model}").into(),
            _ => model.into(),
        }
    }

    #[cold]
    fn admits(&self, host: &dyn Host, target: Target<'_>) -> bool {
        let provider = self.gateway.provider(target.provider);
        let asking = Asking::Directly(Arrival::Whole);
        provider.is_some_and(|provider| {
            shared_breaker::would_admit(host, provider, Some(target.model), asking)
        })
    }

    /// What decides between deployments, where the request is sent once. Where it may be sent again, each attempt is drawn after
    /// the hop.
    fn draw(&self, host: &dyn Host) -> Draw<'static> {
        let has_groups = !self.gateway.groups.is_empty();
        Draw::by(if has_groups { host.unique() } else { 0 })
    }

    /// Whether several attempts may be needed, or an attempt that is watched for its deadlines.
    fn takes_the_hop(&self, first: Target<'_>, others: usize) -> bool {
        let provider = self.gateway.provider(first.provider);
        let wants = others > 0
            || self.gateway.retries.for_all
            || provider.is_some_and(Provider::has_deadlines);
        wants && self.may_repeat
    }

    /// Sends the request over the hop, unchanged.
    fn cross(
        &mut self,
        host: &dyn Host,
        asked: &str,
        found: Option<&FoundModel>,
        targets: usize,
    ) -> RequestAction {
        let place = found
            .zip(self.scanner())
            .map(|(found, scanner)| ModelPlace::of(scanner, found, self.resource));
        let (request, client) = (self.request_name(host), host.client());
        self.show_crossing(host, &request, asked);
        let crossing = Crossing {
            request,
            caller: self.caller(),
            is_whole: self.is_whole,
            asker: ClientNumber::of(client),
            asked: asked.to_owned(),
            place,
            question: self.usage_question(),
        };
        let tries = self.gateway.retries.max.saturating_add(1);
        let attempts = u32::try_from(targets).unwrap_or(u32::MAX).saturating_mul(tries);
        let retries_max = self.may_keep(host, client).then(|| attempts.saturating_sub(1));
        self.leave();
        RequestAction::Cross {
            crossing: crossing.to_header(),
            retries_max,
            plain_length: self.content_length.filter(|_| self.is_decompressed),
        }
    }

    /// Whether there is room to keep the body for another attempt. A body of unknown length counts as [`USUAL_BYTES`], and as
    /// what has come once that is more: most bodies are shorter, and clients that do not know lengths ask at the same time.
    fn may_keep(&mut self, host: &dyn Host, client: Client) -> bool {
        let limit = self.gateway.body_limit_bytes;
        let come = self.scanner().map_or(0, Scanner::offset);
        let unknown = || if self.is_whole { come } else { come.max(USUAL_BYTES) };
        let length = self.content_length.unwrap_or_else(unknown);
        if length == 0 {
            return true;
        }
        let place = Place::new(Purpose::Kept, host.stream(), client, u64::MAX);
        match place.take_if_free(bytes(length.min(limit)), self.gateway.rooms.kept) {
            Ok(()) => self.kept = Some(place),
            Err(bound) => host.count(Metric::Bound(bound)),
        }
        self.kept.is_some()
    }

    fn forward(
        &mut self,
        host: &dyn Host,
        to: Destination<'_>,
        renamed: Option<String>,
        edit: Option<Edit>,
    ) -> Result<RequestAction, Reject> {
        let gateway = Rc::clone(&self.gateway);
        let watched = Watched::of(&gateway, to.provider);
        let (Some(provider), Some(watched)) = (gateway.provider(to.provider), watched) else {
            return Err(Reject::NoModel);
        };
        let arrival = Arrival::of(self.is_tunnel, self.is_whole);
        let admitted = Admission::ask(host, watched, to.model, Asking::Directly(arrival));
        let refused = |refused: Refused| refused.reject(&provider.name, to.model);
        self.admission = Some(admitted.map_err(refused)?);
        self.has_model = self.is_api && to.model.is_some();
        let is_asked = provider.includes_usage && to.model.is_some();
        let question = self.usage_question().filter(|_| is_asked);
        if let Some(model) = to.model {
            self.begin_meter(host, &provider.name, model, to.asked, question.is_some());
        }
        self.leave();
        Ok(RequestAction::Forward(Outgoing::of(Departure {
            provider,
            path: &self.path,
            model: to.model,
            renamed,
            edit,
            question: question.map(UsageQuestion::edit),
            content_length: self.content_length,
            is_decompressed: self.is_decompressed,
            sent: &self.credentials,
            is_api: self.is_api,
        })))
    }

    /// The request leaves.
    fn leave(&mut self) {
        self.limited.iter_mut().for_each(|limited| limited.leave());
        self.share.iter_mut().for_each(|share| share.leave());
        self.stream_options = None;
        self.phase = match std::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Held(scanner) => Phase::Scanning(scanner),
            _ => Phase::Passing,
        };
    }

    pub(super) fn scanner(&self) -> Option<&Scanner> {
        match &self.phase {
            Phase::Held(scanner) | Phase::Scanning(scanner) => Some(scanner),
            Phase::Passing | Phase::Over => None,
        }
    }
}

fn no_route(
    gateway: &Rc<Gateway>,
    host: &dyn Host,
    no_route: NoRoute<'_>,
    key: Option<&Allowed>,
) -> Reject {
    match no_route {
        NoRoute::MissingModel(namespace) => Reject::NamespaceAlone(namespace.to_owned()),
        NoRoute::NotFound(model) => Reject::ModelNotFound {
            model: model.to_owned(),
            near: local::nearest(gateway, host, model, key),
        },
    }
}
