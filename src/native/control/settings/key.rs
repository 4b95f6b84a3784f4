//! The name of a setting: TOML's own dotted keys, quotes included, as `aliases."gpt-4.1"`.

use std::fmt;

use toml_edit::Key;

/// A dotted key with at least one part.
#[derive(Debug, Clone)]
pub struct SettingKey {
    text: String,
    parts: Vec<Key>,
}

impl SettingKey {
    /// # Errors
    /// The text is not a key of TOML.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{}\" is not a key: write it as in TOML, for example providers.litellm.url or aliases.\"gpt-4.1\"",
                text.escape_default()
            )
        };
        let parts = Key::parse(text).map_err(|_| wrong())?;
        if parts.is_empty() {
            Err(wrong())
        } else {
            Ok(Self { text: text.trim().to_owned(), parts })
        }
    }

    pub fn parts(&self) -> Vec<&str> {
        self.parts.iter().map(Key::get).collect()
    }

    /// The same as the errors of a configuration name settings: the parts with dots between them.
    pub fn path(&self) -> String {
        self.parts().join(".")
    }
}

impl fmt::Display for SettingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A key of these parts, with quotes where TOML needs them.
pub(in super::super) fn dotted(parts: &[&str]) -> String {
    parts.iter().map(|part| Key::new(*part).to_string()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_toml_reads_it() {
        for (text, parts) in [
            ("listen", vec!["listen"]),
            ("providers.litellm.url", vec!["providers", "litellm", "url"]),
            ("aliases.\"gpt-4.1\"", vec!["aliases", "gpt-4.1"]),
            (" aliases . 'a b' ", vec!["aliases", "a b"]),
        ] {
            let key = SettingKey::parse(text).unwrap();
            assert_eq!(key.parts(), parts);
            assert_eq!(SettingKey::parse(&dotted(&parts)).unwrap().parts(), parts);
        }
        for text in ["", "a.", ".a", "a..b", "a=b", "a\nb", "[a]", "a b"] {
            let said = SettingKey::parse(text).unwrap_err();
            assert!(said.contains("is not a key: write it as in TOML"), "{text}: {said}");
        }
    }
}
