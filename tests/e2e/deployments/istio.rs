//! A proxy of Istio with the gateway in it, beside hosts that the gateway must leave alone. `make test-istio` runs these,
//! and other suites in the same proxy.

use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;
use crate::routing::by_model::chat;
use serde_json::json;

const OTHER: &str = "outbound|80||other.default.svc.cluster.local";
const LITELLM: &str = "outbound|4000||litellm.default.svc.cluster.local";

/// A proxy with a provider by URL, one by a cluster of the mesh, and another host.
struct Mesh {
    gateway: Gateway,
    url: Provider,
    service: Provider,
    other: Provider,
}

impl Mesh {
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further variables for the program that makes a proxy's configuration.
    fn start_with(further: &[(&str, &str)]) -> Self {
        let [url, service, other] = [(); 3].map(|()| Provider::start());
        let toml = format!(
            "{LISTEN}default_provider = \"url\"\n{}[providers.mesh]\ncluster = \"{LITELLM}\"\napi_key = \"os.environ/KEY\"\n",
            provider("url", &url.url(), &[]),
        );
        let endpoints = json!({ OTHER: other.addr().port(), LITELLM: service.addr().port() });
        let environment =
            [("ISTIO_ENDPOINTS", endpoints.to_string()), ("KEY", "sk-mesh".to_owned())];
        let environment = environment.iter().map(|(name, value)| (*name, value.as_str()));
        let environment: Vec<_> = environment.chain(further.iter().copied()).collect();
        Self { gateway: Gateway::start(&toml, &environment), url, service, other }
    }
}

#[test]
#[ignore = "of a mesh: make test-istio"]
fn a_service_of_the_mesh_is_a_provider() {
    let mesh = Mesh::start();
    let request = Request::chat(chat("mesh:gpt-4o")).header("authorization", "Bearer sk-client");
    let response = h1::exchange(mesh.gateway.addr(), &request.case("service"));
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("x-gaud-provider").as_deref(), Some("mesh"));
    let seen = mesh.service.wait("service");
    assert_eq!(seen.text(), chat("gpt-4o"));
    assert_eq!(seen.headers.all("authorization"), ["Bearer sk-mesh"]);
    mesh.gateway.assert_no_trap();
}

#[test]
#[ignore = "of a mesh: make test-istio"]
fn other_hosts_are_left_alone() {
    let mesh = Mesh::start();
    let zipped = crate::kit::samples::gzip(chat("url:m").as_bytes());
    for (case, body, encoding) in [
        ("a model", chat("url:m").into_bytes(), None),
        ("no json", b"{\"model\":".to_vec(), None),
        ("gzip", zipped, Some("gzip")),
    ] {
        let mut request = Request::chat(&body).header("host", "other").case(case);
        for (name, value) in
            [("x-gaud-cluster", "url"), ("x-envoy-other", "1"), ("authorization", "Bearer other")]
        {
            request = request.header(name, value);
        }
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        let response = h1::exchange(mesh.gateway.addr(), &request);
        assert_eq!(response.status, 200, "{case}: {}", response.text());
        assert_eq!(response.header("x-gaud-provider"), None, "{case}");
        assert!(response.header("x-envoy-upstream-service-time").is_some(), "{case}");
        let seen = mesh.other.wait(case);
        assert_eq!(seen.body, body, "{case}");
        for (name, value) in [("x-envoy-other", "1"), ("authorization", "Bearer other")] {
            assert_eq!(seen.headers.all(name), [value], "{case}");
        }
        assert_eq!(seen.header("content-encoding").as_deref(), encoding, "{case}");
        assert!(mesh.url.seen(case).is_empty() && mesh.service.seen(case).is_empty(), "{case}");
    }
    mesh.gateway.assert_no_trap();
}

#[test]
#[ignore = "of a mesh: make test-istio"]
fn without_its_module_the_gateway_admits_no_request() {
    let image = ("ISTIO_WASM", "oci://registry.example.com/gaud@sha256:0000");
    let mesh = Mesh::start_with(&[image, ("ISTIO_UNFETCHED", "1")]);
    let ask = |host: &str| {
        let request = Request::chat(chat("url:m")).header("host", host).case(host);
        h1::exchange(mesh.gateway.addr(), &request)
    };
    assert_eq!(ask("gateway").status, 403);
    assert!(mesh.url.seen("gateway").is_empty());
    assert_eq!(ask("other").status, 200);
    mesh.other.wait("other");
}

#[test]
#[ignore = "of a mesh: make test-istio"]
fn envoys_errors_are_rewritten_for_the_gateways_host_only() {
    let toml = format!(
        "{LISTEN}{}[providers.mesh]\ncluster = \"{LITELLM}\"\n",
        provider("url", "http://127.0.0.1:9", &[])
    );
    let gateway = Gateway::start(&toml, &[]); // no Service has an endpoint
    let ours = h1::exchange(gateway.addr(), &Request::chat(chat("mesh:m")));
    assert_eq!(ours.json()["error"]["code"], "provider_unreachable", "{}", ours.text());
    let other = h1::exchange(gateway.addr(), &Request::chat(chat("m")).header("host", "other"));
    assert_eq!((other.status, other.text().as_str()), (503, "no healthy upstream"));
    gateway.assert_no_trap();
}
