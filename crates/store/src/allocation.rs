//! Table `allocation`: which part of which payment, credit note or adjustment was set against which invoice.

use crate::{Db, Fault, guarantee, notice, rate, reversal};
use dunlin_domain::{
    Currency, Date, Decimal, Id, Instant, Money,
    allocation::{
        self, Allocated, Claim, Contested, Credit, Discount, Named, Returned, Share, Source, Whole,
    },
    arrange::arrange,
    contract::{
        ledger::{AllocationOrder, Component, LateInterest, Policy},
        types::{Allocation, Difference, InvoiceKind},
    },
    interest,
    money::{MAX_TOTAL_MINOR, SMALL_MINOR},
    order::{self, Order},
    rate::Tables,
};
use std::{collections::BTreeMap, fmt::Write as _};

/// One customer's documents in one currency, and what is recorded of their allocation.
#[derive(Debug, Default)]
pub struct Book {
    /// What can be paid.
    pub claims: Vec<Claim>,
    /// What can pay.
    pub credits: Vec<Credit>,
    /// Disputes of documents with instalments.
    pub wholes: Vec<Whole>,
    /// What is recorded of their parts.
    pub shares: Vec<Share>,
    /// What is recorded, and what of it was taken back.
    pub recorded: Vec<Allocated>,
}

/// The most recorded parts for each document that are handed over as they are.
const PARTS_A_DOCUMENT: usize = 4;

/// The books of some customers, and the orders that their credits name by place.
#[derive(Debug, Default)]
pub struct Books {
    pub of: BTreeMap<(i64, Currency), Book>,
    pub orders: Vec<Order>,
    /// What is recorded of documents that none of these customers has. There is none in books that hold.
    pub nowhere: Vec<Allocated>,
}

/// What a change of an amount leaves to be put right by what is recorded next: by document, how much was taken too
/// much off what is open or not allocated so that it stays between zero and the amount meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owing {
    pub invoices: BTreeMap<i64, i64>,
    pub payments: BTreeMap<i64, i64>,
}

/// A part of a credit: what it was set against, or that it went back.
#[derive(Clone, Debug)]
pub struct Part {
    pub invoice_key: Option<i64>,
    /// The payment it came from, or that earned the difference.
    pub payment_key: Option<i64>,
    pub credit_key: Option<i64>,
    pub invoice_id: Option<Id>,
    pub payment_id: Option<Id>,
    pub credit_note_id: Option<Id>,
    pub adjustment_id: Option<Id>,
    pub difference: Option<Difference>,
    pub on: Date,
    pub minor: i64,
}

impl Part {
    /// As the contract has it. `None` for money that went back.
    pub fn allocation(&self, currency: Currency) -> Option<Allocation> {
        Some(Allocation {
            invoice_id: self.invoice_id.as_ref()?.to_string(),
            payment_id: self.payment_id.clone(),
            credit_note_id: self.credit_note_id.clone(),
            adjustment_id: self.adjustment_id.clone(),
            difference: self.difference,
            allocated_on: self.on,
            amount: Money { minor: self.minor, currency },
            rule: None,
        })
    }
}

type DocumentRow = (i64, Currency, i64, Id, InvoiceKind, Date, Date, i64, Option<DocumentMore>);
type DocumentMore =
    (Option<i64>, Option<i64>, i64, Option<i64>, Option<String>, Option<u32>, Option<String>);
type PaymentRow = (i64, Currency, i64, Id, Date, i64, Option<PaymentMore>);
type PaymentMore = (
    Option<i64>,
    Option<Vec<(i64, i64)>>,
    Option<Vec<(i64, i64, Difference)>>,
    Option<Vec<i64>>,
    Option<Id>,
);
type WholeRow =
    (i64, Currency, i64, Id, i64, Date, Option<Date>, i64, Vec<(i64, i64, Option<i64>)>);
type AdjustmentRow = (i64, Currency, i64, String, i64, Date, i64, Difference, Option<Date>);
/// Money set against a document: document, payment, day, how much.
type MoneyRow = (i64, i64, Date, i64);
/// Anything else: document, payment, credit note, adjustment, payment and reason of a difference, day, how much.
type OtherRow = (
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<Difference>,
    Date,
    i64,
);
type GoneRow = (Option<i64>, Option<i64>, Id, Date, i64, i64, Option<Date>);
type PartRow = (
    Option<i64>,
    Option<Id>,
    Option<Id>,
    Option<Id>,
    Option<Id>,
    Option<Difference>,
    Date,
    i64,
    Option<i64>,
    Option<i64>,
);

