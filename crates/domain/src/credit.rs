//! Credit: the limit that counts, what is used of it, and the check that lets an order pass or holds it.
//!
//! A check is judged from [`check::Inputs`] alone, so that a judgement that was kept gives the same answer again.

pub mod advice;
pub mod approval;
pub mod check;
pub mod exposure;
pub mod limit;
pub mod merge;
pub mod onboarding;
pub mod order;
pub mod policy;
pub mod rates;
pub mod reservation;
pub mod rule;
pub mod words;
