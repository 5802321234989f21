//! Mappings of events: how the JSON that a source sends becomes a payment, an invoice, or a note about a customer.
//!
//! A rule is a record mapping of a profile with JSON Pointers in the place of columns, and its fields are checked as
//! those of a profile are. What JSON knows better than a file is taken from it: a number in the place of a date is Unix
//! seconds, and a moment becomes a day in the organisation's zone.

use super::value::{self, Sort};
use super::{INVOICE, MAX_MAPPINGS, PAYMENT, Spec, invalid, mapping_is_sound, may, must, shown};
use crate::contract::events::{
    AmountForm, EventAction, EventMapping, EventRule, NewSource, SignatureKind,
};
use crate::contract::ingest::{DateForm, FieldMapping, Lookup};
use crate::contract::types::{InvoiceKind, NewInvoice, NewPayment};
use crate::money::{MAX_MINOR, NumberForm, parse_amount};
use crate::{Currency, Date, Id, Instant, Money, Refusal, Refused, id, zone};
use chrono::DateTime;
use serde_json::Value;
use std::collections::BTreeSet;

/// The most rules of a mapping: platforms have about that many kinds of event, of which few concern a ledger.
pub const MAX_RULES: usize = 100;

/// The most digits of a JSON number with a fraction: so many survive in any reader of JSON.
const MAX_DIGITS: usize = 15;

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
    if seen.contains("amount") && seen.contains("total") {
        return Err(invalid(&at("fields"), "`amount` and `total` exclude each other"));
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

/// A mapping that ships.
pub fn preset(name: &str, signature: SignatureKind) -> Option<EventMapping> {
    match name {
        "stripe" => Some(stripe()),
        "standard" => Some(standard(signature)),
        _ => None,
    }
}

fn field(name: &str, pointer: &str) -> FieldMapping {
    FieldMapping {
        field: name.into(),
        column: Some(pointer.into()),
        constant: None,
        prefix: None,
        date: None,
        lookup: None,
        from_name: None,
        unsigned: None,
    }
}

fn rule(kind: &str, makes: EventAction, fields: &[(&str, &str)]) -> EventRule {
    let fields = fields.iter().map(|(name, pointer)| field(name, pointer)).collect();
    EventRule { kind: kind.into(), when: None, equals: None, makes, fields: Some(fields) }
}

/// The kinds of event of Stripe that concern a ledger, as its API describes them.
fn stripe() -> EventMapping {
    let (customer, currency) =
        (("customer_id", "/data/object/customer"), ("currency", "/data/object/currency"));
    let (id, on) = (("id", "/data/object/id"), ("on", "/created"));
    let paid = [
        id,
        customer,
        ("received_on", "/created"),
        ("amount", "/data/object/amount_received"),
        currency,
        ("invoice_id", "/data/object/metadata/invoice_id"),
    ];
    // A charge counts what has gone back altogether, so that each event says more than the one before.
    let refunded = [
        ("id", "/id"),
        ("payment_id", "/data/object/payment_intent"),
        on,
        ("total", "/data/object/amount_refunded"),
        currency,
    ];
    let failed = [
        id,
        customer,
        on,
        ("amount", "/data/object/amount"),
        currency,
        ("reason", "/data/object/last_payment_error/code"),
    ];
    let claimed = [
        id,
        customer,
        ("issued_on", "/created"),
        ("due_on", "/data/object/due_date"),
        ("amount", "/data/object/total"),
        currency,
    ];
    let inactive = EventRule {
        when: Some("/data/object/status".into()),
        equals: Some("inactive".into()),
        ..rule("mandate.updated", EventAction::MandateCancelled, &[id, customer, on])
    };
    EventMapping {
        id: Some("/id".into()),
        kind: "/type".into(),
        amounts: None,
        date: None,
        rules: vec![
            rule("payment_intent.succeeded", EventAction::Payment, &paid),
            rule("charge.refunded", EventAction::Refund, &refunded),
            rule("payment_intent.payment_failed", EventAction::PaymentFailed, &failed),
            rule("invoice.finalized", EventAction::Invoice, &claimed),
            rule(
                "invoice.voided",
                EventAction::InvoiceVoided,
                &[("invoice_id", "/data/object/id"), on],
            ),
            inactive,
        ],
    }
}

/// Events whose `data` has the fields under their own names, with amounts as decimals.
fn standard(signature: SignatureKind) -> EventMapping {
    let named = |action: EventAction, kind: &str| {
        let mapped = specs(action).iter().filter(|spec| spec.name != "total");
        let fields = mapped.map(|spec| field(spec.name, &format!("/data/{}", spec.name)));
        EventRule {
            kind: kind.into(),
            when: None,
            equals: None,
            makes: action,
            fields: Some(fields.collect()),
        }
    };
    let in_header = signature == SignatureKind::StandardWebhooks;
    EventMapping {
        id: (!in_header).then(|| "/id".into()),
        kind: "/type".into(),
        amounts: Some(AmountForm::Decimal),
        date: None,
        rules: vec![
            named(EventAction::Payment, "payment.succeeded"),
            named(EventAction::PaymentFailed, "payment.failed"),
            named(EventAction::Refund, "payment.refunded"),
            named(EventAction::Invoice, "invoice.created"),
            named(EventAction::InvoiceVoided, "invoice.voided"),
            named(EventAction::MandateCancelled, "mandate.cancelled"),
        ],
    }
}

/// The event's id where the mapping says that the body has it.
pub fn id_of(mapping: &EventMapping, body: &Value) -> Result<Option<Id>, Refused> {
    let Some(pointer) = &mapping.id else { return Ok(None) };
    let text = plain(body.pointer(pointer), pointer)?;
    let missing = || Refused::new(Refusal::MissingField, "the event has no id").at(pointer);
    text.ok_or_else(missing)?.parse().map(Some).map_err(|refused: Refused| refused.at(pointer))
}

/// The kind of the event, 1 to 200 characters.
pub fn kind_of(mapping: &EventMapping, body: &Value) -> Result<String, Refused> {
    let text = plain(body.pointer(&mapping.kind), &mapping.kind)?;
    let missing = || Refused::new(Refusal::MissingField, "the event has no kind").at(&mapping.kind);
    let text = text.ok_or_else(missing)?;
    value::words(&text, super::MAX_TEXT).map_err(|refused| refused.at(&mapping.kind))?;
    Ok(text)
}

/// The first rule that fits.
pub fn rule_for<'m>(mapping: &'m EventMapping, body: &Value, kind: &str) -> Option<&'m EventRule> {
    let fits = |rule: &&EventRule| {
        let holds = match (&rule.when, &rule.equals) {
            (Some(pointer), Some(wanted)) => {
                plain(body.pointer(pointer), pointer).ok().flatten().as_ref() == Some(wanted)
            }
            _ => true,
        };
        rule.kind == kind && holds
    };
    mapping.rules.iter().find(fits)
}