/// The customers whose allocations may change by what was added after these keys.
pub fn affected<D: Db>(db: &D, last_invoice: i64, last_payment: i64) -> Result<Vec<i64>, Fault> {
    db.json(sql!("allocation/affected.sql"), &[last_invoice.into(), last_payment.into()])
}

/// A currency in which a customer with a large document added after this key has more than one may have.
pub fn too_much_since<D: Db>(db: &D, last_invoice: i64) -> Result<Option<Currency>, Fault> {
    let params = [last_invoice.into(), SMALL_MINOR.into(), MAX_TOTAL_MINOR.into()];
    let found: Vec<Currency> = db.json(sql!("allocation/too_much_since.sql"), &params)?;
    Ok(found.into_iter().next())
}

/// The whole books of these customers, by customer and currency, under the policy.
pub fn books<D: Db>(db: &D, customers: &[i64], policy: &Policy) -> Result<Books, Fault> {
    let keys = crate::array(customers)?;
    let documents: Vec<DocumentRow> =
        db.json(sql!("allocation/documents.sql"), &[(&keys).into()])?;
    let mut held = documents.len();
    let clauses = policy.late_interest.is_some()
        || documents.iter().any(|row| row.8.as_ref().is_some_and(|more| more.6.is_some()));
    let tables = if clauses { Some(rate::tables(db, i64::MAX)?) } else { None };
    let mut reading = Reading::new(policy, tables)?;
    let gone: Vec<GoneRow> = db.json(sql!("allocation/reversals.sql"), &[(&keys).into()])?;
    let mut returned: BTreeMap<i64, Vec<Returned>> = BTreeMap::new();
    let backs: Vec<(i64, i64)> = gone.iter().map(|row| (row.0.unwrap_or(0), row.5)).collect();
    let falls = reversal::falls(db, &backs)?;
    for ((payment, credit, id, on, mistake, minor, until), fall) in gone.into_iter().zip(falls) {
        let of = if payment.is_some() { &mut returned } else { &mut reading.refunds };
        let own = Returned { on, minor, id, mistake: mistake != 0, until };
        for part in fall.parts {
            let back = Returned { minor: part.minor, ..own.clone() };
            of.entry(part.payment_key).or_default().push(back);
        }
        let back = Returned { minor: minor.saturating_sub(fall.changed), ..own };
        of.entry(payment.or(credit).unwrap_or(0)).or_default().push(back);
    }
    let contested: Vec<(i64, Date, Option<Date>, i64)> =
        db.json(sql!("allocation/contested.sql"), &[(&keys).into()])?;
    for (invoice, on, until, minor) in contested {
        reading.contested.entry(invoice).or_default().push(Contested { on, until, minor });
    }
    for row in documents {
        reading.document(row)?;
    }
    reading.open_parts();
    let payments: Vec<PaymentRow> = db.json(sql!("allocation/payments.sql"), &[(&keys).into()])?;
    held = held.saturating_add(payments.len());
    let own = policy.orders.as_deref().unwrap_or_default();
    let mut named = payments.iter().filter_map(|row| row.6.as_ref()?.4.as_ref());
    if named.any(|name| order::find(name, own).is_none()) {
        reading.former = crate::policy::orders(db)?;
    }
    for row in payments {
        let back = returned.remove(&row.2).unwrap_or_default();
        reading.payment(row, back)?;
    }
    if reading.orders.iter().any(Order::asks_security) {
        reading.secure(guarantee::by_claim(db, &keys)?);
    }
    for row in
        db.json::<Vec<AdjustmentRow>>(sql!("allocation/adjustments.sql"), &[(&keys).into()])?
    {
        reading.adjustment(row)?;
    }
    for row in db.json::<Vec<WholeRow>>(sql!("allocation/wholes.sql"), &[(&keys).into()])? {
        reading.whole(row);
    }
    let (money, other) = recorded(db, &keys, held)?;
    let nowhere = reading.recorded(money, other)?;
    Ok(Books { of: reading.books, orders: reading.orders, nowhere })
}

