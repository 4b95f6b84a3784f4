//! How a provider's list stands in shared data: as a list that [`parse()`] reads, so that workers of
//! two versions understand each other.

use serde::{Serialize, Serializer};

use super::document::{Object, Value};
use super::{Listed, parse};

/// Writes a list.
pub fn to_bytes(models: &[Listed]) -> Vec<u8> {
    serde_json::to_string(&Stored(models)).unwrap_or_default().into_bytes()
}

/// Reads a list; an empty one from what is none.
pub fn from_bytes(bytes: &[u8]) -> Vec<Listed> {
    parse(bytes).map(|(models, _)| models).unwrap_or_default()
}

struct Stored<'a>(&'a [Listed]);

impl Serialize for Stored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|listed| {
            Object([
                ("id", Value::Text(&listed.id)),
                ("created", Value::known(listed.created_secs)),
                ("context_window", Value::known(listed.context_window)),
                ("display_name", listed.display_name.as_deref().map_or(Value::Absent, Value::Text)),
                ("", Value::Absent),
            ])
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_is_written_is_read() {
        let models = vec![
            Listed { id: "a\"\\".to_owned(), ..Listed::default() },
            Listed {
                id: "b/\u{e9}".to_owned(),
                created_secs: Some(1),
                context_window: Some(u64::MAX),
                display_name: Some("B".to_owned()),
            },
        ];
        let expected = "[{\"id\":\"a\\\"\\\\\"},{\"id\":\"b/\u{e9}\",\"created\":1,\
                        \"context_window\":18446744073709551615,\"display_name\":\"B\"}]";
        assert_eq!(to_bytes(&models), expected.as_bytes());
        assert_eq!(from_bytes(expected.as_bytes()), models);
        assert_eq!(from_bytes(&to_bytes(&[])), []);
    }

    #[test]
    fn what_is_no_list_is_an_empty_one() {
        for junk in [&b""[..], b"\0", b"[", b"[{\"id\":\"a\"}", b"{}", b"[1]"] {
            assert_eq!(from_bytes(junk), [], "{junk:?}");
        }
    }
}
