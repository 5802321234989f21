//! The runtime with real components: the probe, which misbehaves on request, and the clock.

mod binary;
mod cron;
mod endurance;
mod gathering;
mod harness;
mod isolation;
mod serving;