/// The parts that are recorded. They are netted where they are used, which is quicker than the database does it, unless
/// the customers' documents were replayed so often that most parts only take others back.
fn recorded<D: Db>(
    db: &D,
    customers: &str,
    documents: usize,
) -> Result<(Vec<MoneyRow>, Vec<OtherRow>), Fault> {
    let sql = "SELECT count(*) FROM json_each(?1) AS j CROSS JOIN allocation AS a ON a.customer_key = j.value";
    let parts = usize::try_from(db.int(sql, &[customers.into()])?).unwrap_or(usize::MAX);
    let sql = match parts > documents.saturating_mul(PARTS_A_DOCUMENT) {
        true => sql!("allocation/recorded_net.sql"),
        false => sql!("allocation/recorded.sql"),
    };
    let row = db.first(sql, &[customers.into()])?;
    let row = row.ok_or_else(|| Fault::Db("a JSON statement gave no row".into()))?;
    Ok((row.json(0)?, row.json(1)?))
}

/// Books while they are read.
struct Reading<'p> {
    policy: &'p Policy,
    /// The orders of all its versions, where one is named that it has no more.
    former: Vec<AllocationOrder>,
    /// The tables of rates, where an order may ask for the heaviest burden.
    tables: Option<Tables>,
    books: BTreeMap<(i64, Currency), Book>,
    orders: Vec<Order>,
    by_name: BTreeMap<Id, usize>,
    /// The instalments of an invoice that has some, oldest due first, with their amounts.
    parts: BTreeMap<i64, Vec<(Date, i64, i64)>>,
    /// What was paid out of credit notes.
    refunds: BTreeMap<i64, Vec<Returned>>,
    /// What was contested of documents.
    contested: BTreeMap<i64, Vec<Contested>>,
    /// By invoice the share that early payment saves of its instalments.
    shares: Vec<(i64, Decimal)>,
    /// Credit notes about an invoice: the book, the place in it, the invoice.
    about: Vec<((i64, Currency), usize, i64)>,
}

impl<'p> Reading<'p> {
    fn new(policy: &'p Policy, tables: Option<Tables>) -> Result<Self, Fault> {
        let mut reading = Self {
            policy,
            former: Vec::new(),
            tables,
            books: BTreeMap::new(),
            orders: Vec::new(),
            by_name: BTreeMap::new(),
            parts: BTreeMap::new(),
            refunds: BTreeMap::new(),
            contested: BTreeMap::new(),
            shares: Vec::new(),
            about: Vec::new(),
        };
        // The first order is the policy's: it serves whatever names no other.
        match &policy.order {
            Some(name) => drop(reading.order(name)?),
            None => reading.orders.push(Order::default()),
        }
        Ok(reading)
    }

    fn order(&mut self, name: &Id) -> Result<usize, Fault> {
        if let Some(place) = self.by_name.get(name) {
            return Ok(*place);
        }
        let own = self.policy.orders.as_deref().unwrap_or_default();
        let found = order::find(name, own).or_else(|| order::find(name, &self.former));
        let Some(found) = found else {
            if self.orders.is_empty() {
                self.orders.push(Order::default());
            }
            return Ok(0);
        };
        self.orders.push(found);
        let place = self.orders.len().saturating_sub(1);
        self.by_name.insert(name.clone(), place);
        Ok(place)
    }

