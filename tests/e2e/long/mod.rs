//! Many requests over minutes: providers that fail in every way at once, and Envoy's memory.

mod chaos;
mod neighbours;
mod soak;
