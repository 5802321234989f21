//! A ledger with one customer and its duplicate, and what the clerk wrote down of what it took.

use crate::{
    clerk::{
        CURRENCIES, CUSTOMERS, Claim, Clerk, Contested, Credit, DISCOUNT_DAYS, Documents, Entry,
        FIXED_SUMS, GRACE, NEVER, Paused, RATE_DAY, RATES, Refund, SIGNED, Standing, TOLERANCE,
        Waived, documents,
    },
    events::{DEDUCTIONS, Event, Side},
};
use dunlin_app::{
    audit::Author,
    contract, credit_refund, customer, default_record, dispute, interest, invoice,
    ledger::{self, Change},
    pause, payment, policy, report, statement, write_off,
};
use dunlin_domain::{
    Date, Id, Instant,
    ageing::Edges,
    contract::report::{AgeingBasis, DsoMethod},
};
use dunlin_store::{Db, Fault, When, native::NativeDb};
use proptest::test_runner::Config as ProptestConfig;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};

pub const START: &str = "2024-01-01";

/// The day on which all events come.
const TODAY: &str = "2025-01-01";

pub fn day(number: i64) -> Date {
    START.parse::<Date>().unwrap().plus_days(number).unwrap()
}

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

pub fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn eur(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

/// The moment at which an event came: one a minute, after all days on which anything happens.
pub fn moment(step: usize) -> Instant {
    let start: Instant = "2025-01-01T00:00:00Z".parse().unwrap();
    start.plus_seconds(60 * i64::try_from(step).unwrap())
}

pub fn author(step: usize) -> Author {
    Author { who: "clerk".into(), at: moment(step), salt: "salt".into() }
}

/// So many cases, or as many as `PROPTEST_CASES` says.
pub fn cases(usual: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: wanted.unwrap_or(usual),
        failure_persistence: None,
        max_shrink_iters: 600,
        ..ProptestConfig::default()
    }
}

/// A request as it is sent. What it says does not depend on what the ledger holds.
#[derive(Clone, Debug)]
pub enum Deed {
    Invoice(Value),
    Payment(Value),
    Refund(String, Value),
    RefundBack(String, Value),
    Reverse(String, Value),
    /// A reversal of a payment was none.
    Undo(String),
    CorrectInvoice(String, Value),
    CorrectPayment(String, Value),
    WriteOff(Value),
    TakeBack(String, Value),
    Dispute(Value),
    Resolve(String, Value),
    Default(Value),
    Close(String, Value),
    Reopen(String, Value),
    Pause(Value),
    Resume(String, Value),
    Waiver(Value),
    /// A row of the table of rates.
    Rate(Value),
    /// The order of what names none.
    Policy(&'static str),
    Merge,
}

impl Deed {
    pub fn send(&self, db: &NativeDb, author: &Author) -> Result<Change, Fault> {
        let made = id("made");
        match self.clone() {
            Self::Invoice(new) => invoice::add(db, &read(new), made, author).map(|done| done.1),
            Self::Payment(new) => payment::add(db, &read(new), made, author).map(|done| done.1),
            Self::Refund(of, new) => credit_refund::add(db, &id(&of), &read(new), made, author),
            Self::RefundBack(of, new) => {
                credit_refund::reverse(db, &id(&of), &read(new), author).map(|done| done.1)
            }
            Self::Reverse(of, new) => payment::reverse(db, &id(&of), &read(new), made, author),
            Self::Undo(of) => {
                let why = read(json!({"reason": "of another"}));
                payment::undo(db, &id(&of), &why, author).map(|done| done.1)
            }
            Self::CorrectInvoice(of, new) => invoice::correct(db, &id(&of), &read(new), author),
            Self::CorrectPayment(of, new) => payment::correct(db, &id(&of), &read(new), author),
            Self::WriteOff(new) => write_off::add(db, &read(new), made, author).map(|done| done.1),
            Self::TakeBack(of, new) => {
                write_off::reverse(db, &id(&of), &read(new), author).map(|done| done.1)
            }
            Self::Dispute(new) => dispute::open(db, &read(new), made, author).map(|done| done.1),
            Self::Resolve(of, new) => dispute::resolve(db, &id(&of), &read(new), author),
            Self::Default(new) => {
                default_record::add(db, &read(new), made, author).map(|done| done.1)
            }
            Self::Close(of, new) => default_record::close(db, &id(&of), &read(new), author),
            Self::Reopen(of, new) => default_record::reopen(db, &id(&of), &read(new), author),
            Self::Pause(new) => pause::add(db, &read(new), made, author).map(|done| done.1),
            Self::Resume(of, new) => pause::resume(db, &id(&of), &read(new), author),
            Self::Waiver(new) => {
                interest::add_waiver(db, &read(new), made, TODAY.parse().unwrap(), author)
                    .map(|done| done.1)
            }
            Self::Rate(row) => interest::put_rates(db, &id("house"), &[read(row)], author),
            Self::Policy(order) => policy::put(db, &read(policy_of(Some(order))), author),
            Self::Merge => customer::merge(db, &id(CUSTOMERS[1]), &id(CUSTOMERS[0]), author),
        }
    }
}

/// A ledger, the requests that it took, and what the clerk wrote down of them.
pub struct World {
    folder: tempfile::TempDir,
    pub db: NativeDb,
    pub log: Vec<(usize, Entry)>,
    pub deeds: Vec<Deed>,
    pub invoices: Vec<Document>,
    pub payments: Vec<String>,
    pub write_offs: Vec<String>,
    pub notes: Vec<String>,
    pub refunds: Vec<String>,
    /// Those of payments.
    pub reversals: Vec<String>,
    pub pauses: Vec<String>,
    pub defaults: Vec<String>,
    pub step: usize,
}

/// A document that can be named.
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    customer: &'static str,
    currency: &'static str,
    kind: &'static str,
    minor: i64,
}

