//! A header map as proxy-wasm lays it out (ABI 0.2.1): the number of pairs, the lengths of each name and value, then
//! each name and each value with a NUL byte after it. Numbers are 32 bits, little-endian.

/// The pairs of a map. Pairs that are cut off are left out.
pub fn pairs(map: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let (count, rest) = split_u32(map).unwrap_or((0, &[]));
    let sizes_len = (count as usize).saturating_mul(8).min(rest.len());
    let (mut sizes, mut texts) = rest.split_at_checked(sizes_len).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name_len, rest) = split_u32(sizes)?;
        let (value_len, rest) = split_u32(rest)?;
        sizes = rest;
        let (name, rest) = split_text(texts, name_len)?;
        let (value, rest) = split_text(rest, value_len)?;
        texts = rest;
        Some((name, value))
    })
}

/// The map that holds these pairs.
pub fn serialized<N: AsRef<[u8]>, V: AsRef<[u8]>>(headers: &[(N, V)]) -> Vec<u8> {
    let mut map = (headers.len() as u32).to_le_bytes().to_vec();
    for (name, value) in headers {
        map.extend((name.as_ref().len() as u32).to_le_bytes());
        map.extend((value.as_ref().len() as u32).to_le_bytes());
    }
    for text in headers.iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]) {
        map.extend_from_slice(text);
        map.push(0);
    }
    map
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn split_text(bytes: &[u8], length: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length as usize)?;
    Some((text, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_map_gives_its_pairs_back() {
        let headers = [(":path", &b"/"[..]), ("x", b"\xff"), ("empty", b"")];
        let map = serialized(&headers);
        let read: Vec<_> = pairs(&map).collect();
        assert_eq!(read, headers.map(|(name, value)| (name.as_bytes(), value)));
        assert_eq!(pairs(&serialized::<&str, &str>(&[])).count(), 0);
    }

    #[test]
    fn a_map_that_is_cut_off_gives_whole_pairs_only() {
        let map = serialized(&[("a", "1"), ("b", "2")]);
        for end in 0..map.len() {
            assert!(pairs(&map[..end]).count() < 2, "cut at {end}");
        }
        assert_eq!(pairs(&[0xff; 64]).count(), 0);
    }
}
