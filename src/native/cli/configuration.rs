//! Which configuration is in effect, as `gaud status` says it.

use serde::Deserialize;

use crate::native::span::span;

/// What `GET /admin/status` says of it.
#[derive(Deserialize)]
pub(super) struct Configuration {
    version: u64,
    /// Seconds since 1970.
    applied_secs: i64,
    /// Why the file as it is now is not in effect.
    refused: Option<String>,
    last_refusal: Option<Refusal>,
    #[serde(default)]
    waits_for_restart: Vec<String>,
}

#[derive(Deserialize)]
struct Refusal {
    /// Seconds since 1970.
    at_secs: i64,
    reason: String,
}

impl Configuration {
    /// Each with its line break.
    pub(super) fn lines(&self, now_secs: i64) -> String {
        let age = |secs: i64| span(now_secs.saturating_sub(secs));
        let applied = age(self.applied_secs);
        let mut lines = format!("configuration: version {}, applied {applied} ago\n", self.version);
        match (&self.refused, &self.last_refusal) {
            (Some(reason), _) => {
                lines += &format!("the file as it is now is refused:\n{}\n", indented(reason));
            }
            (None, Some(Refusal { at_secs, reason })) => {
                let (age, reason) = (age(*at_secs), indented(reason));
                lines += &format!("the last refused change, {age} ago:\n{reason}\n");
            }
            (None, None) => {}
        }
        if !self.waits_for_restart.is_empty() {
            let waits = self.waits_for_restart.join(", ");
            lines += &format!("waits for a restart of gaud run: {waits}\n");
        }
        lines
    }
}

fn indented(reason: &str) -> String {
    reason.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> String {
        serde_json::from_str::<Configuration>(json).unwrap().lines(1_000_000)
    }

    #[test]
    fn the_version_and_the_last_refusal_are_told() {
        let plain = r#"{"version":1,"applied_secs":999900,"refused":null,"last_refusal":null}"#;
        assert_eq!(lines(plain), "configuration: version 1, applied 100 s ago\n");
        let refused = r#"{"version":3,"applied_secs":990000,"refused":"gaud.toml:5: a: no\ngaud.toml:6: b: no",
            "last_refusal":{"at_secs":999999,"reason":"gaud.toml:5: a: no"},"waits_for_restart":["workers","control"]}"#;
        let said = "\
configuration: version 3, applied 2 h ago
the file as it is now is refused:
    gaud.toml:5: a: no
    gaud.toml:6: b: no
waits for a restart of gaud run: workers, control
";
        assert_eq!(lines(refused), said);
        let earlier = r#"{"version":4,"applied_secs":500000,"refused":null,
            "last_refusal":{"at_secs":999000,"reason":"Envoy refuses lds"}}"#;
        let said = "\
configuration: version 4, applied 5 days ago
the last refused change, 16 min ago:
    Envoy refuses lds
";
        assert_eq!(lines(earlier), said);
    }
}
