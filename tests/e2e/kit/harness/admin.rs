//! Envoy's admin interface, as far as the tests ask it.

use crate::kit::client::{Request, Response, h1};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A client of the admin interface.
pub(crate) struct Admin {
    /// An address, or the path of a socket.
    place: String,
}

impl Admin {
    pub(super) fn new(place: &str) -> Self {
        Self { place: place.to_owned() }
    }

    fn exchange(&self, path: &str) -> Response {
        let request = Request::new("GET", path);
        match self.place.starts_with('/') {
            true => h1::exchange_by(&self.place, &request),
            false => h1::exchange(self.place.parse().expect("an address"), &request),
        }
    }

    /// The body that a GET of `path` gives.
    pub(crate) fn get(&self, path: &str) -> String {
        let response = self.exchange(path);
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.text()
    }

    /// Whether Envoy takes requests.
    pub(super) fn ready(&self) -> bool {
        self.exchange("/ready").status == 200
    }

    /// The address of the first listener that clients can reach, once it has one.
    pub(super) fn listener(&self) -> Option<SocketAddr> {
        let listeners: Value = serde_json::from_str(&self.get("/listeners?format=json")).ok()?;
        let is_for_clients = |listener: &&Value| {
            // Where Envoy Gateway asks whether Envoy is ready.
            let name = listener["name"].as_str().unwrap_or_default();
            let is_probed = name.contains("-ready-") || name == "gaud_admin";
            listener["local_address"]["socket_address"].is_object() && !is_probed
        };
        let listener = listeners["listener_statuses"].as_array()?.iter().find(is_for_clients)?;
        let address = &listener["local_address"]["socket_address"];
        let port = u16::try_from(address["port_value"].as_u64()?).ok().filter(|port| *port != 0)?;
        Some(SocketAddr::new(address["address"].as_str()?.parse().ok()?, port))
    }

    /// All counters and gauges.
    pub(crate) fn stats(&self) -> BTreeMap<String, u64> {
        let number = |line: &str| {
            let (name, value) = line.rsplit_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        self.get("/stats").lines().filter_map(number).collect()
    }

    /// The gateway's metrics as Prometheus reads them, labels in alphabetical order:
    /// `gaud_requests_total{outcome="success",provider="p"}`.
    pub(crate) fn metrics(&self) -> BTreeMap<String, u64> {
        let number = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            let (family, labels) = name.split_once('{').unwrap_or((name, ""));
            let mut labels: Vec<_> = labels.trim_end_matches('}').split(',').collect();
            labels.sort_unstable();
            Some((format!("{family}{{{}}}", labels.join(",")), value.parse().ok()?))
        };
        let text = self.get("/stats/prometheus");
        text.lines().filter(|line| line.starts_with("gaud_")).filter_map(number).collect()
    }
}
