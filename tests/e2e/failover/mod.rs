//! A request whose attempt fails is sent again, to the same provider or to the next target of its chain.
//!
//! `fleet` is a gateway with three providers that differ in all that a gateway writes for them,
//! `fault` says what becomes of one attempt, and `attempts` lists the attempts of a request and
//! compares everything that the caller and the providers saw.

mod attempts;
mod fault;
mod fleet;

mod abandoned;
mod bodies;
mod chains;
mod client_leaves;
mod connections;
mod context_length;
mod credentials;
mod early_failures;
mod edges;
mod errors_inside;
mod groups;
mod half_answers;
mod kept;
mod metrics;
mod model_places;
mod open_breakers;
mod own_limits;
mod pass_through;
mod recovery;
mod retry_after;
mod sent_once;
mod settings;
mod spent_targets;
mod spread;
mod statuses;
mod streams;
mod timeouts;
mod uploads;
