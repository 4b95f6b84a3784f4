//! Errors of the operating system in plain words.

use std::io::{Error, ErrorKind};

/// What has happened, without the system's number.
pub(crate) fn words(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it is not there".to_owned(),
        ErrorKind::PermissionDenied => "this user may not".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::QuotaExceeded => "this user's share of the disk is full".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the disk can only be read".to_owned(),
        ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        ErrorKind::InvalidData => "it is not a text in UTF-8".to_owned(),
        ErrorKind::ConnectionRefused => "nothing takes connections there".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_words_and_others_the_systems() {
        assert_eq!(words(&Error::from_raw_os_error(28)), "the disk is full");
        assert_eq!(words(&Error::from_raw_os_error(30)), "the disk can only be read");
        assert_eq!(words(&Error::other("odd")), "odd");
    }
}
