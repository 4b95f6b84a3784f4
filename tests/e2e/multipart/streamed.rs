//! A file is not held once its model is known.

use super::{TRANSCRIPTIONS, file, form, model, post};
use crate::upload::{over_http1, over_http2, streams};

const SIZE: usize = 50_000_000;

#[test]
fn a_form_that_names_its_model_first_is_not_held_over_http1() {
    let request = post(TRANSCRIPTIONS, form(&[model("one:m"), file(SIZE)]));
    streams(request, &form(&[model("m"), file(SIZE)]), over_http1);
}

#[test]
fn a_form_that_names_its_model_first_is_not_held_over_http2() {
    let request = post(TRANSCRIPTIONS, form(&[model("one:m"), file(SIZE)]));
    streams(request, &form(&[model("m"), file(SIZE)]), over_http2);
}
