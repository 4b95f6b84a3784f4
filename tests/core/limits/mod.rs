//! Limits and budgets, whatever order their requests come in.
//!
//! `search` goes through every order of the changes of two counters, a key's and its user's. A change is one
//! compare-and-swap: a worker that was slower than another loads the record again, so that only whole changes follow each
//! other. `races` has threads in each other's way, on the shared data that the gateway uses.

mod races;
mod search;
mod world;
