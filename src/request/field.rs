//! Names of a form's fields and of a query's keys: what some server takes for another name.

/// Whether a name is this word for a server that ignores case, decodes percents, drops backslashes, strips what is
/// around the name, or takes what follows a bracket or a dot for a part of the value: `Model`, `%6dodel`, ` model`,
/// `model[]`, `[model]`, `model.x`.
pub fn spells(name: &[u8], word: &[u8]) -> bool {
    let (mut name, mut word) = (name, word.iter());
    while let Some((byte, rest)) = first_decoded(name) {
        name = rest;
        if matches!(byte, b'[' | b'.') && word.as_slice().is_empty() {
            return true;
        }
        // A plus is a space in a query.
        let is_stripped = !byte.is_ascii_graphic() || b"\\\"'<>[]+".contains(&byte);
        if !is_stripped && word.next() != Some(&byte.to_ascii_lowercase()) {
            return false;
        }
    }
    word.as_slice().is_empty()
}

fn first_decoded(name: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if let [b'%', high, low, rest @ ..] = name
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return Some(((high << 4) | low, rest));
    }
    name.split_first().map(|(byte, rest)| (*byte, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn knows_what_some_server_takes_for_a_name() {
        for name in [
            "model",
            "Model",
            "MODEL",
            " model ",
            "model\t",
            "model%00",
            "mod%65l",
            "%4Dodel",
            "+model",
            "mo\\del",
            "'model'",
            "<model>",
            "model[]",
            "model[0]",
            "model[x]",
            "model[",
            "model]",
            "[model]",
            "model%5B%5D",
            "model.",
            "model.x",
            "model\u{a0}",
            "\u{feff}model",
        ] {
            assert!(spells(name.as_bytes(), b"model"), "{name}");
        }
        for name in [
            "",
            "mode",
            "models",
            "xmodel",
            "user[model]",
            "x.model",
            "model_",
            "model-x",
            "model%",
            "model%zz",
            "response_format[model]",
        ] {
            assert!(!spells(name.as_bytes(), b"model"), "{name}");
        }
    }
}
