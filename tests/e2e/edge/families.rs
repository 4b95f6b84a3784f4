//! A gateway on all addresses.

use std::net::SocketAddr;

use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;

#[test]
fn all_addresses_include_both_families() {
    let toml = "listen = \"[::]:0\"\nadmin_listen = \"[::]:0\"\n[providers.p]\nurl = \"http://127.0.0.1:1\"\n";
    let gateway = Gateway::start(toml, &[]);
    let port = gateway.addr().port();
    for ip in ["127.0.0.1", "::1"] {
        let addr = SocketAddr::new(ip.parse().expect("an address"), port);
        assert_eq!(h1::exchange(addr, &Request::new("GET", "/healthz")).status, 200, "{ip}");
    }
}
