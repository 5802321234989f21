//! The edge as a client sees it, over a small table of routes and a real database file.

mod bodies;
mod keys;
mod requests;
mod retries;
mod sample;
mod snapshots;
mod world;

use world::{ADMIN, Sent, World};

/// A request with the admin key.
fn get(path: &str) -> Sent {
    Sent::new("GET", path).key(ADMIN)
}

/// A JSON request with the admin key.
fn post(path: &str, body: &str) -> Sent {
    Sent::new("POST", path).key(ADMIN).header("content-type", "application/json").body(body)
}
