//! The form of a journey and what runs it. `README.md` beside the journeys describes the form.

pub mod expect;
pub mod fill;
pub mod format;
pub mod run;
