//! The forms in which Envoy's configuration is wanted.

use std::path::Path;

use crate::config::ConfigError;
use crate::gateway::Gateway;

use crate::native::settings::Secrets;

use super::credential::Place;
use super::error::Error;
use super::{envoy, envoy_gateway, filter, istio};

/// Who is to read the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Envoy alone: a whole configuration
    Envoy,
    /// An Envoy configuration of your own: the sections to put into it
    Filter,
    /// Istio: EnvoyFilter resources
    Istio,
    /// Envoy Gateway: its resources
    EnvoyGateway,
}

impl Form {
    /// Its template.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Envoy => envoy::TEXT,
            Self::Filter => filter::TEXT,
            Self::Istio => istio::TEXT,
            Self::EnvoyGateway => envoy_gateway::TEXT,
        }
    }

    /// Where Envoy finds the secrets of the credentials that it adds.
    pub(super) fn place_of_secrets(self) -> Place {
        match self {
            Self::Envoy => Place::Here,
            Self::Filter => Place::FilesForIssuers,
            Self::Istio | Self::EnvoyGateway => Place::Files,
        }
    }

    /// Whether all parts of the form are one YAML document. The forms for a mesh are many, each written anew by the mesh.
    pub(super) fn is_one_document(self) -> bool {
        matches!(self, Self::Envoy | Self::Filter)
    }

    /// Whether the connection manager is rendered, so that its logger can note ends. No provider has a cluster of another name
    /// there, so that the name of the cluster is the provider's.
    pub(super) fn notes_ends(self) -> bool {
        self == Self::Envoy
    }

    /// Whether who reads it lets each VM have capabilities of its own. Envoy Gateway 1.9 has Envoy's API of before, and so
    /// has Istio, which drops what it does not know.
    pub(super) fn knows_capabilities_of_vm(self) -> bool {
        !matches!(self, Self::EnvoyGateway | Self::Istio)
    }

    /// Whether the secrets are those of a machine that need not be this one.
    pub(super) fn secrets(self) -> Secrets {
        match self {
            Self::Envoy => Secrets::Here,
            Self::Filter | Self::Istio | Self::EnvoyGateway => Secrets::Elsewhere,
        }
    }

    /// The default place of the filter.
    pub(super) fn module(self) -> Option<&'static Path> {
        match self {
            Self::Envoy | Self::Filter => None,
            Self::Istio => Some(Path::new(istio::MODULE)),
            Self::EnvoyGateway => Some(Path::new(envoy_gateway::MODULE)),
        }
    }

    /// Refuses a place for the filter where Envoy could not have it.
    pub(super) fn check_module(self, module: &Path) -> Result<(), Error> {
        match self {
            Self::EnvoyGateway => envoy_gateway::check_module(module),
            Self::Envoy | Self::Filter | Self::Istio => Ok(()),
        }
    }

    /// Refuses the options of a mesh for any other form: they would have no effect.
    pub fn check_options(self, options: &istio::Options) -> Result<(), istio::OptionsError> {
        let fits = self == Self::Istio || *options == istio::Options::default();
        fits.then_some(()).ok_or(istio::OptionsError::NotIstio)
    }

    /// Refuses what it cannot carry: nothing is left out in silence.
    pub(super) fn check(self, gateway: &Gateway) -> Result<(), ConfigError> {
        match self {
            Self::Envoy => envoy::check(gateway),
            // Whoever can set any of Envoy's settings can carry all.
            Self::Filter | Self::Istio | Self::EnvoyGateway => Ok(()),
        }
    }
}
