//! One source row, read and checked: all of its records or none.

use super::plan::{
    Contact, Customer, Fields, Invoice, Noun, Origin, Pair, Payment, Plan, Record, Source,
};
use super::slice::{Currencies, Rows, Slice, note};
use super::terms::{self, Said, Terms};
use super::value;
use crate::bank::reference;
use crate::contract::ingest::RowError;
use crate::contract::types::{Channel, CustomerStatus, InvoiceKind, Language};
use crate::money::{NumberForm, parse_amount};
use crate::{Currency, Date, Id, Money, Refusal, Refused, id};

impl Plan {
    /// Reads one source row into the slice. Every bad field is noted with its column; a row with a bad field gives no
    /// record at all, also of the kinds that were good.
    pub fn row<F: Fields + ?Sized>(&self, row: u64, fields: &F, out: &mut Slice) {
        let Slice {
            customers,
            invoices,
            payments,
            errors,
            more_errors,
            received,
            refused,
            scratch,
            currencies,
            latest,
        } = out;
        let marks = (customers.mark(), invoices.mark(), payments.mark());
        let mut reading = Reading {
            plan: self,
            row,
            fields,
            errors,
            more_errors,
            scratch,
            currencies,
            latest: *latest,
            bad: false,
        };
        let mut made = 0u64;
        for record in &self.records {
            if let Noun::Invoice(from) = &record.noun
                && reading.says(&record.void)
            {
                made = made.saturating_add(reading.void(from, record.voids, invoices));
                continue;
            }
            if !reading.makes(record) {
                continue;
            }
            made = made.saturating_add(1);
            match &record.noun {
                Noun::Customer(from) => reading.customer(from, customers),
                Noun::Invoice(from) => reading.invoice(from, invoices),
                Noun::Payment(from) => reading.payment(from, payments),
            }
        }
        let bad = reading.bad;
        *received = received.saturating_add(made);
        if bad {
            *refused = refused.saturating_add(made);
            customers.back_to(marks.0);
            invoices.back_to(marks.1);
            payments.back_to(marks.2);
        }
    }
}

const EMPTY: &str = "the field is empty and must not be";

struct Reading<'a, F: ?Sized> {
    plan: &'a Plan,
    row: u64,
    fields: &'a F,
    errors: &'a mut Vec<RowError>,
    more_errors: &'a mut u64,
    scratch: &'a mut String,
    currencies: &'a mut Currencies,
    latest: Option<Date>,
    bad: bool,
}

