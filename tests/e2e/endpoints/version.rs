//! A path that names a model may lack its `/v1`, as LiteLLM's clients may write it.

use super::{asking, rows, setup};
use gaud::request::endpoint::table::{Meaning, Row};

/// A row's path without its version; `None` where it has another one, or none.
fn bare(row: &Row) -> Option<&'static str> {
    row.path.strip_prefix("/v1").filter(|rest| rest.starts_with('/'))
}

#[test]
fn paths_with_a_model_may_lack_their_version() {
    let with_model = rows().filter(|(row, _)| row.meaning != Meaning::NoModel);
    for (row, method) in with_model.filter(|(row, _)| bare(row).is_some()) {
        let mut request = asking(row, method, "away:m");
        let case = format!("bare {method} {}", row.path);
        let expected = String::from_utf8(asking(row, method, "m").path).expect("a path");
        request.path.drain(.."/v1".len());
        for seen in setup().reaches("away", &case, &request) {
            assert_eq!(seen.path, format!("/base{expected}"), "{case}");
            assert_eq!(seen.headers.all("x-api-key"), ["sk-of-away"], "{case}");
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn paths_without_a_model_do_not() {
    let without = rows().filter(|(row, _)| row.meaning == Meaning::NoModel);
    for (row, method) in without.filter(|(row, _)| bare(row).is_some()) {
        let mut request = asking(row, method, "away:m");
        request.path.drain(.."/v1".len());
        let expected = String::from_utf8(request.path.clone()).expect("a path");
        let case = format!("bare {method} {}", row.path);
        for seen in setup().reaches("home", &case, &request) {
            assert_eq!((seen.path.as_str(), seen.header("authorization")), (&*expected, None));
        }
    }
    setup().gateway.assert_no_trap();
}