/// What the event makes by the rule. `zone` is the organisation's.
pub fn made(
    mapping: &EventMapping,
    rule: &EventRule,
    body: &Value,
    zone: &str,
) -> Result<Made, Refused> {
    let of = Reading { mapping, rule, body, zone };
    Ok(match rule.makes {
        EventAction::Ignore => Made::Nothing,
        EventAction::Payment => Made::Payment(of.payment()?),
        EventAction::Invoice => Made::Invoice(of.invoice()?),
        EventAction::Refund => Made::Refund(of.refund()?),
        EventAction::InvoiceVoided => {
            Made::Voided { invoice_id: of.must_id("invoice_id")?, on: of.must_day("on")? }
        }
        EventAction::PaymentFailed | EventAction::MandateCancelled => Made::Note(Note {
            customer_id: of.must_id("customer_id")?,
            on: of.must_day("on")?,
            subject: of.id("id")?,
            amount: of.money("amount", 0)?,
            reason: of.label("reason")?,
        }),
    })
}

struct Reading<'a> {
    mapping: &'a EventMapping,
    rule: &'a EventRule,
    body: &'a Value,
    zone: &'a str,
}

impl Reading<'_> {
    fn payment(&self) -> Result<NewPayment, Refused> {
        Ok(NewPayment {
            id: Some(self.must_id("id")?),
            customer_id: self.must_id("customer_id")?,
            received_on: self.must_day("received_on")?,
            amount: self.must_money("amount", 1)?,
            invoice_id: self.id("invoice_id")?,
            designation: None,
            order: None,
            contract_id: None,
            deductions: None,
            settles: None,
        })
    }

    fn invoice(&self) -> Result<NewInvoice, Refused> {
        let read = |field, parse: &dyn Fn(&str) -> Result<(), Refused>| match self.text(field)? {
            Some(text) => {
                parse(&text).map(|()| Some(text)).map_err(|refused| self.at(refused, field))
            }
            None => Ok(None),
        };
        let kind = read("kind", &|text| text.parse::<InvoiceKind>().map(drop))?;
        let disputed = read("disputed", &|text| value::flag(text).map(drop))?;
        Ok(NewInvoice {
            id: Some(self.must_id("id")?),
            customer_id: self.must_id("customer_id")?,
            kind: kind.and_then(|text| text.parse().ok()),
            issued_on: self.must_day("issued_on")?,
            due_on: self.day("due_on")?,
            amount: self.must_money("amount", 0)?,
            disputed: disputed.and_then(|text| value::flag(&text).ok()),
            contract_id: None,
            relates_to: None,
            instalments: None,
            penalty: None,
        })
    }

    fn refund(&self) -> Result<Refund, Refused> {
        let (part, total) = (self.money("amount", 1)?, self.money("total", 1)?);
        Ok(Refund {
            id: self.must_id("id")?,
            payment_id: self.must_id("payment_id")?,
            on: self.must_day("on")?,
            back: total.map(Back::UpTo).or(part.map(Back::Part)).unwrap_or(Back::All),
        })
    }

    fn of(&self, field: &str) -> Option<&FieldMapping> {
        self.rule.fields.iter().flatten().find(|mapping| mapping.field == field)
    }

    /// The refusal at the pointer, or at the field where there is none.
    fn at(&self, refused: Refused, field: &str) -> Refused {
        let pointer = self.of(field).and_then(|mapping| mapping.column.as_deref());
        refused.at(pointer.unwrap_or(field))
    }

    fn found(&self, field: &str) -> Option<&Value> {
        let pointer = self.of(field)?.column.as_ref()?;
        self.body.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The text of a field: found or constant, translated, with its prefix. Empty reads like absent.
    fn text(&self, field: &str) -> Result<Option<String>, Refused> {
        let Some(mapping) = self.of(field) else { return Ok(None) };
        let raw = match (&mapping.column, &mapping.constant) {
            (Some(pointer), _) => plain(self.body.pointer(pointer), pointer)?,
            (None, constant) => constant.clone(),
        };
        let Some(raw) = raw else { return Ok(None) };
        let text = match &mapping.lookup {
            Some(lookup) => translated(lookup, &raw).map_err(|refused| self.at(refused, field))?,
            None => raw,
        };
        let prefix = mapping.prefix.as_deref().unwrap_or_default();
        Ok((!text.is_empty()).then(|| format!("{prefix}{text}")))
    }

    fn missing(&self, field: &str) -> Refused {
        let detail = format!("the event has no {field}");
        self.at(Refused::new(Refusal::MissingField, detail), field)
    }

    fn id(&self, field: &str) -> Result<Option<Id>, Refused> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        id::check(&text).and_then(|()| text.parse()).map(Some).map_err(|e| self.at(e, field))
    }

    fn must_id(&self, field: &str) -> Result<Id, Refused> {
        self.id(field)?.ok_or_else(|| self.missing(field))
    }

    fn label(&self, field: &str) -> Result<Option<String>, Refused> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        // A note that is too long is cut: it is no reason to leave out what happened.
        let text: String = text.chars().take(value::MAX_LABEL).collect();
        value::label(&text).map_err(|refused| self.at(refused, field))?;
        Ok(Some(text))
    }

    fn day(&self, field: &str) -> Result<Option<Date>, Refused> {
        if let Some(Value::Number(number)) = self.found(field) {
            let seconds = number.as_i64().ok_or_else(|| {
                let detail = format!("`{number}` is no number of seconds");
                self.at(Refused::new(Refusal::MalformedDate, detail), field)
            })?;
            let day = Instant::from_unix(seconds).and_then(|at| zone::day_in(at, self.zone));
            return day.map(Some).map_err(|refused| self.at(refused, field));
        }
        let Some(text) = self.text(field)? else { return Ok(None) };
        let form = self.of(field).and_then(|mapping| mapping.date).or(self.mapping.date);
        let day = match DateTime::parse_from_rfc3339(&text) {
            Ok(at) => Instant::from_unix(at.timestamp()).and_then(|at| zone::day_in(at, self.zone)),
            Err(_) => value::date(&text, form.unwrap_or(DateForm::Ymd)),
        };
        day.map(Some).map_err(|refused| self.at(refused, field))
    }

    fn must_day(&self, field: &str) -> Result<Date, Refused> {
        self.day(field)?.ok_or_else(|| self.missing(field))
    }

    fn money(&self, field: &str, least: i64) -> Result<Option<Money>, Refused> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let code = self.text("currency")?.ok_or_else(|| self.missing("currency"))?;
        let currency = code.to_ascii_uppercase().parse::<Currency>();
        let currency = currency.map_err(|refused| self.at(refused, "currency"))?;
        let minor = value::amount_is_short(&text).and_then(|()| match self.mapping.amounts {
            Some(AmountForm::Decimal) => {
                parse_amount(&text, currency, NumberForm { decimal: '.', thousands: None })
            }
            _ => whole(&text),
        });
        let minor = minor.map_err(|refused| self.at(refused, field))?;
        if minor < least {
            let detail = format!("the amount is at least {least}");
            return Err(self.at(Refused::new(Refusal::AmountNotPositive, detail), field));
        }
        Ok(Some(Money { minor, currency }))
    }

    fn must_money(&self, field: &str, least: i64) -> Result<Money, Refused> {
        self.money(field, least)?.ok_or_else(|| self.missing(field))
    }
}

