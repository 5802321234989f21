//! An event by its mapping: fields by their pointers, checked as they are read.

use super::{Back, Made, Note, Refund};
use crate::bank::reference;
use crate::contract::events::{AmountForm, EventAction, EventMapping, EventRule};
use crate::contract::ingest::{DateForm, FieldMapping, Lookup};
use crate::contract::types::{Instalment, InvoiceKind, NewInvoice, NewPayment};
use crate::money::{MAX_MINOR, NumberForm, parse_amount};
use crate::profile::{MAX_FIELD, MAX_TEXT, shown, terms, value};
use crate::{Currency, Date, Id, Instant, Money, Refusal, Refused, id, zone};
use serde_json::Value;

/// The most digits of a JSON number with a fraction: so many survive in any reader of JSON.
const MAX_DIGITS: usize = 15;

/// The event's id where the mapping says that the body has it.
pub fn id_of(mapping: &EventMapping, body: &Value) -> Result<Option<Id>, Refused> {
    let Some(pointer) = &mapping.id else { return Ok(None) };
    let text = plain(body.pointer(pointer), pointer)?;
    let missing = || Refused::new(Refusal::MissingField, "the event has no id").at(pointer);
    text.ok_or_else(missing)?.parse().map(Some).map_err(|refused: Refused| refused.at(pointer))
}

/// Refuses a delivery of several events: the mapping points at one of them, and the others would be lost.
pub fn one_event(mapping: &EventMapping, body: &Value) -> Result<(), Refused> {
    for pointer in mapping.id.iter().chain([&mapping.kind]) {
        let mut found = Some(body);
        for part in pointer.split('/').skip(1) {
            if let Some(Value::Array(events)) = found
                && events.len() > 1
            {
                let detail = format!(
                    "the delivery has {} events, and the mapping reads one: nothing was kept",
                    events.len()
                );
                return Err(Refused::new(Refusal::MalformedField, detail).at(pointer));
            }
            found = found.and_then(|value| value.pointer(&format!("/{part}")));
        }
    }
    Ok(())
}

/// The kind of the event, 1 to 200 characters.
pub fn kind_of(mapping: &EventMapping, body: &Value) -> Result<String, Refused> {
    let text = plain(body.pointer(&mapping.kind), &mapping.kind)?;
    let missing = || Refused::new(Refusal::MissingField, "the event has no kind").at(&mapping.kind);
    let text = text.ok_or_else(missing)?;
    value::words(&text, MAX_TEXT).map_err(|refused| refused.at(&mapping.kind))?;
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
            same_as: self.id("same_as")?,
            another: self.flag("another")?,
        })
    }

    fn invoice(&self) -> Result<NewInvoice, Refused> {
        let kind = self.read("kind", &|text| text.parse::<InvoiceKind>().map(drop))?;
        Ok(NewInvoice {
            id: Some(self.must_id("id")?),
            customer_id: self.must_id("customer_id")?,
            kind: kind.and_then(|text| text.parse().ok()),
            issued_on: self.must_day("issued_on")?,
            due_on: self.day("due_on")?,
            amount: self.must_money("amount", 0)?,
            disputed: self.flag("disputed")?,
            contract_id: self.id("contract_id")?,
            relates_to: self.id("relates_to")?,
            instalments: self.instalments()?,
            penalty: self.flag("penalty")?,
            reference: self.read("reference", &|text| reference::printed(text).map(drop))?,
        })
    }

    fn refund(&self) -> Result<Refund, Refused> {
        let (part, total) = (self.money("amount", 1)?, self.money("total", 1)?);
        if part.is_some() && total.is_some() {
            let detail = "a refund says its amount, or the total of all refunds, not both";
            return Err(self.at(Refused::new(Refusal::MalformedField, detail), "total"));
        }
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

    fn read(
        &self,
        field: &str,
        parse: &dyn Fn(&str) -> Result<(), Refused>,
    ) -> Result<Option<String>, Refused> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        parse(&text).map(|()| Some(text)).map_err(|refused| self.at(refused, field))
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, Refused> {
        let text = self.read(field, &|text| value::flag(text).map(drop))?;
        Ok(text.and_then(|text| value::flag(&text).ok()))
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
        let day = match text.parse::<Instant>() {
            Ok(at) => zone::day_in(at, self.zone),
            Err(_) => value::date(&text, form.unwrap_or(DateForm::Ymd)),
        };
        day.map(Some).map_err(|refused| self.at(refused, field))
    }

    fn must_day(&self, field: &str) -> Result<Date, Refused> {
        self.day(field)?.ok_or_else(|| self.missing(field))
    }

    fn money(&self, field: &str, least: i64) -> Result<Option<Money>, Refused> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let currency = self.currency()?;
        let minor = self.minor(&text, currency).map_err(|refused| self.at(refused, field))?;
        if minor < least {
            let detail = format!("the amount is at least {least}");
            return Err(self.at(Refused::new(Refusal::AmountNotPositive, detail), field));
        }
        Ok(Some(Money { minor, currency }))
    }

    fn currency(&self) -> Result<Currency, Refused> {
        let code = self.text("currency")?.ok_or_else(|| self.missing("currency"))?;
        let currency = code.to_ascii_uppercase().parse::<Currency>();
        currency.map_err(|refused| self.at(refused, "currency"))
    }

    /// An amount as the source writes it, in smallest units.
    fn minor(&self, text: &str, currency: Currency) -> Result<i64, Refused> {
        value::amount_is_short(text)?;
        match self.mapping.amounts {
            Some(AmountForm::Decimal) => {
                parse_amount(text, currency, NumberForm { decimal: '.', thousands: None })
            }
            _ => whole(text).and_then(|count| self.in_our_units(count, currency)),
        }
    }

    /// Instalments, as a list or as the text that a file has.
    fn instalments(&self) -> Result<Option<Vec<Instalment>>, Refused> {
        let field = "instalments";
        let text = match self.found(field) {
            Some(list @ Value::Array(_)) => Some(list.to_string()),
            _ => self.text(field)?,
        };
        let Some(text) = text else { return Ok(None) };
        let currency = self.currency()?;
        let form = self.of(field).and_then(|mapping| mapping.date).or(self.mapping.date);
        let amount = |text: &str| self.minor(text, currency);
        let parts = terms::instalments(&text, form.unwrap_or(DateForm::Ymd), amount);
        parts.map(Some).map_err(|refused| self.at(refused, field))
    }

    /// So many of the source's units in the smallest units of ISO 4217.
    fn in_our_units(&self, count: i64, currency: Currency) -> Result<i64, Refused> {
        let units = self.mapping.minor_units.iter().flatten();
        let Some(theirs) = units.clone().find(|unit| unit.currency == currency) else {
            return Ok(count);
        };
        let (theirs, ours) = (u32::from(theirs.decimals), currency.exponent());
        let scale = |digits: u32| 10i64.checked_pow(digits);
        let minor = match ours.checked_sub(theirs) {
            Some(more) => scale(more).and_then(|scale| count.checked_mul(scale)),
            None => scale(theirs.saturating_sub(ours))
                .filter(|scale| count.checked_rem(*scale) == Some(0))
                .and_then(|scale| count.checked_div(scale)),
        };
        minor.filter(|minor| *minor <= MAX_MINOR).ok_or_else(|| {
            let detail = format!("`{count}` is no whole amount in {currency}");
            Refused::new(Refusal::MalformedAmount, detail)
        })
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
        Some(Value::String(text)) if text.len() > MAX_FIELD => {
            let detail = format!("at most {} bytes are read", MAX_FIELD);
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
