//! The client of a request, as a number that tells clients apart.

use crate::room::Client;

/// A client, as a number of two bytes. The chance that two clients have the same number is 1 in 65,535: then one waits, after a
/// probe that the other has aborted, for as long as the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ClientNumber(pub(super) u16);

impl ClientNumber {
    /// A client without an address. No two of these are taken for the same client: nobody waits for what another has done.
    pub const UNKNOWN: Self = Self(0);

    /// The number of a client.
    #[inline(never)]
    pub fn of(client: Client) -> Self {
        let address = match client {
            Client::Unknown => return Self::UNKNOWN,
            Client::V4(address) => u32::from_be_bytes(address).into(),
            Client::V6(network) => u64::from_be_bytes(network),
        };
        // Multiplied by the golden ratio, addresses that are near each other differ in the first bits.
        let [a, b, ..] = address.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        Self(u16::from_be_bytes([a, b]).max(1))
    }

    /// The number; 0 for an unknown client.
    pub fn number(self) -> u64 {
        self.0.into()
    }

    /// The client with a number; unknown where no client has the number.
    pub fn numbered(number: u64) -> Self {
        Self(number.try_into().unwrap_or_default())
    }

    /// Whether both are the same known client.
    pub(super) fn is(self, other: Self) -> bool {
        self != Self::UNKNOWN && self == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn clients_have_numbers_of_their_own_and_an_unknown_client_has_none() {
        assert_eq!(ClientNumber::of(Client::Unknown).number(), 0);
        let hosts = (0..=255).map(|host| Client::V4([192, 0, 2, host]));
        let networks = (0..=255).map(|host| Client::V6([0x20, 1, 0xd, 0xb8, 0, 0, 0, host]));
        let numbers: BTreeSet<_> =
            hosts.chain(networks).map(|client| ClientNumber::of(client).number()).collect();
        assert!(numbers.len() > 500 && !numbers.contains(&0), "{}", numbers.len());
        let asker = ClientNumber::of(Client::V4([192, 0, 2, 1]));
        assert_eq!(ClientNumber::numbered(asker.number()), asker);
        assert_eq!(ClientNumber::numbered(65_536), ClientNumber::UNKNOWN);
        assert!(asker.is(asker) && !asker.is(ClientNumber::UNKNOWN));
        assert!(!ClientNumber::UNKNOWN.is(ClientNumber::UNKNOWN));
    }
}