/// A number of smallest units.
fn whole(text: &str) -> Result<i64, Refused> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let refused = || {
        let detail = format!("`{}` is not a whole number of smallest units", shown(text));
        Refused::new(Refusal::MalformedAmount, detail)
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    text.parse().ok().filter(|minor| *minor <= MAX_MINOR).ok_or_else(|| {
        Refused::new(Refusal::AmountTooLarge, format!("an amount is at most {MAX_MINOR}"))
    })
}

fn translated(lookup: &[Lookup], raw: &str) -> Result<String, Refused> {
    match lookup.iter().find(|pair| pair.from == raw) {
        Some(pair) => Ok(pair.to.clone()),
        None if raw.is_empty() => Ok(String::new()),
        None => {
            let detail = format!("`{}` is not in the mapping's lookup", shown(raw));
            Err(Refused::new(Refusal::MalformedField, detail))
        }
    }
}

/// The text of a value that is text, number or truth value; absent where there is nothing.
fn plain(found: Option<&Value>, pointer: &str) -> Result<Option<String>, Refused> {
    let malformed = |detail: &str| Err(Refused::new(Refusal::MalformedField, detail).at(pointer));
    match found {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > super::MAX_FIELD => {
            let detail = format!("at most {} bytes are read", super::MAX_FIELD);
            Err(Refused::new(Refusal::TextTooLong, detail).at(pointer))
        }
        Some(Value::String(text)) => {
            let text = value::trim(text);
            Ok((!text.is_empty()).then(|| text.to_string()))
        }
        Some(Value::Bool(truth)) => Ok(Some(truth.to_string())),
        Some(Value::Number(number)) => {
            let text = number.to_string();
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            if !(number.is_i64() || number.is_u64()) && digits > MAX_DIGITS {
                return malformed("a number with so many decimals is written as text");
            }
            Ok(Some(text))
        }
        Some(Value::Array(_) | Value::Object(_)) => {
            malformed("a text, a number or a truth value is wanted, not a list or an object")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn paid(object: &Value) -> Value {
        let mut event = json!({"id": "evt_1", "type": "payment_intent.succeeded", "created": 1_711_900_800,
            "data": {"object": {"id": "pi_1", "customer": "cus_1", "amount_received": 1250, "currency": "eur"}}});
        if let (Some(into), Some(fields)) =
            (event["data"]["object"].as_object_mut(), object.as_object())
        {
            into.extend(fields.clone());
        }
        event
    }

    fn read(mapping: &EventMapping, body: &Value) -> Result<Made, Refused> {
        let kind = kind_of(mapping, body)?;
        let rule = rule_for(mapping, body, &kind).unwrap();
        made(mapping, rule, body, "Asia/Shanghai")
    }

    #[test]
    fn a_payment_of_the_preset_is_read_to_the_cent_and_the_day() {
        // 2024-03-31T16:00:00Z is the first of April in Shanghai.
        let Made::Payment(payment) = read(&stripe(), &paid(&json!({}))).unwrap() else { panic!() };
        assert_eq!(payment.received_on.to_string(), "2024-04-01");
        assert_eq!(payment.amount, Money::new(1250, "EUR".parse().unwrap()));
        assert_eq!(payment.id.unwrap().as_str(), "pi_1");
        assert_eq!(payment.invoice_id, None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_pointer() {
        for (object, code, field) in [
            (json!({"customer": null}), Refusal::MissingField, "/data/object/customer"),
            (json!({"customer": {"id": "x"}}), Refusal::MalformedField, "/data/object/customer"),
            (json!({"id": "a b"}), Refusal::MalformedId, "/data/object/id"),
            (
                json!({"amount_received": 12.5}),
                Refusal::MalformedAmount,
                "/data/object/amount_received",
            ),
            (
                json!({"amount_received": 0}),
                Refusal::AmountNotPositive,
                "/data/object/amount_received",
            ),
            (
                json!({"amount_received": -1}),
                Refusal::AmountNotPositive,
                "/data/object/amount_received",
            ),
            (
                json!({"amount_received": u64::MAX}),
                Refusal::AmountTooLarge,
                "/data/object/amount_received",
            ),
            (json!({"currency": "xx"}), Refusal::UnknownCurrency, "/data/object/currency"),
        ] {
            let refused = read(&stripe(), &paid(&object)).unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), (code, Some(field)), "{object}");
        }
    }

    #[test]
    fn decimals_and_moments_are_read_exactly() {
        let mapping = standard(SignatureKind::Hmac);
        let body = |amount: Value, on: Value| {
            json!({"id": "1", "type": "payment.succeeded", "data":
                {"id": "P1", "customer_id": "C1", "received_on": on, "amount": amount, "currency": "CNY"}})
        };
        for (amount, on, minor, day) in [
            (json!("12.50"), json!("2024-03-31"), 1250, "2024-03-31"),
            (json!(12.5), json!("2024-03-31T15:59:59Z"), 1250, "2024-03-31"),
            (json!(12), json!("2024-03-31T23:30:00+08:00"), 1200, "2024-03-31"),
            (json!("0.01"), json!("2024-03-31T16:00:00Z"), 1, "2024-04-01"),
        ] {
            let Made::Payment(payment) = read(&mapping, &body(amount, on)).unwrap() else {
                panic!()
            };
            assert_eq!(
                (payment.amount.minor, payment.received_on.to_string().as_str()),
                (minor, day)
            );
        }
        let refused = read(&mapping, &body(json!(12.345_678_901_234_567), json!("2024-03-31")));
        assert_eq!(refused.unwrap_err().code, Refusal::MalformedField);
        assert_eq!(
            read(&mapping, &body(json!("1.005"), json!("2024-03-31"))).unwrap_err().code,
            Refusal::TooManyDecimals
        );
    }

    #[test]
    fn mappings_that_cannot_work_are_refused_with_their_place() {
        assert_eq!(check(&stripe(), SignatureKind::Stripe), Ok(()));
        assert_eq!(check(&standard(SignatureKind::Hmac), SignatureKind::Hmac), Ok(()));
        let nothing_in_header = standard(SignatureKind::StandardWebhooks);
        assert_eq!(check(&nothing_in_header, SignatureKind::StandardWebhooks), Ok(()));
        let with = |change: &dyn Fn(&mut EventMapping)| {
            let mut mapping = stripe();
            change(&mut mapping);
            check(&mapping, SignatureKind::Stripe).unwrap_err().field.unwrap()
        };
        assert_eq!(with(&|mapping| mapping.id = None), "id");
        assert_eq!(with(&|mapping| mapping.kind = "type".into()), "kind");
        assert_eq!(with(&|mapping| mapping.rules[0].equals = Some("x".into())), "rules[0].equals");
        assert_eq!(with(&|mapping| mapping.rules[0].fields = None), "rules[0].fields");
        assert_eq!(
            with(&|mapping| mapping.rules[1].fields.as_mut().unwrap()[0].column = Some("id".into())),
            "rules[1].fields[0].column"
        );
        assert_eq!(
            with(&|mapping| mapping.rules[1].fields.as_mut().unwrap().push(field("amount", "/a"))),
            "rules[1].fields"
        );
        assert_eq!(
            with(&|mapping| mapping.rules[4].fields.as_mut().unwrap().push(field("name", "/a"))),
            "rules[4].fields[2].field"
        );
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let mapping = stripe();
        let mandate = |status: &str| json!({"data": {"object": {"status": status}}});
        assert!(rule_for(&mapping, &mandate("inactive"), "mandate.updated").is_some());
        assert!(rule_for(&mapping, &mandate("active"), "mandate.updated").is_none());
        assert!(rule_for(&mapping, &json!({}), "customer.created").is_none());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            let names = prop_oneof![
                Just("data"),
                Just("object"),
                Just("id"),
                Just("type"),
                Just("customer")
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(names, inner, 0..4).prop_map(|fields| {
                    Value::Object(
                        fields.into_iter().map(|(name, of)| (name.to_string(), of)).collect(),
                    )
                }),
            ]
        })
    }

    proptest! {
        /// Whatever JSON comes, it is read or refused, never a trap.
        #[test]
        fn any_json_is_read_or_refused(body in any_json(), object in any_json(), place in 0usize..6) {
            let mapping = stripe();
            let _ = (id_of(&mapping, &body), kind_of(&mapping, &body));
            let whole = json!({"id": body, "created": object, "data": {"object": object}});
            let _ = made(&mapping, &mapping.rules[place], &whole, "UTC");
        }

        /// Whatever mapping comes, it is taken or refused with a place.
        #[test]
        fn any_pointer_is_taken_or_refused(pointer in ".{0,30}", kind in ".{0,30}") {
            let mut mapping = stripe();
            mapping.kind = pointer.clone();
            mapping.rules[0].kind = kind;
            if let Err(refused) = check(&mapping, SignatureKind::Stripe) {
                prop_assert!(refused.field.is_some());
            }
        }
    }
}
