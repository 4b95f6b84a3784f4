//! Pieces of JSON whose lengths and numbers look random.

use std::fmt::Write as _;

/// A linear congruential generator with Knuth's constants.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    pub(crate) fn word(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }

    /// As embeddings have them: seventeen digits, a sign, an exponent now and then.
    pub(crate) fn float(&mut self, out: &mut String) {
        let sign = ["", "-"][self.below(2)];
        let exponent = ["", "", "", "", "", "", "", "e-05"][self.below(8)];
        let digits = self.below(1 << 30) * self.below(1 << 23);
        _ = write!(out, "{sign}0.0{digits}{exponent}");
    }

    /// Objects and arrays within each other, with little in them.
    pub(crate) fn tree(&mut self, out: &mut String, depth: usize) {
        let (key, value) = (self.word(3), self.below(1000));
        match (depth, self.below(3)) {
            (0, _) => _ = write!(out, "{value}"),
            (_, 0) => {
                out.push('[');
                self.tree(out, depth - 1);
                _ = write!(out, ",{value}]");
            }
            _ => {
                _ = write!(out, "{{\"{key}\":");
                self.tree(out, depth - 1);
                out.push('}');
            }
        }
    }

    /// One object of many members.
    pub(crate) fn row(&mut self, out: &mut String, members: usize) {
        let mut before = '{';
        for _ in 0..members {
            let length = self.below(12) + 1;
            let (key, value, kind) = (self.word(length), self.below(10_000), self.below(4));
            _ = match kind {
                0 => write!(out, "{before}\"{key}\":true"),
                1 => write!(out, "{before}\"{key}\":\"v{value}\""),
                _ => write!(out, "{before}\"{key}\":{value}"),
            };
            before = ',';
        }
        out.push('}');
    }

    /// A function's schema. `line` begins each line of an indented one.
    pub(crate) fn tool(&mut self, out: &mut String, line: &str) {
        let (name, about) = (self.word(9), self.below(40) + 10);
        let (first, second) = (self.word(6), self.word(4));
        let about = "What it does, and for whom, in a line. ".repeat(2)[..about].to_owned();
        let parts = [
            (2, r#"{"type":"function","#.to_owned()),
            (2, r#""function":{"#.to_owned()),
            (4, format!(r#""name":"{name}","#)),
            (4, format!(r#""description":"{about}","#)),
            (4, r#""parameters":{"#.to_owned()),
            (5, r#""type":"object","#.to_owned()),
            (5, r#""properties":{"#.to_owned()),
            (6, format!(r#""{first}":{{"#)),
            (7, r#""type":"string","#.to_owned()),
            (7, r#""enum":["#.to_owned()),
            (8, r#""celsius","#.to_owned()),
            (8, r#""fahrenheit""#.to_owned()),
            (7, "]".to_owned()),
            (6, "},".to_owned()),
            (6, format!(r#""{second}":{{"#)),
            (7, r#""type":"integer","#.to_owned()),
            (7, r#""minimum":1"#.to_owned()),
            (6, "}".to_owned()),
            (5, "},".to_owned()),
            (5, format!(r#""required":["{first}"],"#)),
            (5, r#""additionalProperties":false"#.to_owned()),
            (4, "}".to_owned()),
            (3, "}".to_owned()),
            (2, "}".to_owned()),
        ];
        for (indent, part) in parts {
            match line {
                "" => out.push_str(&part),
                line => {
                    _ = write!(
                        out,
                        "{line}{:width$}{}",
                        "",
                        part.replace("\":", "\": "),
                        width = 2 * indent
                    )
                }
            }
        }
    }
}
