//! How else a server could read a path: what decodes, folds and cleans paths differs from server to server, so a path
//! that the gateway takes for one thing may be another to a provider.
//!
//! A reading is what any sequence of the steps below makes of a path. No list of bad spellings: what the table of
//! endpoints says of each reading decides.
//!
//! | step | example |
//! |---|---|
//! | decode escapes | `/v1/%63hat` |
//! | `\` is a slash | `/v1\chat` |
//! | cut parameters | `/v1;a=b/chat` |
//! | cut a query or a fragment that was escaped | `/v1/chat%3Fa` |
//! | white space and control characters at the ends of segments go | `/v1/chat%20` |
//! | empty segments go | `/v1//chat` |
//! | dots are resolved | `/v1/x/../chat` |
//! | letters that fold to ASCII | `/v1/%C5%BFkills` (a long s) |
//!
//! Case is not a step: readings are compared without it.

use crate::request::escape::unescaped;

/// The most readings of a path. A path with an escape in an id has about four.
const READINGS_MAX: usize = 64;

/// The most bytes of all readings of a path together, so that a long path costs no more than a millisecond.
const READINGS_BYTES_MAX: usize = 64 * 1024;

/// A step of a server that reads a path; `None` where the step changes nothing.
type Step = fn(&[u8]) -> Option<Vec<u8>>;

const STEPS: [Step; 8] = [
    decode,
    slash_backslashes,
    cut_parameters,
    cut_query,
    trim_segments,
    drop_empty_segments,
    resolve_dots,
    fold_letters,
];

/// Why the gateway cannot list all readings of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// The path has more than `READINGS_MAX` readings, or the readings are longer than `READINGS_BYTES_MAX`.
    TooMany,
    /// The path leads above its root.
    AboveRoot,
    /// An escaped control character: C0, DEL or C1.
    Control,
}

/// Whether a path has only one reading: whatever the server, only the case of its letters could differ.
pub fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let is_odd = |byte: &u8| matches!(byte, 0..=b' ' | 0x7f.. | b'%' | b'\\' | b';' | b'?' | b'#');
    let pairs = bytes.iter().zip(bytes.iter().skip(1).chain([&b'/']));
    let is_step = |(byte, next): (&u8, &u8)| *byte == b'/' && matches!(next, b'/' | b'.');
    !bytes.iter().any(is_odd) && !pairs.into_iter().any(is_step)
}

/// All readings of a path without its query, the path itself first.
///
/// # Errors
/// Why the gateway cannot list all readings; no provider may see such a path.
pub fn readings(path: &str) -> Result<Vec<String>, Unreadable> {
    let mut all = vec![path.as_bytes().to_vec()];
    let mut bytes = path.len();
    let mut next = 0;
    while let Some(reading) = all.get(next).cloned() {
        if has_control(&reading) {
            return Err(Unreadable::Control);
        }
        if leads_above_root(&reading) {
            return Err(Unreadable::AboveRoot);
        }
        for other in STEPS.iter().filter_map(|step| step(&reading)) {
            if all.contains(&other) {
                continue;
            }
            bytes = bytes.saturating_add(other.len());
            if all.len() >= READINGS_MAX || bytes > READINGS_BYTES_MAX {
                return Err(Unreadable::TooMany);
            }
            all.push(other);
        }
        next = next.saturating_add(1);
    }
    Ok(all.iter().map(|reading| String::from_utf8_lossy(reading).into_owned()).collect())
}

/// C0, DEL or C1, the last as UTF-8 or as a byte of Latin-1.
fn has_control(path: &[u8]) -> bool {
    path.utf8_chunks().any(|chunk| {
        chunk.valid().chars().any(char::is_control)
            || chunk.invalid().iter().any(|byte| (0x80..0xa0).contains(byte))
    })
}

fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let decoded = path.contains(&b'%').then(|| unescaped(path))?;
    (decoded != path).then_some(decoded)
}

