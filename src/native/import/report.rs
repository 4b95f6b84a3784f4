//! What has become of each entry of a file.

use std::fmt;

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Requests go to the provider.
    Direct,
    /// LiteLLM does it as before.
    Stays,
    /// LiteLLM itself would refuse or ignore the entry as it is.
    Refused,
    /// A setting of Gaud's does the same.
    Taken,
    /// LiteLLM does it for what stays, and nothing does it for what goes direct.
    Lost,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The place of the file's name in the report's files.
    pub file: usize,
    /// From 1.
    pub line: usize,
    /// The entry.
    pub what: String,
    pub verdict: Verdict,
    /// The entry is of `model_list`.
    pub is_model: bool,
    /// Where to, why, or what to write.
    pub why: String,
}

/// The lines of a file and of those that it includes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub files: Vec<String>,
    pub lines: Vec<Line>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        (file, line): (usize, usize),
        what: impl Into<String>,
        verdict: Verdict,
        why: impl Into<String>,
    ) {
        let (what, why) = (what.into(), why.into());
        self.lines.push(Line { file, line, what, verdict, is_model: false, why });
    }

    /// Adds the line of an entry of `model_list`.
    pub(super) fn add_model(
        &mut self,
        at: (usize, usize),
        name: &str,
        verdict: Verdict,
        why: String,
    ) {
        self.add(at, name, verdict, why);
        self.lines.iter_mut().last().into_iter().for_each(|line| line.is_model = true);
    }

    /// How many deployments have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.lines.iter().filter(|line| line.is_model && line.verdict == verdict).count()
    }

    /// The lines about what LiteLLM itself would refuse or ignore.
    pub fn refused(&self) -> impl Iterator<Item = String> {
        let refused = self.lines.iter().filter(|line| line.verdict == Verdict::Refused);
        refused.map(|line| self.text(line))
    }

    fn text(&self, line: &Line) -> String {
        let Line { what, why, .. } = line;
        let file = self.files.get(line.file).map_or("", String::as_str);
        let verdict = match line.verdict {
            Verdict::Direct => "direct",
            Verdict::Stays => "stays with LiteLLM",
            Verdict::Refused => "refused",
            Verdict::Taken => "taken over",
            Verdict::Lost => "not on models that go direct",
        };
        match why.as_str() {
            "" => format!("{file}:{}: {what}: {verdict}", line.line),
            _ => format!("{file}:{}: {what}: {verdict}: {why}", line.line),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by_key(|line| (line.file, line.line));
        for line in lines {
            writeln!(f, "{}", self.text(line))?;
        }
        writeln!(
            f,
            "deployments: {} direct, {} with LiteLLM; entries that LiteLLM refuses or ignores: {}",
            self.count(Verdict::Direct),
            self.count(Verdict::Stays),
            self.refused().count()
        )
    }
}
