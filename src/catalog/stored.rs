//! How a provider's list stands in shared data.
//!
//! A version, and then each model: a byte that says what is there, the id, and what is there: the
//! display name, when it was made, the context window. A text is its length and its bytes; numbers
//! are little-endian.

use super::Listed;
use crate::model::ModelName;

const VERSION: u8 = 1;

const DISPLAY_NAME: u8 = 1;
const CREATED: u8 = 2;
const CONTEXT_WINDOW: u8 = 4;

/// Writes a list.
pub fn to_bytes(models: &[Listed]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for Listed { id, created_secs, context_window, display_name } in models {
        let flag = |there: bool, flag: u8| if there { flag } else { 0 };
        bytes.push(
            flag(display_name.is_some(), DISPLAY_NAME)
                | flag(created_secs.is_some(), CREATED)
                | flag(context_window.is_some(), CONTEXT_WINDOW),
        );
        for text in [Some(id), display_name.as_ref()].into_iter().flatten() {
            // Model names are much shorter.
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend(text.bytes().take(length.into()));
        }
        for number in [created_secs, context_window].into_iter().flatten() {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
    bytes
}

/// Reads a list; an empty one from what is none, or one of another version.
pub fn from_bytes(bytes: &[u8]) -> Vec<Listed> {
    let Some((&VERSION, mut rest)) = bytes.split_first() else { return Vec::new() };
    let mut models = Vec::new();
    while !rest.is_empty() {
        match listed(&mut rest) {
            Some(listed) => models.push(listed),
            None => return Vec::new(),
        }
    }
    models
}

fn listed(rest: &mut &[u8]) -> Option<Listed> {
    let [flags] = take(rest)?;
    if flags > DISPLAY_NAME | CREATED | CONTEXT_WINDOW {
        return None;
    }
    Some(Listed {
        id: text(rest)?,
        display_name: match flags & DISPLAY_NAME {
            0 => None,
            _ => Some(text(rest)?),
        },
        created_secs: number(flags & CREATED, rest)?,
        context_window: number(flags & CONTEXT_WINDOW, rest)?,
    })
}

fn number(flag: u8, rest: &mut &[u8]) -> Option<Option<u64>> {
    match flag {
        0 => Some(None),
        _ => take(rest).map(|bytes| Some(u64::from_le_bytes(bytes))),
    }
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = u16::from_le_bytes(take(rest)?);
    let (text, behind) = rest.split_at_checked(length.into())?;
    *rest = behind;
    let text = std::str::from_utf8(text).ok()?;
    ModelName::check(text).ok()?;
    Some(text.to_owned())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn models() -> Vec<Listed> {
        vec![
            Listed { id: "a".to_owned(), ..Listed::default() },
            Listed {
                id: "b/\u{e9}".to_owned(),
                created_secs: Some(0),
                context_window: Some(u64::MAX),
                display_name: Some("B".to_owned()),
            },
            Listed { id: "c".to_owned(), context_window: Some(1), ..Listed::default() },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(from_bytes(&to_bytes(&models())), models());
        assert_eq!(from_bytes(&to_bytes(&[])), []);
    }

    #[test]
    fn what_is_no_list_is_an_empty_one() {
        let bytes = to_bytes(&models());
        let whole: Vec<_> = (0..=models().len()).map(|n| to_bytes(&models()[..n]).len()).collect();
        for end in 0..bytes.len() {
            let read = from_bytes(&bytes[..end]);
            let models = whole.iter().position(|length| *length == end).unwrap_or(0);
            assert_eq!(read.len(), models, "{end}");
        }
        for junk in [&[2][..], &[1, 8, 1, 0, b'a'], &[1, 0, 0, 0], &[1, 0, 1, 0, 7]] {
            assert_eq!(from_bytes(junk), [], "{junk:?}");
        }
    }
}
