//! Bodies of requests, each with one kind of content; the model comes last.
//!
//! Lengths and numbers vary as they do in what clients send, so that no branch predictor learns a
//! body by heart; every run has the same bodies.

use std::fmt::Write as _;

use crate::dice::Dice;

type Make = fn(usize) -> Vec<u8>;

/// By name, in the table's order.
pub(crate) const CONTENTS: [(&str, Make); 19] = [
    ("prose", |size| {
        chat(size, "The quick brown fox jumps over the lazy dog while nobody looks. ")
    }),
    // An escape every 26 bytes, as in code.
    ("code", |size| chat(size, r"let sum = total(of, all)\n")),
    ("base64", |size| {
        chat(size, "iVBORw0KGgoAAAANSUhEUgAABAAAAAMACAYAAAC6uhUNAAEAAElEQVR4nOz9ebxl+V")
    }),
    ("non-ASCII", |size| chat(size, "Быстрая лиса 敏捷的棕色狐狸跳过了懒狗 naïve façade 🦊 ")),
    // The arguments of a tool call.
    ("JSON in a string", |size| {
        chat(size, r#"{\"city\":\"Paris\",\"unit\":\"celsius\",\"days\":3,\"tags\":[\"a\"]},"#)
    }),
    ("mixed escapes", |size| chat(size, r#"lorem ipsum dolor \"quoted\" \n\u00e9\u4e2d"#)),
    // What Python's `json.dumps` makes of text that is not ASCII.
    (r"\uXXXX", |size| chat(size, r"\u654f\u6377\u7684\u68d5\u8272\u72d0\u72f8\u8df3\u8fc7")),
    (r"\uXXXX, pairs", |size| chat(size, r"\ud83e\udd8a\ud83d\ude00\ud83c\udf0d\ud83e\udd80")),
    ("token ids", |size| list(size, "", |dice, item| _ = write!(item, "{}", dice.below(100_000)))),
    ("token ids, spaced", |size| {
        list(size, " ", |dice, item| _ = write!(item, "{}", dice.below(100_000)))
    }),
    ("floats", |size| list(size, "", |dice, item| dice.float(item))),
    ("short strings", |size| {
        list(size, "", |dice, item| {
            let length = dice.below(9);
            _ = write!(item, "\"{}\"", dice.word(length));
        })
    }),
    ("literals", |size| {
        list(size, "", |dice, item| item.push_str(["true", "false", "null"][dice.below(3)]))
    }),
    ("deep", |size| list(size, "", |dice, item| dice.tree(item, 40))),
    // No client sends this: near the limit of 127 levels the scanner reads single bytes.
    ("brackets, 120 deep", |size| {
        list(size, "", |_, item| {
            let (open, close) = ("[".repeat(118), "]".repeat(118));
            _ = write!(item, "{open}{}[]{close}", "[],".repeat(60));
        })
    }),
    ("wide", |size| list(size, "", |dice, item| dice.row(item, 60))),
    ("top-level members", members),
    ("tools", |size| list(size, "", |dice, item| dice.tool(item, ""))),
    // The same, as `json.dumps(…, indent=2)` writes it.
    ("tools, indented", |size| list(size, "\n    ", |dice, item| dice.tool(item, "\n"))),
];

const END: &str = r#"],"model":"gpt-4o","temperature":0.2}"#;

/// A chat of as many messages as there is room for, of a few KB each.
fn chat(size: usize, text: &str) -> Vec<u8> {
    const MESSAGE_BYTES: usize = 4_000;
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
    end(body)
}

fn message(size: usize, text: &str) -> String {
    const BEGIN: &str = r#"{"role":"user","content":""#;
    let times = size.saturating_sub(BEGIN.len() + 3).div_euclid(text.len()).max(1);
    format!(r#"{BEGIN}{}"}}"#, text.repeat(times))
}

/// A list of as many items as there is room for, and one at least.
fn list(size: usize, space: &str, add_item: impl Fn(&mut Dice, &mut String)) -> Vec<u8> {
    let mut body = String::from(r#"{"input":["#);
    let mut dice = Dice::new(size as u64);
    let mut items = 0;
    loop {
        let mut item = String::from(space);
        add_item(&mut dice, &mut item);
        if items > 0 && body.len() + item.len() + END.len() > size {
            break;
        }
        body.push_str(&item);
        body.push(',');
        items += 1;
    }
    end(body)
}

/// An object that has its many members at the top level itself.
fn members(size: usize) -> Vec<u8> {
    let (mut body, mut dice) = (String::from("{"), Dice::new(size as u64));
    while body.len() + END.len() + 24 < size {
        let length = dice.below(12) + 1;
        _ = write!(body, "\"{}\":{},", dice.word(length), dice.below(10_000));
    }
    body.push_str(r#""input":[0,"#);
    end(body)
}

fn end(mut body: String) -> Vec<u8> {
    body.pop();
    body.push_str(END);
    body.into_bytes()
}
