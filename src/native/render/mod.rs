//! The Envoy configuration, as a person would keep it, in the form that they need.
//!
//! ```text
//! gaud.toml ──> load ──> Context ──┬──> FORM.yaml
//!                  parts/*.yaml ───┘
//! ```

mod cluster;
mod context;
mod credential;
mod edge;
mod envoy;
mod envoy_gateway;
mod error;
mod filter;
mod form;
pub mod istio;
pub mod live;
mod local_reply;
mod module_file;
mod names;
mod quote;
mod shared_limits;
pub mod telemetry;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use super::envoy::EnvoyVersion;
use super::settings::{self, Env, Loaded, Token, TokenSource};
use crate::config::{ConfigError, Secret};
use crate::gateway::Keys;
pub(in crate::native) use cluster::system_ca_file;
use context::Context;
use credential::Injections;
pub use edge::Sockets;
pub use error::Error;
pub use form::Form;
pub use module_file::Module;
pub use shared_limits::service_yaml;

/// The fingerprints that a running gateway with this configuration may have, in hexadecimal digits: `gaud run` adds what
/// pages in a browser may not do and, with a control server, client keys; an Envoy of the user's has the file as it is.
pub fn fingerprints(loaded: &Loaded) -> [String; 4] {
    let forms =
        [(Form::Envoy, true), (Form::Envoy, false), (Form::Filter, false), (Form::Filter, true)];
    forms.map(|(form, has_control)| {
        let json = context::filter_json(loaded, form, has_control);
        format!("{:016x}", crate::gateway::fingerprint(json.as_bytes()))
    })
}

/// The access tokens that `gaud run` has got, by providers.
pub type AccessTokens = BTreeMap<String, Secret>;

/// The files with the secrets of the credentials that Envoy adds.
pub fn secret_files(loaded: &Loaded, access: &AccessTokens, env: Env<'_>) -> live::SecretFiles {
    live::SecretFiles(context::tokens(loaded, access, env))
}

/// The way to the control server.
#[derive(Debug, Clone)]
pub struct ControlLink {
    pub sockets: Sockets,
    /// What opens its feed of keys.
    pub token: Secret,
}

/// What is rendered, read and checked.
pub struct Source {
    form: Form,
    pub loaded: Loaded,
    pub module: Module,
}

impl Source {
    /// Reads what `gaud run` or `gaud check` serves with.
    ///
    /// # Errors
    /// The configuration is refused, or the filter is not there.
    pub fn read(
        form: Form,
        config: Option<&Path>,
        wasm: Option<&Path>,
        env: Env<'_>,
    ) -> Result<Self, Error> {
        Self::with_module(form, load(form, config, wasm, env)?, wasm, env)
    }

    /// Reads what is rendered for an Envoy elsewhere. The configuration is refused before the filter is looked for, so that a
    /// user without a filter learns what is wrong with the configuration.
    ///
    /// # Errors
    /// The configuration is refused, needs what that Envoy has not, or the filter is not there.
    pub fn read_for_elsewhere(
        form: Form,
        config: Option<&Path>,
        wasm: Option<&Path>,
        env: Env<'_>,
    ) -> Result<Self, Error> {
        let loaded = load(form, config, wasm, env)?;
        refuse_keys_without_server(&loaded)?;
        refuse_refreshes(&loaded)?;
        if form == Form::Envoy {
            refuse_issuers(&loaded)?;
        }
        Self::with_module(form, loaded, wasm, env)
    }

    fn with_module(
        form: Form,
        loaded: Loaded,
        wasm: Option<&Path>,
        env: Env<'_>,
    ) -> Result<Self, Error> {
        let module = Module::find(wasm, form, env)?;
        if let Module::File(path) = &module {
            form.check_module(path)?;
        }
        Ok(Self { form, loaded, module })
    }

    /// Refuses client keys for a gateway without a control server.
    ///
    /// # Errors
    /// The configuration wants keys.
    pub fn refuse_keys(&self) -> Result<(), Error> {
        refuse_keys(&self.loaded)
    }

    /// The configuration for an Envoy of this version that has the filter in the file `wasm`, with its admin interface on
    /// a socket where one is named.
    pub fn yaml(
        &self,
        version: EnvoyVersion,
        wasm: &Path,
        admin_socket: Option<&Path>,
        env: Env<'_>,
    ) -> Result<String, Error> {
        let injections = Injections::of(&self.loaded, self.form.place_of_secrets(), None);
        let context = Context::of(self.form, &self.loaded, version, wasm, env, &injections);
        template::render(self.form, &context.with_admin_socket(admin_socket))
            .map_err(Error::Template)
    }

