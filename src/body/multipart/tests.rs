//! Every row is read at once, byte by byte, and at every split, a short one at every two. In the rows `b` is the
//! boundary, `|` is CRLF, and `^` is `content-disposition: form-data; `.

use super::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What a form comes to: its model with its place, or what is wrong and where.
type Verdict = Result<Option<(String, u64, u64)>, String>;

fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Verdict {
    let boundary = Boundary::parse(b"multipart/form-data; boundary=b").unwrap();
    let mut scanner = FormScanner::new(boundary);
    for piece in pieces {
        scanner.feed(piece).map_err(|error| error.to_string())?;
    }
    scanner.finish().map_err(|error| error.to_string())?;
    assert!(scanner.is_complete());
    Ok(scanner.model().map(|found| (found.value.clone(), found.start, found.end)))
}

#[track_caller]
fn check_bytes(body: &[u8], expected: &Verdict) {
    let shown = String::from_utf8_lossy(body);
    assert_eq!(&scan([body]), expected, "{shown:?} at once");
    assert_eq!(&scan(body.chunks(1)), expected, "{shown:?} byte by byte");
    for first in 0..=body.len() {
        // Of a long body one split is enough: the other would not come near.
        let second = if body.len() > 100 { body.len()..=body.len() } else { first..=body.len() };
        for second in second {
            let pieces = [&body[..first], &body[first..second], &body[second..]];
            assert_eq!(&scan(pieces), expected, "{shown:?} split at {first} and {second}");
        }
    }
}

fn written(row: &str) -> String {
    row.replace('|', "\r\n").replace('^', "content-disposition: form-data; ")
}

/// Checks the model, whose place is its first occurrence in the row.
#[track_caller]
fn finds(row: &str, model: &str) {
    let body = written(row);
    let value = written(model);
    let (before, _) = body.split_once(&format!("\r\n\r\n{value}\r\n")).unwrap();
    let start = format!("{before}\r\n\r\n").len() as u64;
    let end = start.saturating_add(value.len() as u64);
    let expected = Ok(Some((value, start, end)));
    check_bytes(body.as_bytes(), &expected);
}

#[track_caller]
fn finds_none(row: &str) {
    check_bytes(written(row).as_bytes(), &Ok(None));
}

/// Checks the problem and its place: the byte after `read`, the part of the row before the problem.
#[track_caller]
fn refuses(read: &str, rest: &str, text: &str) {
    let offset = written(read).len();
    let expected = Err(format!("{text} at byte offset {offset}"));
    check_bytes(written(&format!("{read}{rest}")).as_bytes(), &expected);
}

#[test]
fn finds_the_model_in_every_place() {
    finds("--b|^name=\"model\"||a|--b--|", "a");
    finds("--b|^name=model||gpt-4o|--b--", "gpt-4o");
    finds("--b|^name=\"file\"; filename=\"x\"||data|--b|^name=\"model\"||a|--b--|", "a");
    finds("--b|^name=\"model\"||a|--b|^name=\"n\"||1|--b--||", "a");
    finds(
        "--b|x: y|^name=\"model\"|content-type: text/plain; charset=UTF-8||\u{e9}|--b--",
        "\u{e9}",
    );
    finds("--b|Content-Disposition:form-data;NAME=\"model\"||a|--b--", "a");
    finds("--b|^name=\"model\"|||--b--", "");
    finds("--b|^name=\"model\"||a|||--b--", "a||");
    finds("--b|^name=\"model\"||a\r|--b--", "a\r");
    finds("--b|^name=\"model\"||-- --a\n-|-\r-|--b--", "-- --a\n-|-\r-");
}

#[test]
fn other_fields_pass() {
    finds_none("--b--");
    finds_none("--b--|");
    finds_none("--b|^name=\"models\"||a|--b|^name=\"\"||a|--b--");
    finds_none("--b|^name=\"a\"; filename=\"a; name=model\"||model|--b--");
    finds_none("--b|^filename=\"; name=\"; name=\"a\"||\0\u{ff}\r\r\n\n-|--c|--b--");
    finds_none("--b|^name=\"f\"; filename*=utf-8''%6d|content-type: ?|x:||a|--b--");
    finds_none("--b|^name=\"f\"|content-transfer-encoding: base64||YQ==|--b--");
    finds_none("--b|^name=\"models\"||a|--b|^name=\"a%\"||a|--b|^name=\"mod%6\"||a|--b--");
    check_bytes(
        b"--b\r\ncontent-disposition: form-data; name=x\r\n\r\n\xff\xfe\r\n--b--",
        &Ok(None),
    );
}

