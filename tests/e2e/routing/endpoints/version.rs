//! A path that names a model may lack its `/v1`, as LiteLLM's clients may write it.

use super::{asking, rows, setup, stays_home};
use gaud::request::endpoint::table::{Family, Meaning, OPENAI_ROOTS, ROWS, Row};
use gaud::request::endpoint::with_version;

/// A row's path without its version; `None` where it has another one, or none.
fn bare(row: &Row) -> Option<&'static str> {
    let is_openai = row.family == Family::OpenAi;
    row.path.strip_prefix("/v1").filter(|rest| is_openai && rest.starts_with('/'))
}

#[test]
fn paths_with_a_model_may_lack_their_version() {
    let with_model = rows().filter(|(row, _)| !stays_home(row));
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
fn paths_without_a_model_need_their_version() {
    let without = rows().filter(|(row, _)| row.meaning == Meaning::NoModel);
    for (row, method) in without.filter(|(row, _)| bare(row).is_some()) {
        let mut request = asking(row, method, "away:m");
        request.path.drain(.."/v1".len());
        let expected = String::from_utf8(request.path.clone()).expect("a path");
        // The path of another row, which names a model, is one with its version.
        if with_version(&expected).is_some() {
            continue;
        }
        let case = format!("bare {method} {}", row.path);
        for seen in setup().reaches("home", &case, &request) {
            assert_eq!((seen.path.as_str(), seen.header("authorization")), (&*expected, None));
        }
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn azure_and_gemini_have_the_paths_below_their_own() {
    let with_model = rows().filter(|(row, _)| !stays_home(row));
    for (row, method) in with_model.filter(|(row, _)| bare(row).is_some()) {
        for root in OPENAI_ROOTS {
            for version in ["/v1", ""] {
                let below = |model| {
                    let path = String::from_utf8(asking(row, method, model).path).expect("a path");
                    format!("{root}{version}{}", &path["/v1".len()..])
                };
                let mut request = asking(row, method, "away:m");
                request.path = below("away:m").into_bytes();
                let case = format!("{method} {}", below("away:m"));
                for seen in setup().reaches("away", &case, &request) {
                    assert_eq!(seen.path, format!("/base{}", below("m")), "{case}");
                    assert_eq!(seen.headers.all("x-api-key"), ["sk-of-away"], "{case}");
                }
            }
        }
    }
    let gemini = ROWS.iter().filter(|row| row.family == Family::Gemini);
    assert!(gemini.count() > 10);
    setup().gateway.assert_no_trap();
}