    fn document(&mut self, row: DocumentRow) -> Result<(), Fault> {
        let (customer, currency, key, id, kind, issued_on, due_on, amount_minor, more) = row;
        let (about, parent, penalty, secured, share, days, clause) = more.unwrap_or_default();
        let book = self.books.entry((customer, currency)).or_default();
        if kind == InvoiceKind::CreditNote {
            let mut credit = Credit::plain(Source::Credit(key), id, issued_on, amount_minor);
            credit.returned = self.refunds.remove(&key).unwrap_or_default();
            book.credits.push(credit);
            if let Some(about) = about {
                let place = book.credits.len().saturating_sub(1);
                self.about.push(((customer, currency), place, about));
            }
            return Ok(());
        }
        if let Some(parent) = parent {
            self.parts.entry(parent).or_default().push((due_on, key, amount_minor));
        }
        let of_invoice = kind == InvoiceKind::Invoice;
        let early = share.zip(days).filter(|_| of_invoice);
        let early = early.map(|(share, days)| {
            let share: Decimal =
                share.parse().map_err(|_| Fault::Db(format!("a share is `{share}`")))?;
            Ok::<_, Fault>((share, issued_on.plus_days(i64::from(days)).unwrap_or(Date::LAST)))
        });
        let early = early.transpose()?;
        if let Some((parent, (share, _))) = parent.zip(early) {
            self.shares.push((parent, share));
        }
        let discount = early.map(|(share, until)| Discount {
            minor: allocation::discounts(share, [amount_minor]).into_iter().sum(),
            until,
        });
        let component = match kind {
            InvoiceKind::Fee if penalty != 0 => Component::Penalty,
            InvoiceKind::Fee => Component::Costs,
            InvoiceKind::InterestNote => Component::Interest,
            InvoiceKind::Invoice | InvoiceKind::CreditNote => Component::Principal,
        };
        let clause: Option<LateInterest> = clause
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|e| Fault::Db(format!("stored clause: {e}")))?;
        let burden = self.burden(clause.as_ref(), due_on);
        let contested = self.contested.remove(&key).unwrap_or_default();
        let book = self.books.entry((customer, currency)).or_default();
        book.claims.push(Claim {
            key,
            id,
            issued_on,
            due_on,
            amount_minor,
            component,
            about: about.filter(|_| component != Component::Principal),
            secured: secured == Some(1),
            securities: Vec::new(),
            burden,
            discount,
            contested,
        });
        Ok(())
    }

    /// How heavy the late interest of a claim is, in millionths of a year's rate on its first day late. It only orders
    /// debts: a clause that does not hold or has no rate for the day weighs nothing.
    fn burden(&self, clause: Option<&LateInterest>, due_on: Date) -> i64 {
        let clause = clause.or(self.policy.late_interest.as_ref());
        let Some((clause, tables)) = clause.zip(self.tables.as_ref()) else { return 0 };
        let rate = due_on.plus_days(1).and_then(|day| interest::rate_on(clause, tables, day));
        let millionths = rate.ok().and_then(|rate| rate.checked_mul(Decimal::from(1_000_000)));
        millionths.and_then(|rate| i64::try_from(rate.trunc()).ok()).unwrap_or(0)
    }

    /// Names of invoices that have instalments become those of their instalments.
    fn open_parts(&mut self) {
        for parts in self.parts.values_mut() {
            arrange(parts, Ord::cmp);
        }
        // A debt in instalments is one with the first of them.
        let first = |about: i64| self.parts.get(&about).and_then(|parts| parts.first());
        for claim in self.books.values_mut().flat_map(|book| &mut book.claims) {
            if let Some((_, key, _)) = claim.about.and_then(first) {
                claim.about = Some(*key);
            }
        }
        self.discount_parts();
        for (book, place, about) in std::mem::take(&mut self.about) {
            let claims = self.claims_of(about);
            if let Some(credit) =
                self.books.get_mut(&book).and_then(|book| book.credits.get_mut(place))
            {
                credit.named = vec![Named { claims, minor: None }];
            }
        }
    }

    /// What early payment saves of the instalments of an invoice is together what it saves of the invoice.
    fn discount_parts(&mut self) {
        if self.shares.is_empty() {
            return;
        }
        arrange(&mut self.shares, |one, other| one.0.cmp(&other.0));
        self.shares.dedup_by_key(|of| of.0);
        let mut saved: BTreeMap<i64, i64> = BTreeMap::new();
        for (parent, share) in &self.shares {
            let Some(parts) = self.parts.get(parent) else { continue };
            let amounts = parts.iter().map(|part| part.2);
            saved.extend(
                parts.iter().map(|part| part.1).zip(allocation::discounts(*share, amounts)),
            );
        }
        for claim in self.books.values_mut().flat_map(|book| &mut book.claims) {
            if let (Some(discount), Some(minor)) = (&mut claim.discount, saved.get(&claim.key)) {
                discount.minor = *minor;
            }
        }
    }

    fn claims_of(&self, invoice: i64) -> Vec<i64> {
        match self.parts.get(&invoice) {
            Some(parts) => parts.iter().map(|part| part.1).collect(),
            None => vec![invoice],
        }
    }

    fn payment(&mut self, row: PaymentRow, returned: Vec<Returned>) -> Result<(), Fault> {
        let (customer, currency, key, id, on, amount_minor, more) = row;
        let (invoice, designation, deductions, settles, order) = more.unwrap_or_default();
        let mut credit = Credit::plain(Source::Payment(key), id, on, amount_minor);
        if let Some(invoice) = invoice {
            credit.named.push(Named { claims: self.claims_of(invoice), minor: None });
        }
        for (invoice, minor) in designation.unwrap_or_default() {
            credit.named.push(Named { claims: self.claims_of(invoice), minor: Some(minor) });
        }
        for (invoice, minor, why) in deductions.unwrap_or_default() {
            credit.deductions.push((why, self.claims_of(invoice), minor));
        }
        for invoice in settles.unwrap_or_default() {
            let claims = self.claims_of(invoice);
            // What is settled is named too, as far as it was not named with an amount.
            let named = |key: &i64| credit.named.iter().any(|named| named.claims.contains(key));
            let others: Vec<i64> = claims.iter().filter(|key| !named(key)).copied().collect();
            if !others.is_empty() {
                credit.named.push(Named { claims: others, minor: None });
            }
            credit.settles.push(claims);
        }
        credit.returned = returned;
        if let Some(order) = order {
            credit.order = self.order(&order)?;
        }
        let tolerances = self.policy.tolerances.as_deref().unwrap_or_default();
        let tolerance = tolerances.iter().find(|threshold| threshold.currency == currency);
        credit.tolerance_minor = tolerance.map_or(0, |threshold| threshold.minor);
        self.books.entry((customer, currency)).or_default().credits.push(credit);
        Ok(())
    }

    fn secure(&mut self, securities: Vec<(i64, Date, Date)>) {
        let mut by_claim: BTreeMap<i64, Vec<(Date, Date)>> = BTreeMap::new();
        for (claim, from, to) in securities {
            by_claim.entry(claim).or_default().push((from, to));
        }
        for claim in self.books.values_mut().flat_map(|book| &mut book.claims) {
            claim.securities = by_claim.remove(&claim.key).unwrap_or_default();
        }
    }

    fn adjustment(&mut self, row: AdjustmentRow) -> Result<(), Fault> {
        let (customer, currency, key, id, invoice, on, minor, why, until) = row;
        // `write-off/<id>`, `dispute/<id>` or `void/<id>`: ties are settled by the id, never by the order of arrival.
        let id = id.split_once('/').map_or(id.as_str(), |(_, id)| id).parse()?;
        let mut credit = Credit::plain(Source::Adjustment(key), id, on, minor);
        credit.named = vec![Named { claims: self.claims_of(invoice), minor: None }];
        credit.recoverable = why == Difference::WriteOff;
        credit.voids = why == Difference::Voided;
        credit.until = until;
        self.books.entry((customer, currency)).or_default().credits.push(credit);
        Ok(())
    }

    fn whole(&mut self, row: WholeRow) {
        let (customer, currency, key, id, invoice, on, until, minor, parts) = row;
        let claims = self.claims_of(invoice);
        let book = self.books.entry((customer, currency)).or_default();
        book.wholes.push(Whole { key, id, on, until, minor, claims });
        let share = |(claim, minor, upheld): (i64, i64, Option<i64>)| Share {
            whole: key,
            claim,
            minor,
            upheld_minor: upheld.unwrap_or(0),
        };
        book.shares.extend(parts.into_iter().map(share));
    }

    /// Puts what is recorded into the books, and gives what belongs into none. Of one book there is nothing to look up.
    fn recorded(
        &mut self,
        money: Vec<MoneyRow>,
        other: Vec<OtherRow>,
    ) -> Result<Vec<Allocated>, Fault> {
        let other = other.into_iter().map(other_part).collect::<Result<Vec<Allocated>, Fault>>()?;
        let parts = money.into_iter().map(money_part).chain(other);
        if let (1, Some(mut only)) = (self.books.len(), self.books.first_entry()) {
            only.get_mut().recorded.extend(parts);
            return Ok(Vec::new());
        }
        let (mut documents, mut payments) = (BTreeMap::new(), BTreeMap::new());
        for (place, book) in &self.books {
            documents.extend(book.claims.iter().map(|claim| (claim.key, *place)));
            for credit in &book.credits {
                match credit.source {
                    Source::Credit(key) => documents.insert(key, *place),
                    Source::Payment(key) => payments.insert(key, *place),
                    Source::Adjustment(_) | Source::Difference(..) => None,
                };
            }
        }
        let mut nowhere = Vec::new();
        for part in parts {
            let place = match (part.claim, part.source) {
                (Some(document), _) | (None, Source::Credit(document)) => documents.get(&document),
                (None, Source::Payment(payment)) => payments.get(&payment),
                (None, Source::Adjustment(_) | Source::Difference(..)) => None,
            };
            match place.and_then(|place| self.books.get_mut(place)) {
                Some(book) => book.recorded.push(part),
                None => nowhere.push(part),
            }
        }
        Ok(nowhere)
    }
}