#[test]
fn a_preamble_of_whole_lines_passes() {
    finds("|--b|^name=\"model\"||a|--b--", "a");
    finds("for old readers|- one\n\r-|--b|^name=\"model\"||a|--b--", "a");
    let text = "'--' does not begin the boundary that content-type names";
    refuses("--", "c|", text);
    refuses("--", "-b|", text);
    refuses("|--", "-b|", text);
    refuses("a-", "-b|", text);
    refuses("|--", "|--b", text);
    refuses("\n--", "b|", "the lines of a form must end with CRLF");
    refuses("|a\r--", "b|", "the lines of a form must end with CRLF");
}

#[test]
fn lines_end_with_crlf() {
    let text = "the lines of a form must end with CRLF";
    refuses("--b", "\n^name=\"model\"\n\na\n--b--\n", text);
    refuses("--b\r", "\r\n", text);
    refuses("--b|^name=a", "\n", text);
    refuses("--b|^name=a\r", "x", text);
    refuses("--b|^name=a||x\n--", "b--|", text);
    refuses("--b|^name=a||x\r--", "b--|", text);
    refuses("--b|^name=a||\n--", "b--|", text);
    refuses("--b|^name=a||x|\n--", "b--|", text);
    refuses("--b|^name=a||x|\r--", "b--|", text);
}

#[test]
fn a_boundary_is_a_whole_line() {
    let text = "a boundary must be followed by CRLF or '--'";
    refuses("--b", "x|", text);
    refuses("--b", " |", text);
    refuses("--b-", "x", text);
    refuses("--b|^name=a||x|--b", "x|--b--", text);
    refuses("--b|^name=a||x|--b", "\t|", text);
    refuses("--b|^name=a||x|--b-", "|", text);
    let text = "a part without content needs a CRLF before the boundary";
    refuses("--b|^name=a||--", "b|", text);
}

#[test]
fn a_form_ends_with_its_closing_boundary() {
    let text = "the body ends before the form's closing boundary";
    for row in
        ["--", "--b", "--b-", "--b|", "--b|^na", "--b|^name=model||a", "--b|^name=model||a|--b"]
    {
        refuses(row, "", text);
    }
    refuses("--b|^name=model||a|--b|", "", text);
    refuses("", "", text);
    let text = "unexpected bytes after the form's closing boundary";
    refuses("--b--", " ", text);
    refuses("--b--", "\n", text);
    refuses("--b--|", "--b|", text);
    refuses("--b--\r", "", text);
    refuses("--b--\r", "\r", text);
}

#[test]
fn headers_are_plain() {
    refuses("--b|", " x: y|", "a header of a part must be one line");
    refuses("--b|^name=a|", "\tx|", "a header of a part must be one line");
    refuses("--b|x: \ty", "\0|", "control character in a header of a part");
    refuses("--b|x", "\u{7f}: y|", "control character in a header of a part");
    let text = "a header of a part must read 'name: value'";
    for row in ["--b|x\r", "--b|x : y\r", "--b|: y\r", "--b|--b: y\r", "--b|\u{e9}: y\r"] {
        refuses(row, "\n|", text);
    }
    let latin = b"--b\r\ncontent-disposition: form-data; name=a; filename=\"\xe9\"\r\n\r\n";
    let expected =
        format!("a header of a part is not valid UTF-8 at byte offset {}", latin.len() - 3);
    check_bytes(latin, &Err(expected));
    let room = HEADERS_BYTES_MAX - written("^name=a|").len() - "x: ".len();
    let long = "y".repeat(room);
    finds_none(&format!("--b|^name=a|x: {long}||a|--b|^name=a||a|--b--"));
    let text = "the headers of a part exceed 4096 bytes";
    refuses(&format!("--b|^name=a|x: {long}"), "y|", text);
}

#[test]
fn a_part_has_one_name() {
    refuses("--b|x: y|\r", "\na|", "a part has no content-disposition");
    refuses("--b|\r", "\na|", "a part has no content-disposition");
    refuses("--b|^name=a|^name=a\r", "\n", "a part has a second content-disposition");
    let text =
        "content-disposition must read 'form-data; name=\"...\"', with further parameters alike";
    for row in [
        "attachment; name=a",
        "",
        "form-data, name=a",
        "form-data; name=\"a\"b",
        "form-data;\tname=a",
    ] {
        refuses(&format!("--b|content-disposition: {row}\r"), "\n", text);
    }
    refuses(
        "--b|^name=\"a\\\"; name=model\"\r",
        "\n",
        "content-disposition has '\\\"' in a value: write %22 instead",
    );
    refuses("--b|^filename=name\r", "\n", "content-disposition has no 'name'");
    refuses("--b|^name=a; Name=model\r", "\n", "content-disposition has a second 'name'");
    let text = "content-disposition has 'name*': write 'name' in UTF-8 instead";
    refuses("--b|^name=a; name*=utf-8''model\r", "\n", text);
    refuses("--b|^name*0=mo; name*1=del\r", "\n", text);
}

