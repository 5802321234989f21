//! What a customer's record must satisfy beyond the types of its fields.

use crate::{
    Refusal, Refused,
    contract::types::NewCustomer,
    money::MAX_MINOR,
    profile::value::{country, email, name, phone, time_zone},
    zone,
};

/// Checks a customer that a client wrote, naming the first field at fault.
pub fn check(new: &NewCustomer) -> Result<(), Refused> {
    name(&new.name).map_err(|refused| refused.at("name"))?;
    checked("country", new.country.as_deref(), country)?;
    checked("time_zone", new.time_zone.as_deref(), |text| time_zone(text, zone::is_known))?;
    checked("email", new.email.as_deref(), email)?;
    checked("phone", new.phone.as_deref(), phone)?;
    if let Some(limit) = new.credit_limit {
        if new.currency.is_some_and(|currency| currency != limit.currency) {
            let detail = "the limit is in the customer's own currency";
            return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("credit_limit"));
        }
        let refusal = match limit.minor {
            ..0 => Some(Refusal::AmountNotPositive),
            minor if minor > MAX_MINOR => Some(Refusal::AmountTooLarge),
            _ => None,
        };
        if let Some(code) = refusal {
            return Err(Refused::new(code, code.about()).at("credit_limit"));
        }
    }
    Ok(())
}

fn checked(
    field: &str,
    text: Option<&str>,
    rule: impl FnOnce(&str) -> Result<(), Refused>,
) -> Result<(), Refused> {
    text.map_or(Ok(()), |text| rule(text).map_err(|refused| refused.at(field)))
}