/// A connection that leaves it to the system when bytes reach the disk: no test pulls the plug.
pub fn open(path: &Path) -> NativeDb {
    let db = NativeDb::open(path).unwrap();
    db.execute("PRAGMA synchronous = OFF", &[]).unwrap();
    db
}

/// The policy, with the order of what names none.
fn policy_of(order: Option<&str>) -> Value {
    let reference = json!({"table": "house", "fixing": "floating"});
    let (below, small, large) = FIXED_SUMS;
    let sums = json!([{"below_minor": below, "minor": small}, {"minor": large}]);
    json!({"order": order, "tolerances": [{"minor": TOLERANCE, "currency": CURRENCIES[0]}],
        "late_interest": {"reference": reference, "grace_days": GRACE, "fixed_sums": sums,
            "fixed_currency": CURRENCIES[0]}})
}

/// What the ledgers begin with: customers, contracts, rates and the policy.
fn furnish(path: &Path) {
    let (db, author) = (NativeDb::open(path).unwrap(), author(0));
    for name in CUSTOMERS {
        customer::add(&db, &read(json!({"id": name, "name": name})), id("made"), &author).unwrap();
        let new = json!({"customer_id": name, "effective_on": "2023-01-01",
            "terms": {"discount_share": "0.02", "discount_days": DISCOUNT_DAYS}});
        contract::put(&db, &id(&format!("K{name}")), &read(new), &author).unwrap();
        let mut late = policy_of(None)["late_interest"].clone();
        late["reference"]["fixing"] = json!("at-signing");
        for (from, signed) in SIGNED {
            let new = json!({"customer_id": name, "effective_on": day(from),
                "signed_on": day(signed), "late_interest": late});
            contract::put(&db, &id(&format!("L{name}")), &read(new), &author).unwrap();
        }
    }
    let rate = |hundredths: i128| format!("0.{hundredths:02}");
    let tables = [
        ("house", [rate(RATES.0), rate(RATES.1)]),
        ("fx-usd-eur", ["0.9".to_string(), "0.8".to_string()]),
    ];
    for (name, rates) in tables {
        let days = [day(-365), day(RATE_DAY)];
        let rows: Vec<Value> = days
            .into_iter()
            .zip(rates)
            .map(|(from, rate)| {
                json!({"valid_from": from, "rate": rate, "source": "ours", "confirmed": true})
            })
            .collect();
        interest::put_rates(&db, &id(name), &read::<Vec<_>>(rows.into()), &author).unwrap();
    }
    policy::put(&db, &read(policy_of(None)), &author).unwrap();
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
}

/// What an amount of one of the two currencies costs in the other on a day.
fn cost(minor: i64, from: &str, on: i64) -> i64 {
    let tenths = if on < RATE_DAY { 9 } else { 8 };
    let (over, under) = if from == CURRENCIES[1] { (tenths, 10) } else { (10, tenths) };
    ((minor * over * 2 + under) / (2 * under)).max(1)
}

