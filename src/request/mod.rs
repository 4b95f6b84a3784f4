//! What a client asks for: the head of a request, read once.

pub mod credentials;
pub mod endpoint;
pub mod escape;
pub mod field;
pub mod head;
pub mod header_map;
pub mod model;
pub mod path;
