//! Times as pages show them, in UTC.

use crate::models::date;

/// `2026-11-29 16:50:12`.
pub(super) fn moment(secs: i64) -> String {
    let secs = u64::try_from(secs).unwrap_or_default();
    date::format(secs).replace('T', " ").trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written() {
        assert_eq!(moment(1_709_251_199), "2024-02-29 23:59:59");
        assert_eq!(moment(-1), "1970-01-01 00:00:00");
    }
}
