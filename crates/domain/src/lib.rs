//! Pure rules of receivables, scoring and reminding: no I/O, no clock, no ids.
//!
//! One noun, one file. `contract` is written from `wit/` at build time; the value types that it maps to
//! ([`Id`], [`Currency`], [`Date`], [`Instant`], [`Decimal`]) cannot hold a wrong value.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod ageing;
pub mod alert;
pub mod allocation;
pub mod altman;
pub mod arrange;
pub mod attachment;
pub mod bank;
pub mod calendar;
pub mod card;
pub mod classification;
pub mod contract_terms;
pub mod credit;
pub mod currency;
pub mod customer;
pub mod date;
pub mod day_count;
pub mod decimal;
pub mod default_record;
pub mod delinquency;
pub mod dispute;
pub mod dso;
pub mod dunning;
pub mod event;
pub mod external;
pub mod facts;
pub mod grade;
pub mod guarantee;
pub mod id;
pub mod instant;
pub mod interest;
pub mod message;
pub mod money;
pub mod order;
pub mod organisation;
pub mod policy;
pub mod preset;
pub mod profile;
pub mod rate;
pub mod reason;
pub mod refusal;
pub mod retention;
pub mod spelling;
pub mod stage;
pub mod text;
pub mod tier;
pub mod zone;

/// The types of `wit/`, one module for each interface.
#[allow(clippy::large_enum_variant, clippy::wildcard_imports)]
pub mod contract {
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
}

pub use contract::types::{Money, Refusal};
pub use currency::Currency;
pub use date::Date;
pub use day_count::DayCount;
pub use id::Id;
pub use instant::Instant;
pub use refusal::Refused;
pub use rust_decimal::Decimal;