fn money_part((claim, payment, on, amount_minor): MoneyRow) -> Allocated {
    Allocated { source: Source::Payment(payment), claim: Some(claim), on, amount_minor }
}

fn other_part(row: OtherRow) -> Result<Allocated, Fault> {
    let (claim, payment, credit, adjustment, by, why, on, amount_minor) = row;
    let source = payment
        .map(Source::Payment)
        .or(credit.map(Source::Credit))
        .or(adjustment.map(Source::Adjustment))
        .or(by.zip(why).map(|(by, why)| Source::Difference(by, why)));
    let nowhere = || Fault::Db(format!("an allocation of {on} comes from nowhere"));
    Ok(Allocated { source: source.ok_or_else(nowhere)?, claim, on, amount_minor })
}

/// Adds the corrections and brings `open_minor` and `unallocated_minor` into line with them.
pub fn record<D: Db>(
    db: &D,
    corrections: &[(i64, Allocated)],
    owing: &Owing,
    at: Instant,
    entry: Option<i64>,
) -> Result<(), Fault> {
    let mut taken_invoices = owing.invoices.clone();
    let mut taken_payments = owing.payments.clone();
    // Most are parts of payments set against documents: they go without the columns that they leave empty.
    let mut money = String::with_capacity(corrections.len().saturating_mul(56));
    let mut rows = Vec::new();
    for (customer, part) in corrections {
        let (mut payment, mut credit, mut adjustment, mut by, mut why) =
            (None, None, None, None, None);
        match part.source {
            Source::Payment(key) => payment = Some(key),
            Source::Credit(key) => credit = Some(key),
            Source::Adjustment(key) => adjustment = Some(key),
            Source::Difference(key, reason) => (by, why) = (Some(key), Some(reason)),
        }
        let (on, minor) = (part.on, part.amount_minor);
        let keys = part.claim.zip(payment).map(|(claim, payment)| [*customer, claim, payment]);
        match keys.and_then(ten_letters_each) {
            Some(keys) => write!(money, "\"{keys}{on}{minor}\",")
                .map_err(|_| Fault::Db("parts of payments as text".into()))?,
            None => {
                rows.push((customer, part.claim, payment, credit, adjustment, by, why, on, minor))
            }
        }
        if let Some(claim) = part.claim {
            add(&mut taken_invoices, claim, part.amount_minor)?;
        }
        if let Some(key) = payment {
            add(&mut taken_payments, key, part.amount_minor)?;
        }
        if let Some(key) = credit {
            add(&mut taken_invoices, key, part.amount_minor)?;
        }
    }
    let at = at.to_string();
    if money.pop().is_some() {
        let money = format!("[{money}]");
        let sql = sql!("allocation/insert_money.sql");
        db.execute(sql, &[(&money).into(), (&at).into(), entry.into()])?;
    }
    if !rows.is_empty() {
        let rows = crate::array(&rows)?;
        let sql = sql!("allocation/insert_all.sql");
        db.execute(sql, &[(&rows).into(), (&at).into(), entry.into()])?;
    }
    let (invoices, payments) = (changed(taken_invoices), changed(taken_payments));
    if !invoices.is_empty() {
        let invoices = crate::array(&invoices)?;
        db.execute(sql!("allocation/close_invoices.sql"), &[(&invoices).into()])?;
        notice::forget_levels(db, &invoices)?;
    }
    if !payments.is_empty() {
        let payments = crate::array(&payments)?;
        db.execute(sql!("allocation/use_payments.sql"), &[(&payments).into()])?;
    }
    Ok(())
}

