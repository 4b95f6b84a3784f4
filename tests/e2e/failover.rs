//! A request whose attempt fails is sent again, to the same provider or to the next of its chain.
//!
//! `fleet` is a gateway with three providers that differ in all that a gateway writes for them,
//! `fault` says what becomes of one attempt, and `plan` lists the attempts of a request and
//! compares everything that the caller and the providers saw.

mod fault;
mod fleet;
mod plan;

mod alone;
mod bodies;
mod breaking;
mod connections;
mod context;
mod edges;
mod keys;
mod leaving;
mod naming;
mod returning;
mod settings;
mod shapes;
mod silence;
mod statuses;
mod streams;
mod through;
mod uploads;
mod waiting;
mod watching;
