//! The plugin: reads its configuration and opens a context per request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::host::{self, Buffer};
use super::stream::Stream;
use crate::config::{self, Gateway};

/// One per worker and plugin.
#[derive(Default)]
pub(super) struct Root {
    /// `None` until a configuration was accepted; Envoy sends no request before.
    gateway: Option<Rc<Gateway>>,
}

impl Context for Root {}

impl RootContext for Root {
    /// Refusing here makes Envoy refuse to start, or keep the configuration that it has.
    fn on_configure(&mut self, size: usize) -> bool {
        let json = host::buffer(Buffer::PluginConfiguration, 0, size);
        match config::from_filter_json(&json, &|name| std::env::var(name).ok()) {
            Ok(gateway) => {
                self.gateway = Some(Rc::new(gateway));
                true
            }
            Err(error) => {
                log::error!("gaud: bad configuration: {error}");
                false
            }
        }
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        let gateway = self.gateway.as_ref()?;
        Some(Box::new(Stream::new(Rc::clone(gateway))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
