//! HTTP/1.1 messages, read whole: requests by the provider, responses by the clients.

use std::fmt;
use std::io::BufRead;

/// A message that has come to its end.
pub(crate) struct Message {
    /// The words of the first line.
    pub(crate) start: [String; 3],
    headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads the next one; `None` when it is cut or no HTTP.
    pub(crate) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut message = Self::head(reader)?;
        let is_response = message.start[0].starts_with("HTTP/");
        let length = message.header("content-length").map(|length| length.parse().ok());
        message.body = match (message.header("transfer-encoding"), length) {
            (Some(_), _) => chunks(reader)?,
            (None, Some(length)) => exactly(reader, length?)?,
            (None, None) if is_response && message.status() >= 200 && message.status() != 204 => {
                let mut rest = Vec::new();
                reader.read_to_end(&mut rest).ok()?;
                rest
            }
            (None, None) => Vec::new(),
        };
        Some(message)
    }

    /// Reads the next one's head; its body is left unread.
    pub(crate) fn head(reader: &mut impl BufRead) -> Option<Self> {
        let first = String::from_utf8_lossy(&line(reader)?).into_owned();
        let mut words = first.splitn(3, ' ').map(str::to_owned);
        let start = [words.next()?, words.next()?, words.next().unwrap_or_default()];
        let mut headers = Vec::new();
        loop {
            let line = line(reader)?;
            if line.is_empty() {
                return Some(Self { start, headers, body: Vec::new() });
            }
            let at = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8_lossy(&line[..at]).to_ascii_lowercase();
            headers.push((name, line[at + 1..].trim_ascii().to_vec()));
        }
    }

    /// A response's status; 0 when there is none.
    pub(crate) fn status(&self) -> u16 {
        self.start[1].parse().unwrap_or(0)
    }

    /// The first value of a header, as text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |bytes: &[u8]| bytes[..bytes.len().min(500)].escape_ascii().to_string();
        write!(f, "{:?}", self.start)?;
        for (name, value) in &self.headers {
            write!(f, " {name}={}", show(value))?;
        }
        write!(f, " body {}: {}", self.body.len(), show(&self.body))
    }
}

fn line(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    line.strip_suffix(b"\r\n").map(<[u8]>::to_vec)
}

fn exactly(reader: &mut impl BufRead, length: usize) -> Option<Vec<u8>> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok().map(|()| body)
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = String::from_utf8(line(reader)?).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            while !line(reader)?.is_empty() {} // trailers
            return Some(body);
        }
        body.extend(exactly(reader, size)?);
        line(reader)?;
    }
}
