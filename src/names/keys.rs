//! The keys that Gaud gives out: `sk-prx-`, the public id, `-`, and the secret part.

/// How every key begins.
pub const PREFIX: &str = "sk-prx-";

/// How the public id of an admin key begins: an admin key manages, and calls no models.
pub const ADMIN_ID_PREFIX: &str = "adm";

/// The characters of a public id, and of the secret part, which has 160 random bits.
pub const ID_CHARS: usize = 12;
pub const SECRET_CHARS: usize = 32;

/// The secret by which the filter opens the feed of keys, beside the providers' secrets.
pub const FEED_TOKEN: &str = "GAUD_FEED_TOKEN";

/// The path of the feed, on the socket of the control server. No route leads there from a listener.
pub const FEED_PATH: &str = "/internal/keys";
