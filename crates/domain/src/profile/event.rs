//! Mappings of events: how the JSON that a source sends becomes a payment, an invoice, or a note about a customer.
//!
//! A rule is a record mapping of a profile with JSON Pointers in the place of columns, and its fields are checked as
//! those of a profile are. What JSON knows better than a file is taken from it: a number in the place of a date is Unix
//! seconds, and a moment becomes a day in the organisation's zone.

mod json;
mod preset;
mod reading;

pub use json::parse;
pub use preset::preset;
pub use reading::{id_of, kind_of, made, one_event, rule_for};

use super::value::Sort;
use super::{INVOICE, MAX_MAPPINGS, PAYMENT, Spec, invalid, mapping_is_sound, may, must, shown};
use crate::contract::events::{EventAction, EventMapping, EventRule, NewSource, SignatureKind};
use crate::contract::ingest::DateForm;
use crate::contract::types::{NewInvoice, NewPayment};
use crate::{Date, Id, Money, Refused};
use std::collections::BTreeSet;

/// The most rules of a mapping: platforms have about that many kinds of event, of which few concern a ledger.
pub const MAX_RULES: usize = 100;

/// The most currencies that a source counts in units of its own.
pub const MAX_UNITS: usize = 50;

const FAILED: [Spec; 6] = [
    must("customer_id", Sort::Id),
    must("on", Sort::Date),
    may("id", Sort::Id),
    may("amount", Sort::Amount),
    may("currency", Sort::Currency),
    may("reason", Sort::Label),
];

const REFUND: [Spec; 6] = [
    must("id", Sort::Id),
    must("payment_id", Sort::Id),
    must("on", Sort::Date),
    may("amount", Sort::Amount),
    may("total", Sort::Amount),
    may("currency", Sort::Currency),
];

const VOIDED: [Spec; 2] = [must("invoice_id", Sort::Id), must("on", Sort::Date)];

const CANCELLED: [Spec; 4] = [
    must("customer_id", Sort::Id),
    must("on", Sort::Date),
    may("id", Sort::Id),
    may("reason", Sort::Label),
];

fn specs(action: EventAction) -> &'static [Spec] {
    match action {
        EventAction::Payment => &PAYMENT,
        EventAction::PaymentFailed => &FAILED,
        EventAction::Refund => &REFUND,
        EventAction::Invoice => &INVOICE,
        EventAction::InvoiceVoided => &VOIDED,
        EventAction::MandateCancelled => &CANCELLED,
        EventAction::Ignore => &[],
    }
}

/// What an event makes, with every field checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    Payment(NewPayment),
    Invoice(NewInvoice),
    Refund(Refund),
    Voided { invoice_id: Id, on: Date },
    Note(Note),
    Nothing,
}

/// Money of a payment that goes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Refund {
    pub id: Id,
    pub payment_id: Id,
    pub on: Date,
    pub back: Back,
}

/// How much goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// All that has not gone back yet.
    All,
    /// So much.
    Part(Money),
    /// So much altogether, with what went back before.
    UpTo(Money),
}

/// Something to know about a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub customer_id: Id,
    pub on: Date,
    pub subject: Option<Id>,
    pub amount: Option<Money>,
    pub reason: Option<String>,
}

/// Whether a mapping can be used with a scheme of signatures. The refusal is `invalid-profile` and names the place.
pub fn check(mapping: &EventMapping, signature: SignatureKind) -> Result<(), Refused> {
    match &mapping.id {
        Some(pointer) => pointer_is_sound(pointer, "id")?,
        None if signature != SignatureKind::StandardWebhooks => {
            return Err(invalid("id", "only standard-webhooks has the event's id in a header"));
        }
        None => {}
    }
    pointer_is_sound(&mapping.kind, "kind")?;
    if mapping.rules.len() > MAX_RULES {
        return Err(invalid("rules", format!("a mapping has at most {MAX_RULES} rules")));
    }
    for (index, unit) in mapping.minor_units.iter().flatten().enumerate() {
        if index >= MAX_UNITS || unit.decimals > 4 {
            let detail = format!("at most {MAX_UNITS} currencies, each of 0 to 4 decimals");
            return Err(invalid(&format!("minor_units[{index}]"), detail));
        }
    }
    let date = mapping.date.unwrap_or(DateForm::Ymd);
    for (index, rule) in mapping.rules.iter().enumerate() {
        rule_is_sound(rule, date, &format!("rules[{index}]"))?;
    }
    Ok(())
}