fn slash_backslashes(path: &[u8]) -> Option<Vec<u8>> {
    let slash = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    path.contains(&b'\\').then(|| path.iter().map(slash).collect())
}

fn cut_parameters(path: &[u8]) -> Option<Vec<u8>> {
    let before = |segment| before_any(segment, b";");
    path.contains(&b';').then(|| with_segments(path, |segments| segments.map(before).collect()))
}

fn cut_query(path: &[u8]) -> Option<Vec<u8>> {
    let before = before_any(path, b"?#");
    (before.len() < path.len()).then(|| before.to_vec())
}

fn trim_segments(path: &[u8]) -> Option<Vec<u8>> {
    let trimmed = with_segments(path, |segments| segments.map(trim).collect());
    (trimmed != path).then_some(trimmed)
}

fn drop_empty_segments(path: &[u8]) -> Option<Vec<u8>> {
    let has_empty = path.windows(2).any(|pair| pair == b"//") || path.ends_with(b"/");
    let drop = |path| with_segments(path, |all| all.filter(|one| !one.is_empty()).collect());
    (has_empty && path != b"/").then(|| drop(path))
}

fn resolve_dots(path: &[u8]) -> Option<Vec<u8>> {
    let is_dots = |segment: &[u8]| matches!(segment, b"." | b"..");
    segments(path).any(is_dots).then(|| {
        with_segments(path, |segments| {
            let mut kept = Vec::new();
            for segment in segments {
                match segment {
                    b"." => {}
                    b".." => drop(kept.pop()),
                    _ => kept.push(segment),
                }
            }
            kept
        })
    })
}

/// The letters that become an ASCII letter in lower or in upper case.
fn fold_letters(path: &[u8]) -> Option<Vec<u8>> {
    if path.is_ascii() {
        return None;
    }
    let fold = |letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        other => other,
    };
    let text = std::str::from_utf8(path).ok()?;
    let folded: String = text.chars().map(fold).collect();
    (folded != text).then(|| folded.into_bytes())
}

fn leads_above_root(path: &[u8]) -> bool {
    let mut depth = 0_usize;
    let leads_up = |segment: &[u8]| {
        match segment {
            b"." | b"" => {}
            b".." if depth == 0 => return true,
            b".." => depth = depth.saturating_sub(1),
            _ => depth = depth.saturating_add(1),
        }
        false
    };
    segments(path).any(leads_up)
}

/// The segments after the first slash.
fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').skip(usize::from(path.starts_with(b"/")))
}

/// The path with other segments.
fn with_segments<'a>(
    path: &'a [u8],
    change: impl FnOnce(&mut dyn Iterator<Item = &'a [u8]>) -> Vec<&'a [u8]>,
) -> Vec<u8> {
    let mut changed = b"/".to_vec();
    changed.extend(change(&mut segments(path)).join(&b'/'));
    changed
}

fn before_any<'a>(text: &'a [u8], ends: &[u8]) -> &'a [u8] {
    text.split(|byte| ends.contains(byte)).next().unwrap_or_default()
}

/// A segment without white space and control characters at its ends.
fn trim(segment: &[u8]) -> &[u8] {
    match std::str::from_utf8(segment) {
        Ok(text) => text.trim_matches(is_blank).as_bytes(),
        // A no-break space of Latin-1 is the only white space that is not ASCII there.
        Err(_) => {
            let is_blank = |byte: &u8| *byte <= b' ' || *byte == 0xa0;
            let start = segment.iter().position(|byte| !is_blank(byte)).unwrap_or(segment.len());
            let end = segment.iter().rposition(|byte| !is_blank(byte));
            segment.get(start..end.map_or(start, |at| at.saturating_add(1))).unwrap_or_default()
        }
    }
}

