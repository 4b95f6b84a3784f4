//! The bounds of what a scanner accepts and keeps.

/// The most levels of nesting, the outermost object included: `serde_json`'s own limit.
pub const DEPTH_MAX: u32 = 127;

/// The longest top-level key, decoded. OpenAI's longest is `max_completion_tokens`.
pub const KEY_BYTES_MAX: usize = 256;

/// The most bytes of one part's headers. A file name has at most 255 characters. Parsers have limits of
/// their own, and some would read a part without the rest of its headers.
pub const HEADERS_BYTES_MAX: usize = 4096;
