//! A filter on the proxy-wasm SDK that does nothing: what the SDK adds to the cost of a filter.
//!
//! Configured with the word `headers` the filter reads the request's headers, as most filters do.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { reads_headers: false }));
}}

struct Root {
    reads_headers: bool,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.reads_headers = self.get_plugin_configuration().is_some_and(|word| word == b"headers");
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.reads_headers {
            true => Box::new(Reader),
            false => Box::new(Empty),
        })
    }
}

struct Empty;

impl Context for Empty {}

impl HttpContext for Empty {}

struct Reader;

impl Context for Reader {}

impl HttpContext for Reader {
    fn on_http_request_headers(&mut self, _count: usize, _end: bool) -> Action {
        _ = self.get_http_request_headers();
        Action::Continue
    }
}