/// White space, control characters, and characters of no width.
fn is_blank(letter: char) -> bool {
    let is_invisible =
        matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    letter.is_whitespace() || letter.is_control() || is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_plain_path_has_one_reading() {
        for path in ["/v1/chat/completions", "/v1/files/file-Ab_c.d~e", "/v1/models/a:b,c@d"] {
            assert!(is_plain(path), "{path}");
            assert_eq!(readings(path), Ok(vec![path.to_owned()]));
        }
        for path in [
            "/%61", "/a\\b", "/a;b", "//a", "/a//b", "/a/", "/.", "/a/./b", "/a/../b", "/a/.b",
            "/ä", "/a b", "/a#b", "/a?b",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn every_step_makes_a_reading() {
        for (path, expected) in [
            ("/v1/%63hat", "/v1/chat"),
            ("/v1/%2563hat", "/v1/chat"),
            ("/v1/%252563hat", "/v1/chat"),
            ("/v1\\chat", "/v1/chat"),
            ("/v1%5cchat", "/v1/chat"),
            ("/v1;a=b/chat;c", "/v1/chat"),
            ("/v1/chat%3ba", "/v1/chat"),
            ("/v1/chat;a%2fb", "/v1/chat"),
            ("/v1/c%68at;%2fx", "/v1/chat"),
            ("/v1/chat%3fa/b", "/v1/chat"),
            ("/v1/chat%23a", "/v1/chat"),
            ("/v1/chat%20", "/v1/chat"),
            ("/v1%20/%20chat", "/v1/chat"),
            ("/v1/chat%c2%a0", "/v1/chat"),
            ("/v1/chat%e2%80%a8", "/v1/chat"),
            ("/v1/chat%e2%80%8b", "/v1/chat"),
            ("/v1//chat", "/v1/chat"),
            ("/v1%2fchat", "/v1/chat"),
            ("/v1/%2f/chat/", "/v1/chat"),
            ("/v1/x/../chat", "/v1/chat"),
            ("/v1/x/%2e%2e/chat", "/v1/chat"),
            ("/v1/x/..%2fchat", "/v1/chat"),
            ("/v1/./chat", "/v1/chat"),
            ("/v1/%2e;a/chat", "/v1/chat"),
            ("/v1/x//../chat", "/v1/chat"),
            ("/v1/x/y//../chat", "/v1/x/chat"),
            ("/v1/x/y//../chat", "/v1/x/y/chat"),
            ("/v1/%c5%bfkills", "/v1/skills"),
            ("/v1/to%e2%84%aaens", "/v1/tokens"),
        ] {
            let all = readings(path).unwrap_or_else(|why| panic!("{path}: {why:?}"));
            assert!(all.contains(&expected.to_owned()), "{path}: {all:?}");
            assert_eq!(all[0], path);
        }
    }

    #[test]
    fn some_paths_cannot_be_read() {
        for (path, expected) in [
            ("/a%0a", Unreadable::Control),
            ("/a%00b", Unreadable::Control),
            ("/a%250ab", Unreadable::Control),
            ("/a%7f", Unreadable::Control),
            ("/a%85", Unreadable::Control),
            ("/a%c2%80", Unreadable::Control),
            ("/a\u{9f}", Unreadable::Control),
            ("/..", Unreadable::AboveRoot),
            ("/a/../../b", Unreadable::AboveRoot),
            ("/a/..%2f..%2fb", Unreadable::AboveRoot),
            ("/%2e%2e/b", Unreadable::AboveRoot),
        ] {
            assert_eq!(readings(path), Err(expected), "{path}");
        }
        assert!(readings("/a%e2%80%a8b%e3%81%82").is_ok(), "no control character");
        for path in
            [format!("/{}", "%25".repeat(30_000)), format!("/{}", "%25a;%20/".repeat(9_000))]
        {
            assert_eq!(readings(&path), Err(Unreadable::TooMany));
        }
    }

    #[test]
    fn any_bytes_are_read() {
        for end in 0..=255_u8 {
            for path in [format!("/a%{end:02x}/b"), format!("/%{end:02X}%{end:02X}"), "%".repeat(3)]
            {
                let _ = readings(&path);
            }
        }
    }
}