/// Sets the payments after a key against what they name, for those of these customers of whom nothing else moves by it,
/// and gives these. Whether that is so is read from the tables, so that nobody's documents are.
pub fn append<D: Db>(
    db: &D,
    customers: &[i64],
    last_payment: i64,
    policy: &Policy,
    at: Instant,
    entry: Option<i64>,
) -> Result<Vec<i64>, Fault> {
    // Under an order that was chosen rates that came since may move older money.
    if policy.order.is_some() {
        return Ok(Vec::new());
    }
    let tolerant = policy.tolerances.as_ref().is_some_and(|tolerances| !tolerances.is_empty());
    let customers = crate::array(customers)?;
    let sql = sql!("allocation/plain.sql");
    let plain: Vec<i64> =
        db.json(sql, &[(&customers).into(), last_payment.into(), i64::from(tolerant).into()])?;
    if plain.is_empty() {
        return Ok(plain);
    }
    let last = db.int("SELECT coalesce(max(key), 0) FROM allocation", &[])?;
    let (keys, at) = (crate::array(&plain)?, at.to_string());
    let sql = sql!("allocation/append.sql");
    db.execute(sql, &[(&keys).into(), last_payment.into(), (&at).into(), entry.into()])?;
    db.execute(sql!("allocation/close_appended.sql"), &[last.into()])?;
    notice::forget_appended(db, last)?;
    // Each is used up.
    db.execute(
        "UPDATE payment SET unallocated_minor = 0
         WHERE key IN (SELECT payment_key FROM allocation NOT INDEXED WHERE key > ?1)",
        &[last.into()],
    )?;
    Ok(plain)
}