impl World {
    pub fn new() -> Self {
        static BEGUN: OnceLock<Vec<u8>> = OnceLock::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let begun = BEGUN.get_or_init(|| {
            let begun = tempfile::tempdir().unwrap();
            furnish(&begun.path().join("begun.db"));
            std::fs::read(begun.path().join("begun.db")).unwrap()
        });
        std::fs::write(&path, begun).unwrap();
        Self {
            db: open(&path),
            folder,
            log: Vec::new(),
            deeds: Vec::new(),
            invoices: Vec::new(),
            payments: Vec::new(),
            write_offs: Vec::new(),
            notes: Vec::new(),
            refunds: Vec::new(),
            reversals: Vec::new(),
            pauses: Vec::new(),
            defaults: Vec::new(),
            step: 0,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    fn pick<T: Clone>(of: &[T], at: usize) -> Option<T> {
        (!of.is_empty()).then(|| of[at % of.len()].clone())
    }

    pub fn now(&self) -> Documents {
        documents(&self.log, usize::MAX)
    }

    fn send(&mut self, deed: Deed) -> bool {
        let taken = taken(deed.send(&self.db, &author(self.step)));
        if taken {
            self.deeds.push(deed);
        }
        taken
    }

    /// Tells the ledger, and notes what it took. What it refuses did not happen.
    pub fn tell(&mut self, number: usize, event: &Event) {
        self.step = number + 1;
        let entry = match event.clone() {
            Event::Invoice { kind, on, net, minor, parts, about, discount, side } => {
                let dates = (on, net, minor);
                self.invoice(&format!("I{number}"), kind, dates, parts, about, discount, side)
            }
            Event::CreditNote { on, minor, about, side } => {
                self.credit_note(&format!("N{number}"), on, minor, about, side)
            }
            Event::Payment { on, minor, named, order, settles, deductions, side } => self.payment(
                &format!("P{number}"),
                (on, minor, order),
                (&named, settles, &deductions),
                side,
            ),
            Event::Early { invoice, after, less, held, named, order } => {
                self.early(&format!("P{number}"), invoice, (after, less, held), named, order)
            }
            Event::Refund { note, after, minor } => self.refund(number, note, after, minor),
            Event::RefundBack { refund, after } => self.refund_back(refund, after),
            Event::Reverse { payment, after, minor, kind } => {
                self.reverse(number, payment, after, minor, kind)
            }
            Event::Undo { reversal } => self.undo(reversal),
            Event::CorrectInvoice { invoice, on, net, minor } => {
                self.correct_invoice(invoice, (on, net, minor))
            }
            Event::Agree { invoice, discount } => self.agree(invoice, discount),
            Event::Move { adjustment, after } => self.move_past(adjustment, after),
            Event::CorrectPayment { payment, on, minor } => {
                self.correct_payment(payment, on, minor)
            }
            Event::WriteOff { invoice, after, minor } => {
                self.write_off(&format!("W{number}"), invoice, after + 5, minor)
            }
            Event::TakeBack { write_off, after } => self.take_back(write_off, after),
            Event::Dispute { invoice, on, minor } => {
                self.dispute(&format!("D{number}"), invoice, on, minor)
            }
            Event::Resolve { dispute, after, upheld } => {
                self.resolve(dispute, after, upheld, false)
            }
            Event::Redecide { dispute, after, upheld } => {
                self.resolve(dispute, after, upheld, true)
            }
            Event::Default { invoice, on, duplicate } => {
                self.default(&format!("F{number}"), invoice, on, duplicate);
                None
            }
            Event::Close { default, after } => {
                self.close(default, after);
                None
            }
            Event::Reopen { default } => {
                self.open_again(default, &format!("of another {number}"));
                None
            }
            Event::Pause { invoice, from, days, duplicate } => {
                self.pause(&format!("S{number}"), invoice, (from, days), duplicate)
            }
            Event::Resume { pause, after } => self.resume(pause, after),
            Event::Waiver { invoice, on, minor } => {
                self.waiver(&format!("V{number}"), invoice, on, minor)
            }
            Event::Rate { from, hundredths } => self.rate(from, hundredths),
            Event::Policy { order } => {
                self.send(Deed::Policy(order)).then_some(Entry::Policy(order))
            }
            Event::Merge => self.send(Deed::Merge).then_some(Entry::Merge),
        };
        if let Some(entry) = entry {
            self.log.push((self.step, entry));
        }
    }

    /// Whose a document of this side is now, and its currency.
    fn side(&self, side: Side) -> (&'static str, &'static str) {
        let customer = CUSTOMERS[usize::from(side.duplicate)];
        (self.now().owner(customer), CURRENCIES[usize::from(side.dollars)])
    }

    /// The documents of a customer, of any or one currency.
    fn of(&self, customer: &str, currency: Option<&str>) -> Vec<Document> {
        let now = self.now();
        let of = |document: &&Document| {
            now.owner(document.customer) == customer
                && currency.is_none_or(|currency| document.currency == currency)
        };
        self.invoices.iter().filter(of).cloned().collect()
    }

    fn credit(
        name: &str,
        (customer, currency): (&'static str, &'static str),
        rank: u8,
        (on, minor): (i64, i64),
        named: Vec<(String, Option<i64>)>,
    ) -> Credit {
        Credit {
            id: name.to_string(),
            customer,
            currency,
            rank,
            on,
            minor,
            named,
            order: "",
            settles: None,
            deductions: Vec::new(),
            part_of: None,
            back: Vec::new(),
            refunds: Vec::new(),
            recoverable: false,
            until: None,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn invoice(
        &mut self,
        name: &str,
        kind: &'static str,
        (on, net, minor): (i64, i64, i64),
        parts: bool,
        about: usize,
        discount: bool,
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        let mut claims = self.of(customer, Some(currency));
        claims.retain(|claim| claim.kind == "invoice");
        let about = Self::pick(&claims, about).filter(|_| kind != "invoice").map(|of| of.name);
        let halves = [(on + net, minor / 2), (on + net + 7, minor - minor / 2)];
        let parts = parts && minor > 1;
        let instalments: Vec<Value> = halves
            .iter()
            .map(|(due, minor)| json!({"due_on": day(*due), "minor": minor}))
            .collect();
        let written = if kind == "penalty" { "fee" } else { kind };
        let mut new = json!({"id": name, "customer_id": customer, "kind": written,
            "issued_on": day(on), "amount": {"minor": minor, "currency": currency},
            "relates_to": about});
        if kind == "penalty" {
            new["penalty"] = json!(true);
        }
        // A duplicate's contract stays in force after the merge.
        let contract = format!("K{}", CUSTOMERS[usize::from(side.duplicate)]);
        let contract = discount.then_some(contract);
        if let Some(contract) = &contract {
            new["contract_id"] = json!(contract);
        }
        if parts {
            new["instalments"] = instalments.into();
        } else {
            new["due_on"] = json!(day(on + net));
        }
        assert!(self.send(Deed::Invoice(new)));
        let whole = name.to_string();
        self.invoices.push(Document { name: whole.clone(), customer, currency, kind, minor });
        let claim = |id: String, due: i64, minor: i64| Claim {
            id,
            whole: whole.clone(),
            customer,
            currency,
            kind,
            about: about.clone(),
            discount,
            contract: contract.clone(),
            signed: None,
            on,
            due,
            minor,
        };
        Some(Entry::Claims(if parts {
            (1..)
                .zip(halves)
                .map(|(number, (due, minor))| claim(format!("{name}#{number}"), due, minor))
                .collect()
        } else {
            vec![claim(name.to_string(), on + net, minor)]
        }))
    }

    fn credit_note(
        &mut self,
        name: &str,
        on: i64,
        minor: i64,
        about: Option<usize>,
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        let about = about.and_then(|at| Self::pick(&self.of(customer, Some(currency)), at));
        let about = about.map(|of| of.name);
        let new = json!({"id": name, "customer_id": customer, "kind": "credit-note",
            "issued_on": day(on), "amount": {"minor": minor, "currency": currency},
            "relates_to": about});
        assert!(self.send(Deed::Invoice(new)));
        self.notes.push(name.to_string());
        let named = about.map(|about| (about, None)).into_iter().collect();
        Some(Entry::Credits(vec![Self::credit(name, (customer, currency), 0, (on, minor), named)]))
    }

    fn refund(&mut self, number: usize, note: usize, after: i64, minor: i64) -> Option<Entry> {
        let name = Self::pick(&self.notes, note)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let refund = format!("R{number}");
        let mut new = json!({"id": refund, "on": day(on)});
        // Half of the time all that is left is paid out.
        if minor % 2 == 0 {
            new["minor"] = json!(minor);
        }
        if !self.send(Deed::Refund(name.clone(), new.clone())) {
            return None;
        }
        let got = invoice::get(&self.db, &id(&name), day(400), i64::MAX).unwrap();
        let stored = got.refunds.unwrap().into_iter().find(|of| of.id.as_str() == refund);
        let minor = stored.unwrap().minor;
        new["minor"] = json!(minor);
        *self.deeds.last_mut().unwrap() = Deed::Refund(name.clone(), new);
        self.refunds.push(refund.clone());
        Some(Entry::Refund(name, Refund { id: refund, on, minor, until: None }))
    }

    fn refund_back(&mut self, refund: usize, after: i64) -> Option<Entry> {
        let name = Self::pick(&self.refunds, refund)?;
        let now = self.now();
        let mut refunds = now.credits.iter().flat_map(|credit| &credit.refunds);
        let on = refunds.find(|of| of.id == name).unwrap().on + after;
        let new = json!({"on": day(on), "reason": "it came back"});
        let done = self.send(Deed::RefundBack(name.clone(), new));
        done.then_some(Entry::RefundBack { id: name, on })
    }

    #[allow(clippy::type_complexity)]
    fn payment(
        &mut self,
        name: &str,
        (on, minor, order): (i64, i64, &'static str),
        (named, settles, deductions): (&[(usize, i64)], Option<usize>, &[(usize, i64, usize)]),
        side: Side,
    ) -> Option<Entry> {
        let (customer, currency) = self.side(side);
        let (any, own) = (self.of(customer, None), self.of(customer, Some(currency)));
        let (mut own_parts, mut other_parts) = (Vec::new(), Vec::new());
        let (mut left, mut converted, mut designation) = (minor, 0, Vec::new());
        for (at, minor) in named {
            let Some(of) = Self::pick(&any, *at) else { continue };
            let (minor, parts) = match of.currency == currency {
                true => (*minor.min(&left), &mut own_parts),
                false => (*minor.min(&(left / 2)), &mut other_parts),
            };
            if minor < 1 {
                continue;
            }
            if of.currency == currency {
                left -= minor;
            } else {
                left -= cost(minor, of.currency, on);
                converted += cost(minor, of.currency, on);
            }
            designation.push(json!({"invoice_id": of.name, "minor": minor}));
            parts.push((of.name, Some(minor)));
        }
        // Half of what names one invoice says no more of it.
        let mut invoice_id = None;
        if let ([(name, most)], true) = (&mut own_parts[..], other_parts.is_empty())
            && minor % 2 == 1
        {
            (invoice_id, *most) = (Some(name.clone()), None);
            designation.clear();
        }
        let settles = settles.and_then(|at| Self::pick(&own, at)).map(|of| of.name);
        let deductions: Vec<(String, i64, usize)> = deductions
            .iter()
            .filter_map(|(at, minor, why)| Some((Self::pick(&own, *at)?, minor, *why)))
            .filter(|(of, _, _)| of.minor > 0)
            .map(|(of, minor, why)| (of.name, *minor.min(&of.minor), why))
            .collect();
        let mut new = json!({"id": name, "customer_id": customer, "received_on": day(on),
            "amount": {"minor": minor, "currency": currency}});
        if let Some(name) = invoice_id {
            new["invoice_id"] = json!(name);
        }
        if !order.is_empty() {
            new["order"] = json!(order);
        }
        if !designation.is_empty() {
            new["designation"] = designation.into();
        }
        if let Some(settles) = &settles {
            new["settles"] = json!([settles]);
        }
        if !deductions.is_empty() {
            let of = |(name, minor, why): &(String, i64, usize)| json!({"invoice_id": name, "minor": minor, "reason": DEDUCTIONS[*why]});
            new["deductions"] = deductions.iter().map(of).collect::<Vec<_>>().into();
        }
        // A correction may have left less to hold back than the clerk remembers.
        if !self.send(Deed::Payment(new)) {
            return None;
        }
        self.payments.push(name.to_string());
        if let Some(settles) =
            settles.clone().filter(|of| own_parts.iter().all(|(name, _)| name != of))
        {
            own_parts.push((settles, None));
        }
        let deductions = deductions.into_iter().map(|(name, minor, _)| (name, minor)).collect();
        let money = (on, minor - converted);
        let own = Self::credit(name, (customer, currency), 1, money, own_parts);
        let mut credits = vec![Credit { order, settles, deductions, ..own }];
        let other = CURRENCIES[usize::from(!side.dollars)];
        let total: i64 = other_parts.iter().filter_map(|(_, minor)| *minor).sum();
        if total > 0 {
            let part = format!("{name}/{other}");
            let part = Self::credit(&part, (customer, other), 1, (on, total), other_parts);
            credits.push(Credit { order, part_of: Some((name.to_string(), converted)), ..part });
        }
        Some(Entry::Credits(credits))
    }

    /// An invoice is paid early but for what that saves, or for a little more or less.
    fn early(
        &mut self,
        name: &str,
        invoice: usize,
        (after, less, held): (i64, i64, i64),
        named: bool,
        order: &'static str,
    ) -> Option<Entry> {
        let of = Self::pick(&self.invoices, invoice)?;
        let now = self.now();
        let on = now.claims.iter().find(|claim| claim.whole == of.name)?.on + after;
        let held = held.min(of.minor / 2);
        let minor = (of.minor - (of.minor * 2 + 50) / 100 - held - less).max(1);
        let customer = now.owner(of.customer);
        let place = |list: Vec<Document>| list.iter().position(|other| other.name == of.name);
        let any = place(self.of(customer, None))?;
        let own = place(self.of(customer, Some(of.currency)))?;
        let parts: Vec<(usize, i64)> = Some((any, minor)).filter(|_| named).into_iter().collect();
        let deductions: Vec<(usize, i64, usize)> =
            Some((own, held, 0)).filter(|_| held > 0).into_iter().collect();
        let side =
            Side { duplicate: customer == CUSTOMERS[1], dollars: of.currency == CURRENCIES[1] };
        self.payment(name, (on, minor, order), (&parts, None, &deductions), side)
    }

    fn reverse(
        &mut self,
        number: usize,
        payment: usize,
        after: i64,
        minor: i64,
        kind: &str,
    ) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let (back, mistake) = (format!("B{number}"), kind == "mistake");
        let mut new = json!({"id": back, "kind": kind});
        if !mistake {
            new["on"] = json!(day(on));
        }
        // Half of the time all of it goes back.
        if minor % 2 == 0 {
            new["minor"] = json!(minor);
        }
        if !self.send(Deed::Reverse(name.clone(), new.clone())) {
            return None;
        }
        let got = payment::get(&self.db, &id(&name), day(400), i64::MAX).unwrap();
        let stored = got.reversals.unwrap().into_iter().find(|of| of.id.as_str() == back);
        let minor = stored.unwrap().minor;
        new["minor"] = json!(minor);
        *self.deeds.last_mut().unwrap() = Deed::Reverse(name.clone(), new);
        self.reversals.push(back.clone());
        Some(Entry::Back((!mistake, on, back, name, minor)))
    }

    fn undo(&mut self, reversal: usize) -> Option<Entry> {
        let back = Self::pick(&self.reversals, reversal)?;
        self.send(Deed::Undo(back.clone())).then_some(Entry::Undone(back))
    }

    fn correct_invoice(
        &mut self,
        invoice: usize,
        (on, net, minor): (i64, i64, i64),
    ) -> Option<Entry> {
        let name = Self::pick(&self.invoices, invoice)?.name;
        let known = self.now();
        let plain = known.claims.iter().any(|claim| claim.id == name);
        let name = if plain { name } else { format!("{name}#1") };
        let before = known.claims.iter().find(|claim| claim.id == name).unwrap().on;
        let on = if plain { on } else { before };
        let mut new = json!({"due_on": day(on + net), "minor": minor, "reason": "typed wrongly"});
        if plain {
            new["issued_on"] = json!(day(on));
        }
        let done = self.send(Deed::CorrectInvoice(name.clone(), new));
        done.then_some(Entry::Claim { id: name, on, due: on + net, minor })
    }

    fn agree(&mut self, invoice: usize, discount: bool) -> Option<Entry> {
        let mut invoices = self.invoices.clone();
        invoices.retain(|of| of.kind == "invoice");
        let of = Self::pick(&invoices, invoice)?;
        let contract = format!("{}{}", if discount { "K" } else { "L" }, of.customer);
        let new = json!({"contract_id": contract, "reason": "under another contract"});
        let done = self.send(Deed::CorrectInvoice(of.name.clone(), new));
        done.then_some(Entry::Agreed { whole: of.name, contract, discount })
    }

    fn move_past(&mut self, adjustment: usize, after: i64) -> Option<Entry> {
        let now = self.now();
        let adjustments: Vec<&Credit> = now.credits.iter().filter(|of| of.rank == 2).collect();
        let of = Self::pick(&adjustments, adjustment)?;
        let claim = now.claims.iter().find(|claim| claim.id == of.named[0].0)?.clone();
        let (on, minor) = (of.on + after, claim.minor);
        let due = claim.due.max(on);
        let new = json!({"issued_on": day(on), "due_on": day(due), "reason": "typed wrongly"});
        let done = self.send(Deed::CorrectInvoice(claim.id.clone(), new));
        done.then_some(Entry::Claim { id: claim.id, on, due, minor })
    }

    fn correct_payment(&mut self, payment: usize, on: i64, minor: i64) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let new = json!({"received_on": day(on), "minor": minor, "reason": "typed wrongly"});
        let done = self.send(Deed::CorrectPayment(name.clone(), new));
        done.then_some(Entry::Money { id: name, on, minor })
    }

    fn write_off(&mut self, name: &str, invoice: usize, on: i64, minor: i64) -> Option<Entry> {
        let of = Self::pick(&self.invoices, invoice)?;
        let new = json!({"id": name, "invoice_id": of.name, "on": day(on), "minor": minor,
            "reason": "gone"});
        if !self.send(Deed::WriteOff(new)) {
            return None;
        }
        self.write_offs.push(name.to_string());
        let named = vec![(of.name, None)];
        let credit = Self::credit(name, (of.customer, of.currency), 2, (on, minor), named);
        Some(Entry::Credits(vec![Credit { recoverable: true, ..credit }]))
    }

    fn take_back(&mut self, write_off: usize, after: i64) -> Option<Entry> {
        let name = Self::pick(&self.write_offs, write_off)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let new = json!({"on": day(on), "reason": "by mistake"});
        let done = self.send(Deed::TakeBack(name.clone(), new));
        done.then_some(Entry::End { id: name, on })
    }

    fn dispute(&mut self, name: &str, invoice: usize, on: i64, minor: i64) -> Option<Entry> {
        let of = Self::pick(&self.invoices, invoice)?;
        let now = self.now();
        let plain = now.claims.iter().any(|claim| claim.id == of.name);
        // An invoice in instalments is contested as a whole, or only the first of them.
        let of_first = !plain && minor % 2 == 1;
        let claim = if of_first { format!("{}#1", of.name) } else { of.name };
        let new = json!({"id": name, "invoice_id": claim, "on": day(on), "minor": minor,
            "reason": "price"});
        let id = name.to_string();
        let contested = Contested { id, claim, on, minor, decided: NEVER, upheld: 0 };
        self.send(Deed::Dispute(new)).then_some(Entry::Dispute(contested))
    }

    fn resolve(&mut self, dispute: usize, after: i64, upheld: i64, anew: bool) -> Option<Entry> {
        let now = self.now();
        let of = Self::pick(&now.contested, dispute)?;
        if (anew || upheld < 0) && of.decided == NEVER {
            return None;
        }
        let undone = upheld < 0;
        let decided = if undone { NEVER } else { of.on + after };
        let upheld = upheld.min(of.minor).max(0);
        let mut outcome = match upheld {
            _ if undone => json!({"undo": true}),
            0 => json!({"outcome": "rejected", "on": day(decided)}),
            all if all == of.minor => json!({"outcome": "upheld", "on": day(decided)}),
            part => json!({"outcome": "partly-upheld", "upheld_minor": part, "on": day(decided)}),
        };
        if anew || undone {
            outcome["replaces"] = json!(day(of.decided));
        }
        if !self.send(Deed::Resolve(of.id.clone(), outcome)) {
            return None;
        }
        let mut claims = now.claims.iter();
        let claim = claims.find(|claim| claim.id == of.claim || claim.whole == of.claim).unwrap();
        let (side, named) = ((claim.customer, claim.currency), vec![(of.claim.clone(), None)]);
        let credit = Self::credit(&of.id, side, 2, (decided, upheld), named);
        Some(Entry::Resolve(of.id, decided, (upheld > 0).then(|| Box::new(credit))))
    }

    /// A default changes nothing that the clerk is asked for.
    fn default(&mut self, name: &str, invoice: Option<usize>, on: i64, duplicate: bool) {
        let customer = self.now().owner(CUSTOMERS[usize::from(duplicate)]);
        let of = invoice.and_then(|at| Self::pick(&self.of(customer, None), at));
        let mut new = json!({"id": name, "customer_id": customer, "found_on": day(on),
            "kind": "refused", "reason": "They will not pay."});
        if let Some(of) = of {
            new["invoice_id"] = json!(of.name);
        }
        if self.send(Deed::Default(new)) {
            self.defaults.push(name.to_string());
        }
    }

    fn close(&mut self, default: usize, after: i64) {
        let Some(name) = Self::pick(&self.defaults, default) else { return };
        let found = default_record::get(&self.db, &id(&name)).unwrap().found_on;
        let on = found.plus_days(after).unwrap();
        let state = if after % 2 == 0 { "cured" } else { "withdrawn" };
        self.send(Deed::Close(name, json!({"state": state, "on": on})));
    }

    fn open_again(&mut self, default: usize, why: &str) {
        let Some(name) = Self::pick(&self.defaults, default) else { return };
        let closed = default_record::get(&self.db, &id(&name)).unwrap().closed_on;
        if let Some(on) = closed {
            self.send(Deed::Reopen(name, json!({"replaces": on, "reason": why})));
        }
    }

    fn pause(
        &mut self,
        name: &str,
        invoice: Option<usize>,
        (from, days): (i64, Option<i64>),
        duplicate: bool,
    ) -> Option<Entry> {
        let customer = self.now().owner(CUSTOMERS[usize::from(duplicate)]);
        let whole = match invoice {
            Some(at) => Some(Self::pick(&self.invoices, at)?.name),
            None => None,
        };
        let to = days.map(|days| from + days);
        let mut new = json!({"id": name, "from": day(from), "to": to.map(day)});
        match &whole {
            Some(whole) => new["invoice_id"] = json!(whole),
            None => new["customer_id"] = json!(customer),
        }
        assert!(self.send(Deed::Pause(new)));
        self.pauses.push(name.to_string());
        let (id, to) = (name.to_string(), to.unwrap_or(NEVER));
        Some(Entry::Pause(Paused { id, customer, whole, from, to }))
    }

    fn resume(&mut self, pause: usize, after: i64) -> Option<Entry> {
        let name = Self::pick(&self.pauses, pause)?;
        let on = self.now().paused.iter().find(|of| of.id == name).unwrap().from + after;
        let done = self.send(Deed::Resume(name.clone(), json!({"on": day(on)})));
        done.then_some(Entry::Resume(name, on))
    }

    fn waiver(&mut self, name: &str, invoice: usize, on: i64, minor: i64) -> Option<Entry> {
        let whole = Self::pick(&self.invoices, invoice)?.name;
        let new = json!({"id": name, "invoice_id": whole, "on": day(on), "minor": minor,
            "reason": "an old customer"});
        self.send(Deed::Waiver(new)).then_some(Entry::Waiver(Waived { whole, on, minor }))
    }

    fn rate(&mut self, from: i64, hundredths: i64) -> Option<Entry> {
        let row = json!({"valid_from": day(from), "rate": format!("0.{hundredths:02}"),
            "source": "ours", "confirmed": true});
        self.send(Deed::Rate(row)).then_some(Entry::Rate(from, hundredths.into()))
    }

    /// What the ledger answers for a day and a moment is what the clerk finds.
    pub fn check(&self, on: i64, until: usize) {
        let documents = documents(&self.log, until);
        let standing = Clerk::stand(&documents, on);
        let known = invoice::known_at(&self.db, Some(moment(until.min(self.step)))).unwrap();
        for claim in &documents.claims {
            let name = id(&claim.id);
            let got = invoice::get(&self.db, &name, day(on), known).ok();
            let got = got.map(|got| (got.open.minor, got.contract_id.map(|of| of.to_string())));
            let wanted = standing.open.get(&claim.id).copied();
            let read = wanted.map(|open| (open, claim.contract.clone()));
            assert_eq!(got, read, "open of {} on day {on} as known at step {until}", claim.id);
            if wanted.is_some() && claim.kind == "invoice" && claim.minor > 0 {
                let of = interest::of_invoice(&self.db, &name, day(on), known).unwrap();
                let (got, wanted) = (of.unwrap().accrued.minor, standing.interest[&claim.id]);
                assert_eq!(
                    got, wanted,
                    "interest of {} on day {on} as known at step {until}",
                    claim.id
                );
            }
        }
        let of_invoices = documents.claims.iter().filter(|claim| claim.kind == "invoice");
        for claim in of_invoices.filter(|claim| standing.fixed.contains_key(&claim.whole)) {
            let of = interest::of_invoice(&self.db, &id(&claim.whole), day(on), known).unwrap();
            let (fixed, whole) = (standing.fixed[&claim.whole], &claim.whole);
            let (noted, waived) = standing.settled[whole];
            let accrued = standing.interest[whole];
            let got = of
                .map(|of| (of.fixed_minor, of.noted_minor, of.waived_minor, of.outstanding_minor));
            let wanted = (fixed, noted, waived, accrued + fixed - noted - waived);
            assert_eq!(got, Some(wanted), "sums of {whole} on day {on} as known at step {until}");
        }
        for credit in documents.credits.iter().filter(|credit| credit.rank < 2) {
            let name = id(&credit.id);
            let got = match credit.rank {
                0 => invoice::get(&self.db, &name, day(on), known).map(|got| got.open.minor),
                _ => payment::get(&self.db, &name, day(on), known).map(|got| got.unallocated.minor),
            };
            let wanted = standing.free.get(&credit.id).copied();
            assert_eq!(
                got.ok(),
                wanted,
                "left of {} on day {on} as known at step {until}",
                credit.id
            );
        }
        if documents.merged == self.now().merged {
            for (whole, wanted) in &standing.late {
                let got = invoice::get(&self.db, &id(whole), day(on), known).unwrap();
                let days = (got.days_past_due.into(), got.delinquent_days.into());
                let got = (days.0, days.1, got.disputed_minor);
                assert_eq!(got, *wanted, "{whole} on day {on} as known at step {until}");
            }
        }
        self.check_reports(&documents, &standing, When { day: day(on), known });
        // What a merge moved is asked for by its own name, of a moment before it too; the customers' sums are not.
        if documents.merged == self.now().merged {
            let customers = if documents.merged { 1 } else { 2 };
            for customer in &CUSTOMERS[..customers] {
                self.check_sums(customer, &documents, &standing, When { day: day(on), known });
            }
        }
    }

    fn check_sums(&self, customer: &str, documents: &Documents, standing: &Standing, when: When) {
        let is_of = |of: &'static str| documents.owner(of) == customer;
        let mut of = Documents { claims: documents.claims.clone(), ..Documents::default() };
        of.claims.retain(|claim| is_of(claim.customer));
        of.credits = documents.credits.iter().filter(|of| is_of(of.customer)).cloned().collect();
        let name = id(customer);
        let balances = ledger::customer(&self.db, &name, when).unwrap().balances;
        let exposed = customer::standing(&self.db, &name, when).unwrap().own;
        let lines = statement::of(&self.db, &name, when.day, None, when.known).unwrap().entries;
        for currency in CURRENCIES {
            let open = of.claims.iter().filter(|of| of.currency == currency);
            let outstanding: i64 = open.filter_map(|of| standing.open.get(&of.id)).sum();
            let free = of.credits.iter().filter(|of| of.currency == currency);
            let left: i64 = free.filter_map(|of| standing.free.get(&of.id)).sum();
            let owed = balances.iter().find(|of| of.currency.as_str() == currency);
            let sums = owed.map_or((0, 0), |of| (of.outstanding_minor, of.unapplied_minor));
            assert_eq!(sums, (outstanding, left), "the sums of {customer} {when:?}");
            let exposed = exposed.iter().find(|of| of.currency.as_str() == currency);
            assert_eq!(exposed.map_or(0, |of| of.exposure_minor), outstanding);
            let last = lines.iter().rfind(|line| line.currency.as_str() == currency);
            let balance = last.map_or(0, |line| line.balance_minor);
            assert_eq!(balance, outstanding - left, "the balance of {customer} {when:?}");
        }
        self.check_lists(&name, &of, standing, when);
    }
}

impl World {
    /// The reports over the whole book, and of each customer.
    fn check_reports(&self, documents: &Documents, standing: &Standing, when: When) {
        let late = |due: i64| day(due) < when.day;
        let open = |claim: &Claim| standing.open.get(&claim.id).copied().unwrap_or(0);
        let question = report::Question {
            as_of: when.day,
            known: when.known,
            aged_as_of: when.day,
            basis: AgeingBasis::Due,
            edges: Edges::default(),
        };
        let ageing = report::ageing(&self.db, question.clone()).unwrap();
        let (lines, _) = report::ageing_by_customer(&self.db, &question, 0, 100).unwrap();
        let dso = report::dso(&self.db, when, 1, DsoMethod::Simple).unwrap();
        for currency in CURRENCIES {
            let claims = || documents.claims.iter().filter(|of| of.currency == currency);
            let total: i64 = claims().map(open).sum();
            let not_due: i64 = claims().filter(|of| !late(of.due)).map(open).sum();
            let credits = documents.credits.iter().filter(|of| of.currency == currency);
            let unapplied: i64 = credits.filter_map(|of| standing.free.get(&of.id)).sum();
            let line = ageing.totals.iter().find(|of| of.currency.as_str() == currency);
            let got =
                line.map_or((0, 0, 0), |of| (of.total_minor, of.not_due_minor, of.unapplied_minor));
            assert_eq!(got, (total, not_due, unapplied), "ageing in {currency} {when:?}");
            let of_customers = lines.iter().filter(|of| of.currency.as_str() == currency);
            assert_eq!(of_customers.map(|of| of.total_minor).sum::<i64>(), total, "{when:?}");
            let line = dso.lines.iter().find(|of| of.currency.as_str() == currency);
            assert_eq!(line.map_or(0, |of| of.receivables_minor), total, "dso {when:?}");
        }
        let wanted: BTreeMap<String, i64> = documents
            .claims
            .iter()
            .filter(|of| late(of.due) && open(of) > 0)
            .map(|of| (of.id.clone(), open(of)))
            .collect();
        let (mut got, mut after) = (BTreeMap::new(), (String::new(), 0));
        loop {
            let page = report::overdue(&self.db, &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            got.extend(page.into_iter().map(|(of, _)| (of.invoice_id.to_string(), of.open.minor)));
        }
        assert_eq!(got, wanted, "the list of what is overdue {when:?}");
    }

    /// The lists, page by page, have what was there and known, in their order.
    fn check_lists(&self, customer: &Id, documents: &Documents, standing: &Standing, when: When) {
        let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
        for claim in &documents.claims {
            if let Some(open) = standing.open.get(&claim.id) {
                *wanted.entry(claim.whole.clone()).or_default() += open;
            }
        }
        let (mut notes, mut money) = (BTreeMap::new(), BTreeMap::new());
        for credit in &documents.credits {
            if let Some(free) = standing.free.get(&credit.id) {
                let into = if credit.rank == 0 { &mut notes } else { &mut money };
                into.insert(credit.id.clone(), *free);
            }
        }
        wanted.append(&mut notes);
        let (mut got, mut after, mut dues) = (BTreeMap::new(), (String::new(), 0), Vec::new());
        loop {
            let page = invoice::page(&self.db, customer, &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            for (invoice, _) in page {
                dues.push(invoice.due_on);
                assert_eq!(got.insert(invoice.id.to_string(), invoice.open.minor), None);
            }
        }
        assert_eq!(got, wanted, "the list of invoices {when:?}");
        assert!(dues.is_sorted(), "{dues:?}");
        let (mut got, mut after) = (BTreeMap::new(), (String::new(), 0));
        loop {
            let page = payment::page(&self.db, customer, &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            for (payment, _) in page {
                got.insert(payment.id.to_string(), payment.unallocated.minor);
            }
        }
        assert_eq!(got, money, "the list of payments {when:?}");
    }
}

/// Whether the ledger took it. What cannot be is refused; a fault is none of that.
pub fn taken(done: Result<Change, Fault>) -> bool {
    match done {
        Ok(change) => change != Change::AlreadySo,
        Err(Fault::Refused(_)) => false,
        Err(fault) => panic!("{fault:?}"),
    }
}
