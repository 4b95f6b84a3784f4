//! A provider's list in shared data: in a format that [`parse()`] reads, so that workers of two versions understand each
//! other.

use super::{Listed, parse};

pub fn to_bytes(models: &[Listed]) -> Vec<u8> {
    serde_json::to_vec(models).unwrap_or_default()
}

/// Reads a list. Bytes that are not a list give an empty list.
pub fn from_bytes(bytes: &[u8]) -> Vec<Listed> {
    parse(bytes).map(|(models, _)| models).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_stored_list_is_read_back() {
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
    fn bytes_without_a_list_give_an_empty_list() {
        for junk in [&b""[..], b"\0", b"[", b"[{\"id\":\"a\"}", b"{}", b"[1]"] {
            assert_eq!(from_bytes(junk), [], "{junk:?}");
        }
    }
}
