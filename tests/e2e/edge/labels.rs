//! Metrics keep their labels, whatever the names of providers.

use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;

#[test]
fn a_provider_may_have_the_name_of_a_label() {
    let server = Provider::start();
    let names = ["code", "to", "outcome", "result", "provider"];
    let tables = names.map(|name| provider(name, &server.url(), &[]).replace("false", "true"));
    let gateway = Gateway::start(&format!("{LISTEN}{}", tables.concat()), &[]);
    for name in names {
        let request = Request::chat(format!(r#"{{"model":"{name}:m"}}"#));
        assert_eq!(h1::exchange(gateway.addr(), &request).status, 200);
    }
    h1::exchange(gateway.addr(), &Request::chat("{"));
    let metrics = gateway.admin().metrics();
    for name in names {
        let requests = format!("gaud_requests_total{{outcome=\"success\",provider=\"{name}\"}}");
        assert_eq!(metrics.get(&requests), Some(&1), "{metrics:?}");
        let transitions =
            format!("gaud_breaker_transitions_total{{provider=\"{name}\",to=\"open\"}}");
        assert!(metrics.get(&transitions).is_none_or(|count| *count == 0), "{metrics:?}");
    }
    assert_eq!(metrics.get("gaud_refused_total{code=\"invalid_json\"}"), Some(&1), "{metrics:?}");
    let families = metrics.keys().filter_map(|name| name.split('{').next());
    for family in families {
        assert!(gaud::host::metrics::families().any(|known| known.name == family), "{family}");
    }
}