impl<F: Fields + ?Sized> Reading<'_, F> {
    /// Whether one of the values stands in its column.
    fn says(&self, pairs: &[Pair]) -> bool {
        let text = |column: usize| value::trim(self.fields.get(column).unwrap_or(""));
        pairs.iter().any(|(column, value)| column.map_or("", text) == value)
    }

    /// Writes that the document of the row is void, where the row names one. Says how many it named.
    #[cold]
    fn void(&mut self, from: &Invoice, voids: bool, rows: &mut Rows) -> u64 {
        let row = self.row;
        let of = if voids { self.claimed(from) } else { None };
        let of = of.as_ref().map(|(customer, amount)| (customer.as_str(), *amount));
        match self.read(&from.id, |text, _| id::check(text).map(|()| rows.void(row, text, of))) {
            Read::Absent => 0,
            Read::Value(()) | Read::Bad => 1,
        }
    }

    /// Whose a document is and how much, where the row says all of it.
    fn claimed(&mut self, from: &Invoice) -> Option<(Id, Money)> {
        let form = self.plan.numbers;
        let customer = self.optional(&from.customer_id, |text, _| text.parse::<Id>());
        let own = self.optional(&from.currency, |text, _| text.parse::<Currency>());
        let currency = own.or(self.plan.currency)?;
        let minor = self.optional(&from.amount, |text, from| {
            let signed = amount(text, currency, form)?;
            Ok(if from.unsigned { signed.saturating_abs() } else { signed })
        })?;
        Some((customer?, Money { minor, currency }))
    }

    fn makes(&self, record: &Record) -> bool {
        if self.says(&record.unless) || record.only.as_ref().is_some_and(|only| !self.says(only)) {
            return false;
        }
        let read = |column: usize| value::trim(self.fields.get(column).unwrap_or(""));
        if record.unless_present.is_some_and(|column| !read(column).is_empty()) {
            return false;
        }
        let Some(column) = record.when_present else { return true };
        let text = read(column);
        let among = |values: &Vec<String>| values.iter().any(|value| value == text);
        !text.is_empty()
            && record.when_values.as_ref().is_none_or(among)
            && !record.unless_values.as_ref().is_some_and(among)
    }

    fn customer(&mut self, from: &Customer, rows: &mut Rows) {
        rows.open(self.row);
        self.required(&from.id, |text, _| id::check(text).map(|()| rows.text(text)));
        self.required(&from.name, |text, _| value::name(text).map(|()| rows.text(text)));
        self.text(&from.country, rows, value::country);
        let currency = self.currency(&from.currency, rows);
        self.text(&from.language, rows, |text| text.parse::<Language>().map(drop));
        let known = self.plan.zone_is_known;
        self.text(&from.time_zone, rows, |text| value::time_zone(text, known));
        self.text(&from.email, rows, value::email);
        self.text(&from.phone, rows, value::phone);
        self.credit_limit(from, currency, rows);
        if from.is_classed() {
            self.text(&from.status, rows, |text| text.parse::<CustomerStatus>().map(drop));
            self.text(&from.segment, rows, value::label);
            self.text(&from.industry, rows, value::label);
        }
        if from.is_placed() {
            self.text(&from.parent_id, rows, id::check);
            self.contact(&from.contact, rows);
            if from.compared != 0 {
                rows.number(from.compared);
            }
        }
        rows.close();
    }

    /// Writes a list of the one contact that the row has, or null. What is said of it has to be said whole.
    fn contact(&mut self, from: &Contact, rows: &mut Rows) {
        let owned = |text: &str| text.to_string();
        let name = self.optional(&from.name, |text, _| value::name(text).map(|()| owned(text)));
        let role = self.optional(&from.role, |text, _| value::label(text).map(|()| owned(text)));
        let channel = self.optional(&from.channel, |text, _| text.parse::<Channel>());
        let address = self.optional(&from.address, |text, _| {
            value::words(text, value::MAX_ADDRESS).map(|()| owned(text))
        });
        match (name, channel, address) {
            (Some(name), Some(channel), Some(address)) => {
                let (language, time_zone, preferred) = (None, None, None);
                rows.json(&[crate::contract::types::Contact {
                    name,
                    role,
                    channel,
                    address,
                    language,
                    time_zone,
                    preferred,
                }]);
            }
            (None, None, None) => rows.null(),
            (name, channel, _) if !self.bad => {
                let lacking = match (name, channel) {
                    (None, _) => &from.name,
                    (_, None) => &from.channel,
                    _ => &from.address,
                };
                let detail = "a contact has a name, a channel and an address";
                self.fail(lacking, Refused::new(Refusal::MissingField, detail));
            }
            _ => {}
        }
    }

    fn credit_limit(&mut self, from: &Customer, currency: OwnCurrency, rows: &mut Rows) {
        let form = self.plan.numbers;
        let limit = match currency {
            OwnCurrency::Is(currency) => self.optional(&from.credit_limit, |text, _| {
                let minor = amount(text, currency, form)?;
                not_negative(minor).map(|()| (minor, currency))
            }),
            OwnCurrency::Absent => self.optional(&from.credit_limit, |_, _| {
                Err(Refused::new(
                    Refusal::MissingField,
                    "a credit limit needs the customer's currency",
                ))
            }),
            OwnCurrency::Bad => {
                self.optional(&from.credit_limit, |text, _| amount_by_form(text, form));
                None
            }
        };
        match limit {
            Some((minor, currency)) => {
                rows.number(minor);
                rows.plain(currency.as_str());
            }
            None => {
                rows.null();
                rows.null();
            }
        }
    }

    fn invoice(&mut self, from: &Invoice, rows: &mut Rows) {
        rows.open(self.row);
        self.required(&from.id, |text, _| id::check(text).map(|()| rows.text(text)));
        self.required(&from.customer_id, |text, _| id::check(text).map(|()| rows.text(text)));
        let kind = self.optional(&from.kind, |text, _| text.parse::<InvoiceKind>());
        rows.plain(kind.unwrap_or(InvoiceKind::Invoice).name());
        let issued_on =
            self.required(&from.issued_on, |text, source| value::date(text, source.date));
        let due_on = self.optional(&from.due_on, |text, source| {
            not_before(value::date(text, source.date)?, issued_on)
        });
        if let Some(issued_on) = issued_on {
            rows.date(issued_on);
            rows.date(due_on.unwrap_or(issued_on));
        }
        let currency = self.amount(&from.amount, &from.currency, rows, not_negative);
        let disputed = self.optional(&from.disputed, |text, _| value::flag(text));
        rows.number(i64::from(disputed == Some(true)));
        if from.has_terms() {
            self.terms(from, due_on.is_some(), currency, rows);
        }
        rows.close();
    }

    /// Writes what is said of the document beyond its amount, where anything is.
    fn terms(&mut self, from: &Invoice, is_due: bool, currency: Option<Currency>, rows: &mut Rows) {
        let form = self.plan.numbers;
        let id = |text: &str, _: &Source| text.parse::<Id>();
        let terms = Terms {
            relates_to: self.optional(&from.relates_to, id),
            penalty: self.optional(&from.penalty, |text, _| value::flag(text)) == Some(true),
            contract_id: self.optional(&from.contract_id, id),
            is_due,
            instalments: self.optional(&from.instalments, |text, source| match currency {
                Some(currency) => {
                    terms::instalments(text, source.date, |part| amount(part, currency, form))
                }
                // The currency is the error of the row.
                None => Ok(Vec::new()),
            }),
            reference: self.optional(&from.reference, |text, _| reference::printed(text)),
            void: false,
            voids: false,
        };
        if terms.says_anything() {
            rows.json(&terms);
        }
    }

    fn payment(&mut self, from: &Payment, rows: &mut Rows) {
        rows.open(self.row);
        self.required(&from.id, |text, _| id::check(text).map(|()| rows.text(text)));
        self.required(&from.customer_id, |text, _| id::check(text).map(|()| rows.text(text)));
        let latest = self.latest;
        let day = self.required(&from.received_on, |text, source| {
            not_after(value::date(text, source.date)?, latest)
        });
        if let Some(day) = day {
            rows.date(day);
        }
        self.amount(&from.amount, &from.currency, rows, positive);
        self.text(&from.invoice_id, rows, id::check);
        if from.same_as.is_mapped() || from.another.is_mapped() {
            self.said(from, rows);
        }
        rows.close();
    }

    /// Writes what is said of the payment beside itself, where anything is.
    #[cold]
    fn said(&mut self, from: &Payment, rows: &mut Rows) {
        let same_as = self.optional(&from.same_as, |text, _| text.parse::<Id>());
        let another = self.optional(&from.another, |text, _| value::flag(text)) == Some(true);
        if same_as.is_some() && another {
            let detail = "it is a payment that is there, or another one, not both";
            self.fail(&from.another, Refused::new(Refusal::MalformedField, detail));
        }
        if same_as.is_some() || another {
            rows.json(&Said { same_as, another });
        }
    }

    /// Writes the amount and then its currency, which has to be read first, and gives the currency.
    fn amount(
        &mut self,
        from: &Source,
        currency: &Source,
        rows: &mut Rows,
        rule: fn(i64) -> Result<(), Refused>,
    ) -> Option<Currency> {
        let form = self.plan.numbers;
        let found = self.required_currency(currency);
        let Some(currency) = found else {
            self.required(from, |text, _| amount_by_form(text, form));
            return None;
        };
        let read = |text: &str, from: &Source| {
            let signed = amount(text, currency, form)?;
            let minor = if from.unsigned { signed.saturating_abs() } else { signed };
            rule(minor).map(|()| minor)
        };
        if let Some(minor) = self.required(from, read) {
            rows.number(minor);
            rows.plain(currency.as_str());
        }
        found
    }

    fn required_currency(&mut self, from: &Source) -> Option<Currency> {
        let mut currencies = std::mem::take(self.currencies);
        let find = |text: &str, _: &Source| currencies.find(text);
        let found = match (self.plan.currency, self.read(from, find)) {
            (_, Read::Value(currency)) | (Some(currency), Read::Absent) => Some(currency),
            (None, Read::Absent) => {
                self.fail(from, Refused::new(Refusal::MissingField, EMPTY));
                None
            }
            (_, Read::Bad) => None,
        };
        *self.currencies = currencies;
        found
    }

    /// Writes the customer's own currency.
    fn currency(&mut self, from: &Source, rows: &mut Rows) -> OwnCurrency {
        let before = std::mem::replace(&mut self.bad, false);
        let mut currencies = std::mem::take(self.currencies);
        let found = self.optional(from, |text, _| currencies.find(text));
        *self.currencies = currencies;
        let bad = std::mem::replace(&mut self.bad, before);
        self.bad |= bad;
        match found {
            Some(currency) => {
                rows.plain(currency.as_str());
                OwnCurrency::Is(currency)
            }
            None => {
                rows.null();
                if bad { OwnCurrency::Bad } else { OwnCurrency::Absent }
            }
        }
    }

    /// Writes an optional text, or null where it is absent.
    fn text(
        &mut self,
        from: &Source,
        rows: &mut Rows,
        check: impl FnOnce(&str) -> Result<(), Refused>,
    ) {
        if self.optional(from, |text, _| check(text).map(|()| rows.text(text))).is_none() {
            rows.null();
        }
    }

    #[inline]
    fn required<T>(
        &mut self,
        from: &Source,
        read: impl FnOnce(&str, &Source) -> Result<T, Refused>,
    ) -> Option<T> {
        match self.read(from, read) {
            Read::Value(value) => Some(value),
            Read::Absent => {
                self.fail(from, Refused::new(Refusal::MissingField, EMPTY));
                None
            }
            Read::Bad => None,
        }
    }

    #[inline]
    fn optional<T>(
        &mut self,
        from: &Source,
        read: impl FnOnce(&str, &Source) -> Result<T, Refused>,
    ) -> Option<T> {
        match self.read(from, read) {
            Read::Value(value) => Some(value),
            Read::Absent | Read::Bad => None,
        }
    }

    /// Finds the text of a field, trims it, translates it, puts the prefix before it, and reads it.
    #[inline]
    fn read<T>(
        &mut self,
        from: &Source,
        read: impl FnOnce(&str, &Source) -> Result<T, Refused>,
    ) -> Read<T> {
        let raw = match &from.from {
            Origin::Absent => return Read::Absent,
            Origin::Column(column) => value::trim(self.fields.get(*column).unwrap_or("")),
            Origin::Constant(constant) => constant.as_str(),
        };
        let text = match translated(from, raw) {
            Ok("") => return Read::Absent,
            Ok(text) => text,
            Err(refused) => {
                self.fail(from, refused);
                return Read::Bad;
            }
        };
        let result = match &from.prefix {
            None if from.from_name => {
                read(&value::id_of(text), from).map_err(|refused| plainer(refused, text))
            }
            None => read(text, from).map_err(|refused| plainer(refused, text)),
            Some(prefix) => {
                self.scratch.clear();
                self.scratch.push_str(prefix);
                self.scratch.push_str(text);
                read(self.scratch, from).map_err(|refused| plainer(refused, text))
            }
        };
        match result {
            Ok(value) => Read::Value(value),
            Err(refused) => {
                self.fail(from, refused);
                Read::Bad
            }
        }
    }

    #[cold]
    fn fail(&mut self, from: &Source, refused: Refused) {
        self.bad = true;
        note(
            self.errors,
            self.more_errors,
            self.row,
            Some(&from.name),
            refused.code,
            refused.detail,
        );
    }
}