#[test]
fn a_name_is_model_for_every_parser_or_for_none() {
    let text = "a field's name can be read as 'model' or not: write it plainly";
    for name in [
        " model",
        "model\t",
        "mo\\del",
        "\\m\\o\\d\\e\\l",
        "mod%65l",
        "%6D%6f%64%65%6C",
        "%5cmodel",
        "%20model",
        "'model'",
        "<model>",
        "%22model%22",
        "=?utf-8?q?model?=",
        "Model",
        "model[]",
        "model[x]",
        "[model]",
        "model.x",
    ] {
        refuses(&format!("--b|^name=\"{name}\"\r"), "\n", text);
    }
    let text = "a form must be UTF-8, without a '_charset_' field";
    refuses("--b|^name=_charset_\r", "\n", text);
}

#[test]
fn a_model_is_a_plain_field() {
    let refuses_header = |header: &str, text: &str| {
        refuses(&format!("--b|^name=model|{header}|\r"), "\na|--b--", text);
        refuses(&format!("--b|{header}|^name=model|\r"), "\na|--b--", text);
        finds_none(&format!("--b|^name=other|{header}||a|--b--"));
    };
    let text = "'model' must be text/plain, or have no content-type";
    refuses_header("content-type: application/octet-stream", text);
    refuses_header("content-type:", text);
    refuses_header("content-type: text/plain; charset", text);
    let text = "'model' must be UTF-8: its content-type names another charset";
    refuses_header("Content-Type: text/plain; charset=utf-16", text);
    refuses_header("content-type: text/plain; charset*=utf-8''utf-7", text);
    let text = "'model' must have no content-transfer-encoding but 8bit";
    refuses_header("content-transfer-encoding: quoted-printable", text);
    let text = "'model' is a file: send it without a filename";
    refuses("--b|^name=model; filename=a|\r", "\n", text);
    refuses("--b|^filename=\"\"; name=model|\r", "\n", text);
    refuses("--b|^name=model; Filename*=utf-8''a|\r", "\n", text);
    finds("--b|^name=model|content-transfer-encoding: 8BIT||a|--b--", "a");
}

#[test]
fn a_model_is_utf8() {
    let head = "--b\r\ncontent-disposition: form-data; name=model\r\n";
    let body = [head.as_bytes(), b"\r\na\xff\r\n--b--"].concat();
    let text = format!("'model' is not valid UTF-8 at byte offset {}", body.len() - 1);
    check_bytes(&body, &Err(text));
    finds("--b|^name=model|content-type: text/plain; charset=ISO-8859-1||a|--b--", "a");
    finds("--b|^name=model|content-type: text/plain; charset=us-ascii||a|--b--", "a");
    refuses(
        "--b|^name=model|content-type: text/plain; charset=us-ascii||\u{e9}|--b-",
        "-",
        "'model' must be UTF-8: its content-type names another charset",
    );
}

#[test]
fn refuses_a_second_model() {
    refuses("--b|^name=model||a|--b|^name=\"model\"|\r", "\na|--b--", "a second 'model'");
}

#[test]
fn a_model_beyond_the_limit_is_refused() {
    let name = "m".repeat(MODEL_BYTES_MAX);
    finds(&format!("--b|^name=model||{name}|--b--"), &name);
    refuses(&format!("--b|^name=model||{name}"), "m|--b--", "'model' is longer than 512 bytes");
    refuses(&format!("--b|^name=model||{name}|--"), "a", "'model' is longer than 512 bytes");
}

#[test]
fn a_model_is_found_when_the_delimiter_after_it_has_come() {
    let boundary = Boundary::parse(b"multipart/form-data; boundary=b").unwrap();
    let mut scanner = FormScanner::new(boundary);
    scanner.feed(written("--b|^name=model||a|--b\r").as_bytes()).unwrap();
    assert_eq!(scanner.model(), None);
    scanner.feed(b"\n").unwrap();
    assert_eq!(scanner.model().unwrap().value, "a");
    assert!(!scanner.is_complete());
}

#[test]
fn long_files_are_skipped_up_to_the_delimiter() {
    for length in (0..40).chain([64, 100, 1000]) {
        let file = "x\r\n-\n".repeat(length / 5) + &"y".repeat(length % 5 + length / 2);
        finds_none(&format!("--b|^name=f; filename=f||{file}|--b--|"));
        refuses(
            &format!("--b|^name=f; filename=f||{file}\n--"),
            "b--|",
            "the lines of a form must end with CRLF",
        );
    }
}
