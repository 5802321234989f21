//! What the organisation's record must satisfy beyond the types of its fields.

use crate::{Refused, contract::ingest::Organisation, profile::value::name, zone};

/// Checks an organisation that a client wrote, naming the first field at fault.
pub fn check(new: &Organisation) -> Result<(), Refused> {
    name(&new.name).map_err(|refused| refused.at("name"))?;
    zone::check(&new.time_zone).map_err(|refused| refused.at("time_zone"))
}
