//! The gateway inside an Envoy whose configuration is not Gaud's alone.

mod istio;
pub(crate) mod paste;
mod user_envoy;
