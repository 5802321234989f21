//! Journeys: requests and expected answers against the shipped components in the local runtime. `README.md` beside
//! this file describes the form of the folders.

mod command;
mod coverage;
mod demo;
mod following;
mod fuzz;
mod ibm;
mod month;
mod openapi;
mod provoked;
mod size;
mod statements;
mod support;
mod together;
mod webhook;

use std::path::{Path, PathBuf};
use support::{format, run};

/// The folders of journeys. A test holds this list to what is there.
const FOLDERS: &[&str] = &[
    "audit",
    "bank",
    "contracts",
    "credit",
    "customers",
    "defaults",
    "delinquency",
    "disputes",
    "edge",
    "events",
    "hostile",
    "imports",
    "interest",
    "knowledge",
    "ledger",
    "month",
    "score",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys").join(name)
}

#[test]
fn audit() {
    run::run(&format::folder(&folder("audit")));
}

#[test]
fn bank() {
    run::run(&format::folder(&folder("bank")));
}

#[test]
fn contracts() {
    run::run(&format::folder(&folder("contracts")));
}

#[test]
fn credit() {
    run::run(&format::folder(&folder("credit")));
}

#[test]
fn customers() {
    run::run(&format::folder(&folder("customers")));
}

#[test]
fn defaults() {
    run::run(&format::folder(&folder("defaults")));
}

#[test]
fn delinquency() {
    run::run(&format::folder(&folder("delinquency")));
}

#[test]
fn disputes() {
    run::run(&format::folder(&folder("disputes")));
}

#[test]
fn edge() {
    run::run(&format::folder(&folder("edge")));
}

#[test]
fn events() {
    run::run(&format::folder(&folder("events")));
}

#[test]
fn hostile() {
    run::run(&format::folder(&folder("hostile")));
}

#[test]
fn interest() {
    run::run(&format::folder(&folder("interest")));
}

#[test]
fn imports() {
    run::run(&format::folder(&folder("imports")));
}

#[test]
fn knowledge() {
    run::run(&format::folder(&folder("knowledge")));
}

#[test]
fn ledger() {
    run::run(&format::folder(&folder("ledger")));
}

#[test]
fn month() {
    run::run(&format::folder(&folder("month")));
}

#[test]
fn score() {
    run::run(&format::folder(&folder("score")));
}