/// What reading a field gave.
enum Read<T> {
    Value(T),
    Absent,
    Bad,
}

/// The currency of a customer, which its limit depends on.
enum OwnCurrency {
    Is(Currency),
    Absent,
    Bad,
}

fn translated<'a>(from: &'a Source, raw: &'a str) -> Result<&'a str, Refused> {
    let Some(lookup) = &from.lookup else { return Ok(raw) };
    match lookup.get(raw) {
        Some(to) => Ok(to),
        None if raw.is_empty() => Ok(raw),
        None => {
            let detail = format!("`{}` is not in the profile's lookup", super::shown(raw));
            Err(plainer(Refused::new(Refusal::MalformedField, detail), raw))
        }
    }
}

/// A control character is the better reason where a value is refused for its form: it cannot be seen.
#[cold]
fn plainer(refused: Refused, text: &str) -> Refused {
    if text.len() > super::MAX_FIELD {
        let detail =
            format!("the field has {} bytes; at most {} are read", text.len(), super::MAX_FIELD);
        return Refused::new(Refusal::TextTooLong, detail);
    }
    match value::no_controls(text) {
        Err(control) => control,
        Ok(()) => refused,
    }
}

fn amount(text: &str, currency: Currency, form: NumberForm) -> Result<i64, Refused> {
    value::amount_is_short(text)?;
    parse_amount(text, currency, form)
}

