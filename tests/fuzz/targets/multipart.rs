//! The form scanner says the same however a form is cut, and what it takes a naive reader reads in
//! the same way.
//!
//! An input is a number of one of the [`BOUNDARIES`] and a form.

use gaud::body::{Boundary, FormScanner, Scanner};

use super::input::{Input, check_edit, scan, scan_every_way};

/// What a client may choose: letters, hyphens alone, and all that must be quoted.
const BOUNDARIES: [&str; 4] = ["b", "----WebKitFormBoundary7MA4YWxk", "-", "(a b)?=:/,"];

pub(crate) fn run(data: &[u8]) {
    let Some(Input { bytes, cuts }) = Input::parse(data) else { return };
    let Some((kind, form)) = bytes.split_first() else { return };
    let boundary = BOUNDARIES[usize::from(*kind) % BOUNDARIES.len()];
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let content_type = format!("multipart/form-data; boundary=\"{boundary}\"");
    let boundary = Boundary::parse(content_type.as_bytes()).expect("a boundary");
    let cuts = cuts.into_iter().map(|cut| cut % (form.len() + 1));
    let mut input = Input { bytes: form, cuts: cuts.collect() };
    input.cuts.sort_unstable();
    let begin = || Scanner::Form(FormScanner::new(boundary.clone()));
    let (scanner, verdict) = scan_every_way(&input, begin);
    let found = match verdict {
        Ok(found) => found,
        Err(error) => return assert!(error.offset <= form.len() as u64, "{error}"),
    };
    let value = found.as_ref().map(|(value, ..)| value.as_bytes());
    assert_eq!(models(form, &delimiter), value.into_iter().collect::<Vec<_>>());
    let Some((value, start, end)) = found else { return };
    let (before, rest) = form.split_at(start as usize);
    assert!(before.ends_with(b"\r\n\r\n"), "no end of headers before the model");
    assert_eq!(&rest[..(end - start) as usize], value.as_bytes());
    assert!(rest[value.len()..].starts_with(&delimiter), "no delimiter after the model");
    let edit = scanner.edit("p/\u{e9}\"").expect("a model to edit");
    let edited = check_edit(&input, &edit);
    // The new name is not ASCII, which the part's charset may require.
    if let Ok(model) = scan(begin(), [edited.as_slice()]).1 {
        assert_eq!(model.expect("a model").0, "p/\u{e9}\"");
    }
}

/// The contents of all parts named `model`, as who splits at the delimiter sees them.
pub(crate) fn models<'a>(form: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = form;
    // The first delimiter may be at the very start.
    let bare = &delimiter[2..];
    let mut next = match rest.starts_with(bare) {
        true => Some(bare.len()),
        false => find(rest, delimiter).map(|at| at + delimiter.len()),
    };
    while let Some(at) = next {
        rest = &rest[at..];
        if rest.starts_with(b"--") {
            break;
        }
        let Some(end) = find(rest, delimiter) else { break };
        parts.extend(rest.get(2..end));
        next = Some(end + delimiter.len());
    }
    parts.into_iter().filter_map(model).collect()
}

/// The content of a part that is named `model`.
fn model(part: &[u8]) -> Option<&[u8]> {
    let end = find(part, b"\r\n\r\n")?;
    let (headers, content) = (&part[..end], &part[end + 4..]);
    let headers = String::from_utf8_lossy(headers).into_owned();
    let named = headers.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut dispositions =
        named.filter(|(name, _)| name.eq_ignore_ascii_case("content-disposition"));
    let mut is_quoted = false;
    let params = dispositions.next()?.1.split(|letter| {
        is_quoted ^= letter == '"';
        letter == ';' && !is_quoted
    });
    let is_model = params.filter_map(|param| param.split_once('=')).any(|(name, value)| {
        let is_name = name.trim().eq_ignore_ascii_case("name");
        let value = value.trim().trim_matches('"').split('[').next().unwrap_or_default();
        is_name && value.eq_ignore_ascii_case("model")
    });
    is_model.then_some(content)
}

fn find(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}
