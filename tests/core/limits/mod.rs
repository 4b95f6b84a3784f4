//! Limits and budgets, whatever order their requests come in.
//!
//! `search` goes through every order of the changes of the counters of a key, of its model and of its user. A change is one
//! compare-and-swap: a worker that was slower than another loads the record again, so that only whole changes follow each
//! other. `races` has threads in each other's way, on the shared data that the gateway uses.

mod buckets;
mod count;
mod races;
mod search;
mod world;