    /// What an Envoy of this version gets that watches the folders in `folder`, without [`secret_files`].
    pub fn live(
        &self,
        version: EnvoyVersion,
        wasm: &Path,
        folder: &Path,
        admin_socket: &Path,
        control: Option<&ControlLink>,
        env: Env<'_>,
    ) -> Result<live::Documents, Error> {
        let secrets = context::secrets(&self.loaded, control, env);
        let pair = self.loaded.tls.as_ref().and_then(|tls| tls.pair.as_ref());
        let watched = live::watched::Live::of(folder, &secrets, pair);
        let place = live::secrets_folder(folder);
        let injections = Injections::of(&self.loaded, self.form.place_of_secrets(), Some(&place));
        let context = Context::of(self.form, &self.loaded, version, wasm, env, &injections)
            .with_admin_socket(Some(admin_socket))
            .live(watched, control, &self.loaded);
        let macros = template::Macros::of(live::TEXT, &context).map_err(Error::Template)?;
        live::Documents::render(&macros, &context).map_err(Error::Template)
    }

    /// The resources for a mesh, for an Envoy of this version.
    pub fn mesh_yaml(
        &self,
        options: &istio::Options,
        remote: Option<istio::Remote>,
        version: EnvoyVersion,
        env: Env<'_>,
    ) -> Result<String, Error> {
        let providers = self.loaded.gateway.providers();
        let target = istio::MeshTarget::of(options, providers).map_err(Error::Options)?;
        let wasm = self.module.lasting_file()?;
        let injections = Injections::of(&self.loaded, self.form.place_of_secrets(), None);
        let context = Context::of(self.form, &self.loaded, version, &wasm, env, &injections);
        template::render(self.form, &context.in_mesh(target, remote)).map_err(Error::Template)
    }
}

fn load(
    form: Form,
    config: Option<&Path>,
    wasm: Option<&Path>,
    env: Env<'_>,
) -> Result<Loaded, Error> {
    if form != Form::Istio && wasm.is_some_and(istio::is_url) {
        return Err(Error::Options(istio::OptionsError::UrlNotIstio));
    }
    let loaded = settings::load_with(config, env, form.secrets()).map_err(Error::Config)?;
    match form.check(&loaded.gateway) {
        Ok(()) => Ok(loaded),
        Err(error) => Err(Error::Config(loaded.refused(error))),
    }
}

fn refuse_keys(loaded: &Loaded) -> Result<(), Error> {
    match loaded.gateway.keys {
        Some(_) => Err(Error::Config(loaded.refused(Keys::without_feed()))),
        None => refuse_shared_limits(loaded),
    }
}

/// Refuses client keys for an Envoy elsewhere that has no way to a control server.
fn refuse_keys_without_server(loaded: &Loaded) -> Result<(), Error> {
    match loaded.control.server {
        Some(_) => Ok(()),
        None => refuse_keys(loaded),
    }
}

/// What belongs to a gateway that checks client keys.
fn refuse_shared_limits(loaded: &Loaded) -> Result<(), Error> {
    match loaded.shared_limits {
        Some(_) => {
            let problem = "counts what keys and users ask for, and this Envoy knows none; name the control server in \
                           control.server, or start `gaud run` with one";
            Err(Error::Config(loaded.refused(ConfigError::new("limits.store", problem))))
        }
        None => Ok(()),
    }
}

/// Refuses refresh tokens where no `gaud run` uses them.
fn refuse_refreshes(loaded: &Loaded) -> Result<(), Error> {
    match loaded.refreshes().next() {
        None => Ok(()),
        Some((provider, _)) => {
            let problem = "needs `gaud run`, which gets the access tokens; give another Envoy a token_file that something else rotates";
            let path = format!("providers.{provider}.auth.refresh_token");
            Err(Error::Config(loaded.refused(ConfigError::new(path, problem))))
        }
    }
}

/// Refuses issuers for an Envoy whose clusters are in its bootstrap: Envoy 1.40 ends at its start there.
fn refuse_issuers(loaded: &Loaded) -> Result<(), Error> {
    let is_issuer = |token: &&Token| matches!(token.source, TokenSource::Issuer(_));
    match loaded.tokens.iter().find(is_issuer) {
        None => Ok(()),
        Some(Token { provider, .. }) => {
            let problem = "needs `gaud run`, or an Envoy that gets its clusters from elsewhere than its bootstrap \
                           (`gaud render --for filter`, istio or envoy-gateway): Envoy ends at its start otherwise";
            let path = format!("providers.{provider}.auth.oauth2");
            Err(Error::Config(loaded.refused(ConfigError::new(path, problem))))
        }
    }
}