fn pointer_is_sound(pointer: &str, path: &str) -> Result<(), Refused> {
    if pointer.starts_with('/') && super::text_is_sound(pointer) {
        return Ok(());
    }
    let detail = "a JSON Pointer begins with a slash and has at most 200 characters";
    Err(invalid(path, detail))
}

fn rule_is_sound(rule: &EventRule, date: DateForm, path: &str) -> Result<(), Refused> {
    let at = |part: &str| format!("{path}.{part}");
    if rule.kind.is_empty() || !super::text_is_sound(&rule.kind) {
        return Err(invalid(&at("kind"), "a kind has 1 to 200 characters"));
    }
    match (&rule.when, &rule.equals) {
        (Some(pointer), Some(_)) => pointer_is_sound(pointer, &at("when"))?,
        (None, None) => {}
        _ => return Err(invalid(&at("equals"), "`when` and `equals` stand together")),
    }
    let fields = rule.fields.as_deref().unwrap_or_default();
    if fields.len() > MAX_MAPPINGS {
        let detail = format!("a rule maps at most {MAX_MAPPINGS} fields");
        return Err(invalid(&at("fields"), detail));
    }
    let mut seen = BTreeSet::new();
    for (index, mapping) in fields.iter().enumerate() {
        let path = format!("{path}.fields[{index}]");
        let found = specs(rule.makes).iter().find(|spec| spec.name == mapping.field);
        let spec = found.ok_or_else(|| {
            let names: Vec<&str> = specs(rule.makes).iter().map(|spec| spec.name).collect();
            let field = shown(&mapping.field);
            let detail = format!("`{field}` is no field of {}: {}", rule.makes, names.join(", "));
            invalid(&format!("{path}.field"), detail)
        })?;
        if !seen.insert(spec.name) {
            let detail = format!("`{}` is mapped twice", spec.name);
            return Err(invalid(&format!("{path}.field"), detail));
        }
        mapping_is_sound(mapping, spec, mapping.date.unwrap_or(date), &path)?;
        if let Some(pointer) = &mapping.column {
            pointer_is_sound(pointer, &format!("{path}.column"))?;
        }
    }
    let required = specs(rule.makes).iter().filter(|spec| spec.required);
    if let Some(lacking) = required.clone().find(|spec| !seen.contains(spec.name)) {
        let detail = format!("`{}` of {} is required and not mapped", lacking.name, rule.makes);
        return Err(invalid(&at("fields"), detail));
    }
    if (seen.contains("amount") || seen.contains("total")) && !seen.contains("currency") {
        return Err(invalid(&at("fields"), "an amount needs `currency`"));
    }
    Ok(())
}

/// The mapping of a source: its own, or the one that ships under the name.
pub fn chosen(source: &NewSource) -> Result<EventMapping, Refused> {
    match (&source.mapping, &source.preset) {
        (Some(mapping), None) => {
            check(mapping, source.signature.kind).map_err(|refused| refused.within("mapping"))?;
            Ok(mapping.clone())
        }
        (None, Some(name)) => preset(name, source.signature.kind)
            .ok_or_else(|| invalid("preset", "the mappings that ship are `stripe` and `standard`")),
        _ => Err(invalid("mapping", "a source has a `mapping` or a `preset`")),
    }
}

#[cfg(test)]
mod tests;
