//! Request bodies: what reaches a provider, byte for byte, and which bodies the gateway refuses.

mod compressed;
mod cuts;
mod exact;
mod forms;
mod held;
mod late_errors;
mod refused;
mod uploads;
