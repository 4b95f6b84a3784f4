//! A file is not held once its model is known.

use super::{TRANSCRIPTIONS, file, form, model, post};
use crate::bodies::uploads::streams;
use crate::kit::client::Client;

const SIZE: usize = 50_000_000;

#[test]
fn a_form_that_names_its_model_first_is_not_held_over_http1() {
    let request = post(TRANSCRIPTIONS, form(&[model("one:m"), file(SIZE)]));
    streams(Client::Http1, request, &form(&[model("m"), file(SIZE)]));
}

#[test]
fn a_form_that_names_its_model_first_is_not_held_over_http2() {
    let request = post(TRANSCRIPTIONS, form(&[model("one:m"), file(SIZE)]));
    streams(Client::Http2, request, &form(&[model("m"), file(SIZE)]));
}
