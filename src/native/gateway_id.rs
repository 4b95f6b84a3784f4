//! Which gateway this is: a number of its own in the data folder, so that a gateway that comes back goes on with its leases.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::native::private_file;

const FILE: &str = "gateway";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GatewayId(String);

impl GatewayId {
    /// The number in a folder, which is made where there is none.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Ok(Self(text.trim().to_owned())),
            Ok(_) | Err(_) => {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes).map_err(io::Error::other)?;
                let id = format!("{:032x}", u128::from_be_bytes(bytes));
                writeln!(private_file::create(&path)?, "{id}")?;
                Ok(Self(id))
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn named(id: &str) -> Self {
        Self(id.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
