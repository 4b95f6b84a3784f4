//! Bodies of chat requests, each with one kind of content; the model comes last.

type Make = fn(usize) -> Vec<u8>;

/// By name, in the table's order.
pub(crate) const CONTENTS: [(&str, Make); 4] = [
    ("prose", |size| {
        body(size, "The quick brown fox jumps over the lazy dog while nobody looks. ")
    }),
    // An escape every 26 bytes, as in code and in JSON inside of JSON.
    ("code", |size| body(size, r"let sum = total(of, all)\n")),
    ("base64", |size| {
        body(size, "iVBORw0KGgoAAAANSUhEUgAABAAAAAMACAYAAAC6uhUNAAEAAElEQVR4nOz9ebxl+V")
    }),
    ("non-ASCII", |size| body(size, "Быстрая лиса 敏捷的棕色狐狸跳过了懒狗 naïve façade 🦊 ")),
];

/// As many messages as there is room for, of a few KB each.
fn body(size: usize, text: &str) -> Vec<u8> {
    const MESSAGE_BYTES: usize = 4_000;
    const END: &str = r#"],"model":"gpt-4o","temperature":0.2}"#;
    let mut body = String::from(r#"{"messages":["#);
    loop {
        let room = size.saturating_sub(body.len() + END.len());
        let message = message(room.min(MESSAGE_BYTES), text);
        if body.len() + message.len() + END.len() > size {
            break;
        }
        body.push_str(&message);
        body.push(',');
    }
    body.pop();
    body.push_str(END);
    body.into_bytes()
}

fn message(size: usize, text: &str) -> String {
    const BEGIN: &str = r#"{"role":"user","content":""#;
    let times = size.saturating_sub(BEGIN.len() + 3).div_euclid(text.len()).max(1);
    format!(r#"{BEGIN}{}"}}"#, text.repeat(times))
}
