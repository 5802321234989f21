//! The local runtime: runs the shipped components on Wasmtime with SQLite.
//!
//! It runs the same `.wasm` files that Spin runs and keeps to the same rules: routes, labels, allowed hosts. It is
//! small on purpose; what a manifest asks for beyond that is refused by name, see [`manifest`].

#![deny(unsafe_code)]

pub mod backup;
pub mod build;
pub mod cli;
pub mod demo;
mod guest;
pub mod manifest;
mod runtime;

pub use build::build_components;
pub use runtime::{ADMIN_KEY, Limits, LogSink, Router, Running, Runtime, Settings, to_stderr};
