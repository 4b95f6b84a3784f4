//! Who sends a request, as far as shares go.

use std::net::{IpAddr, Ipv6Addr};

/// A client, by its address. All addresses of an IPv6 /64 are one client: a host has all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// No address that can be read: a socket of another kind.
    #[default]
    Unknown,
    /// An IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
}

impl Client {
    /// Reads an address with its port, as Envoy writes it: `192.0.2.1:80`, `[2001:db8::1]:80`.
    pub fn parse(address: &[u8]) -> Self {
        let read = || {
            let (address, _port) = std::str::from_utf8(address).ok()?.rsplit_once(':')?;
            address.trim_matches(['[', ']']).parse::<IpAddr>().ok()
        };
        match read() {
            Some(IpAddr::V4(address)) => Self::V4(address.octets()),
            Some(IpAddr::V6(address)) => Self::of_v6(address),
            None => Self::Unknown,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        match (address.to_ipv4_mapped(), address.octets()) {
            (Some(mapped), _) => Self::V4(mapped.octets()),
            (None, [a, b, c, d, e, f, g, h, ..]) => Self::V6([a, b, c, d, e, f, g, h]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_client_is_an_address_or_a_network_of_one_host() {
        let network = Client::V6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 1]);
        for (address, expected) in [
            (&b"192.0.2.1:80"[..], Client::V4([192, 0, 2, 1])),
            (b"[::ffff:192.0.2.1]:80", Client::V4([192, 0, 2, 1])),
            (b"[2001:db8:0:1::1]:80", network),
            (b"[2001:db8:0:1:ffff::2]:81", network),
            (b"[2001:db8:0:2::1]:80", Client::V6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 2])),
            (b"/run/gaud.sock", Client::Unknown),
            (b"\xff:1", Client::Unknown),
            (b"", Client::Unknown),
        ] {
            assert_eq!(Client::parse(address), expected, "{}", String::from_utf8_lossy(address));
        }
    }
}