/// Where the currency is unknown, an amount can still be wrong in its form; how many decimals it may have is open.
fn amount_by_form(text: &str, form: NumberForm) -> Result<(), Refused> {
    let most_decimals: Currency = "KWD".parse()?;
    match amount(text, most_decimals, form) {
        Err(refused) if refused.code == Refusal::MalformedAmount => Err(refused),
        _ => Ok(()),
    }
}

fn not_negative(minor: i64) -> Result<(), Refused> {
    if minor < 0 {
        return Err(Refused::new(Refusal::AmountNotPositive, "the amount must not be negative"));
    }
    Ok(())
}

fn positive(minor: i64) -> Result<(), Refused> {
    if minor <= 0 {
        return Err(Refused::new(Refusal::AmountNotPositive, "the amount must be more than zero"));
    }
    Ok(())
}

fn not_after(day: Date, latest: Option<Date>) -> Result<Date, Refused> {
    match latest.filter(|latest| day > *latest) {
        None => Ok(day),
        Some(latest) => {
            let detail = format!("{day} has not come yet: it is {latest}");
            Err(Refused::new(Refusal::DateInFuture, detail))
        }
    }
}

fn not_before(due_on: Date, issued_on: Option<Date>) -> Result<Date, Refused> {
    match issued_on {
        Some(issued_on) if due_on < issued_on => {
            let detail = format!("due on {due_on}, before it was issued on {issued_on}");
            Err(Refused::new(Refusal::DueBeforeIssued, detail))
        }
        _ => Ok(due_on),
    }
}
