//! Sums as a table of comma-separated values.

use std::fmt::Write;

use super::report::{Query, Row, dollars};

/// RFC 4180, with all sums.
pub(in crate::native) fn csv(query: &Query, rows: &[Row]) -> String {
    let groups = query.by.iter().map(|group| group.as_str().to_owned());
    let sums = rows.first().map_or_else(Vec::new, |row| {
        row.sums.iter().map(|sum| sum.name.to_owned()).collect::<Vec<_>>()
    });
    let head: Vec<_> = groups.chain(sums).chain(["cost_usd".to_owned()]).collect();
    let mut text = format!("{}\n", head.join(","));
    for row in rows {
        let group = row.group.iter().map(|(_, value)| quoted(value));
        let sums = row.sums.iter().map(|sum| sum.value.to_string());
        let cells: Vec<_> = group.chain(sums).chain([dollars(row.cost_nanos)]).collect();
        let _ = writeln!(text, "{}", cells.join(","));
    }
    text
}

/// Clients choose the names of models: a spreadsheet must not take one for a formula.
fn quoted(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = format!("{}{value}", if is_formula { "'" } else { "" });
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_is_not_a_formula() {
        for (value, cell) in [
            ("gpt-4o", "gpt-4o"),
            ("a,b", "\"a,b\""),
            ("say \"a\"", "\"say \"\"a\"\"\""),
            ("=1+1", "'=1+1"),
            ("@sum", "'@sum"),
            ("-a,b", "\"'-a,b\""),
            ("+1", "'+1"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(quoted(value), cell);
        }
    }
}
