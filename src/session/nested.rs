//! Models that objects of a body name. The gateway changes none of them, so each must be right as it is.

use super::{Phase, RequestAction, Session, encoding, scanner};
use crate::body::NestedModels;
use crate::gateway::Turn;
use crate::host::Host;
use crate::reply::Reject;
use crate::request::endpoint::ModelBody;
use crate::request::head::Head;
use crate::request::model::ModelName;
use crate::route::Draw;

/// How Gemini's clients begin a model's name in a body.
const RESOURCE: &str = "models/";

/// A body that nothing but its objects could route.
const OBJECTS: ModelBody =
    ModelBody { is_form: false, is_optional: true, repeats: false, resource: "", is_nested: false };

/// Looks for models while the body passes.
#[derive(Debug)]
pub(super) struct Nested {
    models: NestedModels,
    /// The path names the model: objects may do so again.
    repeat_path: bool,
    /// The first model that was found.
    found: Option<String>,
    /// The provider gets the model by another name than the client's.
    is_renamed: bool,
}

impl Nested {
    /// For a body whose objects may name the model of the path again.
    pub(super) fn of_path() -> Self {
        Self { models: NestedModels::default(), repeat_path: true, found: None, is_renamed: false }
    }

    /// The provider gets the model by another name than the client's.
    ///
    /// # Errors
    /// When an object has named it already.
    pub(super) fn rename(&mut self) -> Result<(), Reject> {
        self.is_renamed = true;
        self.found.take().map_or(Ok(()), |model| Err(Reject::NestedModel(model)))
    }
}

impl Session {
    /// Routes a request whose body names models in its objects: to the default provider, if it knows them all by these
    /// names.
    pub(super) fn route_nested(
        &mut self,
        host: &dyn Host,
        head: &Head<'_>,
        end: bool,
    ) -> Result<RequestAction, Reject> {
        self.encoding = encoding(head)?;
        self.is_optional = true;
        let scanner = scanner(head.content_type, OBJECTS)?;
        if !end {
            self.phase = Phase::Held(scanner);
            self.nested = Some(Nested { repeat_path: false, ..Nested::of_path() });
        }
        match self.encoding {
            Some(_) if !end => Ok(RequestAction::Hold),
            _ => self.route(host, None),
        }
    }

    /// Whether a `model` of the body itself routes the request.
    pub(super) fn reads_model(&self) -> bool {
        self.nested.as_ref().is_none_or(|nested| nested.repeat_path)
    }

    /// Looks for models in the body's objects.
    pub(super) fn feed_nested(&mut self, bytes: &[u8]) -> Result<(), Reject> {
        let Some(nested) = &mut self.nested else { return Ok(()) };
        for model in nested.models.feed(bytes) {
            self.check_nested(model)?;
        }
        Ok(())
    }

    fn check_nested(&mut self, model: String) -> Result<(), Reject> {
        let named = self.named.as_ref().and_then(|place| self.path.decoded(place));
        let Some(nested) = &mut self.nested else { return Ok(()) };
        let is_right = match (model.strip_prefix(RESOURCE), nested.repeat_path) {
            // The arguments of a tool may have a `model` of any kind.
            (None, true) => return Ok(()),
            (Some(name), true) => named.as_deref() == Some(name) && !nested.is_renamed,
            (name, false) => {
                self.gateway.keeps_at_default(name.unwrap_or(&model), self.path.as_str())
            }
        };
        if !is_right {
            return Err(Reject::NestedModel(model));
        }
        nested.found.get_or_insert(model);
        Ok(())
    }
}

impl crate::gateway::Gateway {
    /// Whether the default provider gets this model, by the same name.
    fn keeps_at_default(&self, model: &str, path: &str) -> bool {
        let Ok(model) = ModelName::try_from(model.to_owned()) else { return false };
        let draw = Draw::by(0);
        let Ok(mut turns) = self.targets_in_turn(&model, path, &draw) else { return false };
        let Some(Turn { target, .. }) = turns.next() else { return false };
        Some(target.provider) == self.default_provider && target.model == model.as_str()
    }
}
