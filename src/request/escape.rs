//! Escapes and queries of a path (RFC 3986), and the edits of both.

use std::ops::Range;

use super::field::spells;

/// A path without its query.
pub fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// Decodes `%XX` (section 2.1); a `%` without two hexadecimal digits stays.
pub fn unescaped(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_ref();
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let (byte, length) = match (*first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => ((high << 4 | low) as u8, 2),
            (byte, ..) => (byte, 0),
        };
        bytes.push(byte);
        rest = after.get(length..).unwrap_or_default();
    }
    bytes
}

/// Escapes a model's name for a path or a query: all but unreserved characters (section 2.3), the
/// colon, and, where `slashes` pass, slashes.
pub fn escaped(name: &str, slashes: bool) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b':' => text.push(byte.into()),
            b'/' if slashes => text.push('/'),
            _ if byte.is_ascii_alphanumeric() => text.push(byte.into()),
            _ => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).map_or('0', |d| (*d).into());
                text.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
            }
        }
    }
    text
}

/// The path with `with` at a place.
pub fn replaced(path: &str, place: &Range<usize>, with: &str) -> String {
    let before = path.get(..place.start).unwrap_or_default();
    let after = path.get(place.end..).unwrap_or_default();
    [before, with, after].concat()
}

/// The places of the values that a query has for `key`, however the key is escaped, and whichever of
/// `&` and `;` divides its pairs.
pub fn query_values<'a>(path: &'a str, key: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
    query_pairs(path).filter_map(move |(name, value)| (name == key).then_some(value))
}

/// The keys of a query, decoded, and the places of their values.
fn query_pairs(path: &str) -> impl Iterator<Item = (Vec<u8>, Range<usize>)> {
    let start = path.find('?').map_or(path.len(), |at| at.saturating_add(1));
    let pairs = path.get(start..).unwrap_or_default().split(['&', ';']);
    let places = pairs.scan(start, |next, pair| {
        let start = *next;
        *next = start.saturating_add(pair.len()).saturating_add(1);
        Some((start, pair))
    });
    places.map(move |(start, pair)| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let end = start.saturating_add(pair.len());
        (unescaped(name), end.saturating_sub(value.len())..end)
    })
}

/// The keys of a query that name a model: OpenAI's, and Azure's.
pub const MODEL_KEYS: [&[u8]; 2] = [b"model", b"deployment"];

/// The places of the values that a query has for one of `keys`, or for a key that some server takes for one; and whether
/// all servers read the same: the key is written exactly so, and the value has no plus, which is a space for most, no `=`,
/// after a bracket the end of the key for some, and no `%` without two digits, which some decode in part and some not.
pub fn query_models<'a>(
    path: &'a str,
    keys: &'a [&[u8]],
) -> impl Iterator<Item = (Range<usize>, bool)> + 'a {
    query_pairs(path).filter_map(move |(name, value)| {
        let known = keys.iter().find(|known| spells(&name, known))?;
        let is_plain = name == *known && path.get(value.clone()).is_some_and(is_plain);
        Some((value, is_plain))
    })
}

fn is_plain(value: &str) -> bool {
    let is_escape = |after: &str| {
        let digits = after.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    !value.contains(['+', '=']) && value.split('%').skip(1).all(is_escape)
}

/// A path without the pairs of its query whose decoded key and value `is_one` accepts; `None` when the query has no such
/// pair.
pub fn without_query_pairs(path: &str, is_one: &dyn Fn(&[u8], &[u8]) -> bool) -> Option<String> {
    let (plain, query) = path.split_once('?')?;
    let is_one = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        is_one(&unescaped(name), &unescaped(value))
    };
    query.split(['&', ';']).find(|pair| is_one(pair))?;
    let mut text = plain.to_owned();
    let mut divider = '?';
    for pair in query.split(['&', ';']) {
        if !is_one(pair) {
            text.push(divider);
            text.push_str(pair);
            divider = '&';
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn escapes_and_back() {
        for (name, slashes, expected) in [
            ("gpt-4.1_x~y", false, "gpt-4.1_x~y"),
            ("p:a/b", true, "p:a/b"),
            ("p:a/b", false, "p:a%2Fb"),
            ("ä b+c&d%", false, "%C3%A4%20b%2Bc%26d%25"),
        ] {
            assert_eq!(escaped(name, slashes), expected);
            assert_eq!(unescaped(expected), name.as_bytes());
        }
        assert_eq!(unescaped("%4x%%41%"), b"%4x%A%");
    }

    #[test]
    fn finds_values_in_queries() {
        let values = |path: &str| -> Vec<String> {
            query_values(path, b"model").map(|place| path.get(place).unwrap().to_owned()).collect()
        };
        assert_eq!(values("/x?model=a"), ["a"]);
        assert_eq!(values("/x?a=b&mod%65l=c%2Fd&model"), ["c%2Fd", ""]);
        assert_eq!(values("/x?a=b;model=c=d"), ["c=d"]);
        assert!(values("/x?models=a&xmodel=b").is_empty() && values("/model=a").is_empty());
        assert_eq!(replaced("/x?model=a&b", &(9..10), "new"), "/x?model=new&b");
    }

    #[test]
    fn takes_keys_out_of_queries() {
        for (path, expected) in [
            ("/x?key=a", Some("/x")),
            ("/x?alt=sse&key=a&b=c", Some("/x?alt=sse&b=c")),
            ("/x?k%65y=a;key=b&c", Some("/x?c")),
            ("/x?keys=a", None),
            ("/key", None),
        ] {
            assert_eq!(without_query_pairs(path, &|key, _| key == b"key").as_deref(), expected);
        }
    }
}
