//! Forms that two servers could read in two ways are refused, and no provider sees a whole one.

use super::{BOUNDARY, TRANSCRIPTIONS, file, find, form, model, of_type, part, post};
use crate::kit::pair::Pair;
use crate::kit::refusal::{self, Refusal};

fn refuses(case: &str, body: Vec<u8>, refusal: &Refusal) {
    Pair::both_refuse(case, &post(TRANSCRIPTIONS, body), refusal);
}

#[test]
fn lines_that_end_with_lf_alone_are_refused() {
    let text = String::from_utf8(form(&[model("one:m")])).expect("UTF-8");
    let body = text.replace("\r\n", "\n").into_bytes();
    let at = find(&body, "\n");
    let refusal = refusal::invalid_form("the lines of a form must end with CRLF", at);
    refuses("LF", body, &refusal);
    let in_headers = text.replace("form-data; name=\"model\"\r\n", "form-data; name=\"model\"\n");
    let at = find(in_headers.as_bytes(), "\"model\"\n") + 7;
    let refusal = refusal::invalid_form("the lines of a form must end with CRLF", at);
    refuses("LF in headers", in_headers.into_bytes(), &refusal);
}

#[test]
fn a_second_model_is_refused() {
    for (case, second) in [("same", "one:m"), ("other", "two:x"), ("empty", "")] {
        let body = form(&[model("one:m"), file(100), model(second)]);
        let at = form(&[model("one:m"), file(100)]).len() - "--\r\n".len()
            + find(&model(second), "\r\n\r\n")
            + "\r\n\r\n".len()
            - BOUNDARY.len()
            - "--".len()
            - 1;
        refuses(&format!("second, {case}"), body, &refusal::duplicate_model(at));
    }
}

#[test]
fn a_model_that_is_a_file_is_refused() {
    for (case, disposition, headers, problem) in [
        (
            "file",
            "name=\"model\"; filename=\"m.txt\"",
            "",
            "'model' is a file: send it without a filename",
        ),
        (
            "file*",
            "name=\"model\"; filename*=UTF-8''m.txt",
            "",
            "'model' is a file: send it without a filename",
        ),
        (
            "JSON",
            "name=\"model\"",
            "Content-Type: application/json\r\n",
            "'model' must be text/plain, or have no content-type",
        ),
        (
            "base64",
            "name=\"model\"",
            "Content-Transfer-Encoding: base64\r\n",
            "'model' must have no content-transfer-encoding but 8bit",
        ),
        (
            "UTF-16",
            "name=\"model\"",
            "Content-Type: text/plain; charset=utf-16\r\n",
            "'model' must be UTF-8: its content-type names another charset",
        ),
    ] {
        let body = form(&[part(disposition, headers, b"one:m")]);
        let at = find(&body, "\r\n\r\n") + 3;
        refuses(&format!("model as {case}"), body, &refusal::invalid_form(problem, at));
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    let body = form(&[model("one:m"), file(100_000)]);
    for (case, after) in [("text", &b"x"[..]), ("a form", &form(&[model("two:x")]))] {
        let refusal =
            refusal::invalid_form("unexpected bytes after the form's closing boundary", body.len());
        refuses(&format!("after: {case}"), [&body, after].concat(), &refusal);
    }
}

#[test]
fn a_form_without_its_end_is_refused() {
    let whole = form(&[model("one:m"), file(100_000)]);
    for (case, length) in
        [("file", whole.len() - 60_000), ("mark", whole.len() - 3), ("model", 120)]
    {
        let body = whole[..length].to_vec();
        let refusal =
            refusal::invalid_form("the body ends before the form's closing boundary", length);
        refuses(&format!("without its end: {case}"), body, &refusal);
    }
}

#[test]
fn names_that_could_be_the_model_are_refused() {
    for (name, problem, after) in [
        ("name=\" model\"", "a field's name can be read as 'model' or not: write it plainly", ""),
        ("name=\"Model\"", "a field's name can be read as 'model' or not: write it plainly", ""),
        ("name=\"model[]\"", "a field's name can be read as 'model' or not: write it plainly", ""),
        ("name=\"%6dodel\"", "a field's name can be read as 'model' or not: write it plainly", ""),
        (
            "name*=UTF-8''model",
            "content-disposition has 'name*': write 'name' in UTF-8 instead",
            "",
        ),
        ("name=\"a\"; name=\"model\"", "content-disposition has a second 'name'", ""),
        ("filename=\"model\"", "content-disposition has no 'name'", ""),
        ("name=\"_charset_\"", "a form must be UTF-8, without a '_charset_' field", ""),
    ] {
        let body = form(&[part(name, after, b"two:x"), model("one:m")]);
        let at = find(&body, name) + name.len() + 1;
        refuses(&format!("name {name}"), body, &refusal::invalid_form(problem, at));
    }
}

#[test]
fn a_content_type_without_a_good_boundary_is_refused() {
    for (params, problem) in [
        ("", "content-type names no boundary"),
        ("; boundary=\"\"", "the boundary is empty"),
        ("; boundary=\"a \"", "the boundary has a character that RFC 2046 does not allow there"),
        ("; boundary=a; boundary=b", "content-type names a second boundary"),
        (
            "; boundary*=UTF-8''a",
            "content-type has 'boundary*' or 'charset*': leave out the asterisk",
        ),
        (
            "; boundary=a; charset=utf-16",
            "a form must be UTF-8: content-type names another charset",
        ),
        (", x; boundary=a", "content-type must begin with 'multipart/form-data;', in lower case"),
    ] {
        let content_type = format!("multipart/form-data{params}");
        let request = of_type(TRANSCRIPTIONS, &content_type, form(&[model("one:m")]));
        let message = format!("The form cannot be read: {problem}.");
        let refusal = refusal::invalid_form("", 0).saying(&message);
        Pair::both_refuse(&format!("boundary {params}"), &request, &refusal);
    }
}

#[test]
fn a_models_name_is_checked_as_in_json() {
    refuses("empty", form(&[model("")]), &refusal::invalid_model("is empty"));
    refuses("line", form(&[model("one:a\nb")]), &refusal::invalid_model("has a control character"));
    refuses("alone", form(&[model("one:")]), &refusal::missing_model("one:"));
    let body = form(&[part("name=\"model\"", "", b"one:\xff")]);
    let at = body.len() - 3;
    refuses("UTF-8", body, &refusal::invalid_form("'model' is not valid UTF-8", at));
    let long = form(&[model(&"m".repeat(600))]);
    let at = find(&long, "\r\n\r\n") + 4 + 512;
    refuses("long", long, &refusal::unreadable_model("is longer than 512 bytes", at));
}