/// Keys as text, each of the width that the statement cuts. `None` where one is too long for that.
fn ten_letters_each(keys: [i64; 3]) -> Option<String> {
    let mut letters = [[b'0'; 10]; 3];
    for (key, letters) in keys.into_iter().zip(&mut letters) {
        let mut left = u64::try_from(key).ok()?;
        for letter in letters.iter_mut().rev() {
            *letter = b'0' + u8::try_from(left % 10).ok()?;
            left /= 10;
        }
        if left > 0 {
            return None;
        }
    }
    String::from_utf8(letters.concat()).ok()
}

fn add(sums: &mut BTreeMap<i64, i64>, key: i64, minor: i64) -> Result<(), Fault> {
    let sum = sums.entry(key).or_default();
    *sum = sum
        .checked_add(minor)
        .ok_or_else(|| Fault::Db("allocations of one document overflow".into()))?;
    Ok(())
}

fn changed(sums: BTreeMap<i64, i64>) -> Vec<(i64, i64)> {
    sums.into_iter().filter(|(_, minor)| *minor != 0).collect()
}

/// What was set against these documents up to the day, oldest first, as known with an audit entry.
pub fn of_invoices<D: Db>(db: &D, keys: &[i64], day: Date, known: i64) -> Result<Vec<Part>, Fault> {
    let (keys, day) = (crate::array(keys)?, day.to_string());
    let rows: Vec<PartRow> = db
        .json(sql!("allocation/of_invoices.sql"), &[(&keys).into(), (&day).into(), known.into()])?;
    Ok(rows.into_iter().map(part).collect())
}

/// What these payments and credit notes were set against up to the day, oldest first, with the differences that the
/// payments earned and the money that went back.
pub fn of_credits<D: Db>(
    db: &D,
    payments: &[i64],
    notes: &[i64],
    day: Date,
    known: i64,
) -> Result<Vec<Part>, Fault> {
    let (payments, notes, day) = (crate::array(payments)?, crate::array(notes)?, day.to_string());
    let rows: Vec<PartRow> = db.json(
        sql!("allocation/of_credits.sql"),
        &[(&payments).into(), (&notes).into(), (&day).into(), known.into()],
    )?;
    Ok(rows.into_iter().map(part).collect())
}

fn part(row: PartRow) -> Part {
    let (
        invoice_key,
        invoice_id,
        payment_id,
        credit_note_id,
        adjustment_id,
        difference,
        on,
        minor,
        payment_key,
        credit_key,
    ) = row;
    Part {
        invoice_key,
        payment_key,
        credit_key,
        invoice_id,
        payment_id,
        credit_note_id,
        adjustment_id,
        difference,
        on,
        minor,
    }
}
