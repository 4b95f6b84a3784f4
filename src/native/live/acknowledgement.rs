//! Whether Envoy has taken a document, by Envoy's statistics: its config dump shows refused documents as if they served.
//!
//! | statistic | after a document of version V |
//! |---|---|
//! | `version_text` | is `"V"` once Envoy has taken the document, and stays as it was if Envoy refuses |
//! | `update_rejected` | grows when Envoy refuses the content |
//! | `update_failure` | grows when Envoy cannot read the document |
//! | `config_fail` | grows when the filter refuses its configuration |

use crate::native::render::live::Kind;

/// The counters that grow when a document is refused.
const REFUSALS: [&str; 3] = ["update_rejected", "update_failure", "config_fail"];

/// What Envoy's statistics say of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    version: Option<u64>,
    refusals: u64,
}

/// What has become of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Taken,
    Refused,
    Waiting,
}

impl Reading {
    /// The question for the admin interface.
    pub(super) fn path(kind: Kind) -> String {
        let prefix = kind.stat_prefix().replace('.', "\\.");
        format!("/stats?filter=^{prefix}\\.(version_text|{})$", REFUSALS.join("|"))
    }

    /// Reads lines as `cluster_manager.cds.version_text: "3"`.
    pub(super) fn of(kind: Kind, text: &str) -> Self {
        let mut reading = Self::default();
        let prefix = kind.stat_prefix() + ".";
        for line in text.lines() {
            let Some((name, value)) =
                line.strip_prefix(&prefix).and_then(|own| own.split_once(": "))
            else {
                continue;
            };
            match value.trim_matches('"').parse() {
                Ok(number) if name == "version_text" => reading.version = Some(number),
                Ok(number) if REFUSALS.contains(&name) => reading.refusals += number,
                _ => {}
            }
        }
        reading
    }

    /// What has become of the document with this version, which was written after `before` was read.
    pub(super) fn progress(&self, version: u64, before: &Self) -> Progress {
        match self.version == Some(version) {
            true => Progress::Taken,
            false if self.refusals > before.refusals => Progress::Refused,
            false => Progress::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_the_statistics_of_one_kind() {
        assert_eq!(
            Reading::path(Kind::ClientRoutes),
            r"/stats?filter=^http\.gaud\.rds\.gaud\.(version_text|update_rejected|update_failure|config_fail)$"
        );
    }

    #[test]
    fn a_document_is_taken_refused_or_under_way() {
        let stats = |version: &str, rejected: u32, failed: u32| {
            let text = format!(
                "cluster_manager.cds.update_failure: {failed}\ncluster_manager.cds.update_rejected: {rejected}\n\
                 cluster_manager.cds.version_text: \"{version}\"\n"
            );
            Reading::of(Kind::Clusters, &text)
        };
        let before = stats("1", 1, 0);
        for (reading, progress) in [
            (stats("1", 1, 0), Progress::Waiting),
            (stats("2", 1, 0), Progress::Taken),
            (stats("1", 2, 0), Progress::Refused),
            (stats("1", 1, 1), Progress::Refused),
            (stats("", 1, 0), Progress::Waiting),
            (Reading::of(Kind::Clusters, ""), Progress::Waiting),
            (
                Reading::of(Kind::Listeners, "cluster_manager.cds.version_text: \"2\""),
                Progress::Waiting,
            ),
        ] {
            assert_eq!(reading.progress(2, &before), progress, "{reading:?}");
        }
    }
}
