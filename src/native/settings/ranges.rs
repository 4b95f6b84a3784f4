//! Ranges of addresses: `10.0.0.0/8`, or one address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range (RFC 4632, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    pub address: IpAddr,
    /// How many bits of it all addresses of the range have in common.
    pub prefix_bits: u8,
}

impl FromStr for AddressRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be an address or a range, as in \"10.0.0.0/8\"";
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| WRONG)?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let digits = |prefix: &str| prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix_bits = match prefix {
            None => whole,
            Some(prefix) if digits(prefix) => prefix.parse().map_err(|_| WRONG)?,
            Some(_) => return Err(WRONG),
        };
        if prefix_bits > whole {
            return Err(WRONG);
        }
        Ok(Self { address, prefix_bits })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_an_address_and_a_prefix() {
        for (text, range) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("::1", "::1/128"),
            ("fd00::/8", "fd00::/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(text.parse::<AddressRange>().unwrap().to_string(), range);
        }
        for text in [
            "",
            "/8",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "localhost",
            "[::1]",
            "10/8",
        ] {
            assert!(text.parse::<AddressRange>().is_err(), "{text}");
        }
    }
}
