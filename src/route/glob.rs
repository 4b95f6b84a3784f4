//! Patterns of model names.

/// A pattern in which `*` matches any text, as in a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    pub(super) pattern: String,
}

impl Glob {
    /// The pattern as a person writes it.
    pub fn new(pattern: String) -> Self {
        Self { pattern }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// The text before the first `*`.
    pub(super) fn literal_prefix(&self) -> &str {
        self.pattern.split('*').next().unwrap_or_default()
    }

    /// Whether the whole name matches.
    pub fn matches(&self, model: &str) -> bool {
        let Some((first, rest)) = self.pattern.split_once('*') else {
            return model == self.pattern;
        };
        let Some(mut model) = model.strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        // Each piece in the middle at its first place: that leaves the most text for the others.
        for piece in middle.split('*') {
            match model.split_once(piece) {
                Some((_, after)) => model = after,
                None if piece.is_empty() => {}
                None => return false,
            }
        }
        model.ends_with(last)
    }
}
