//! The keys that Gaud gives out.

/// How every key begins.
pub const PREFIX: &str = "sk-prx-";

/// How the public id of an admin key begins: an admin key manages, and calls no models.
pub const ADMIN_ID_PREFIX: &str = "adm";
