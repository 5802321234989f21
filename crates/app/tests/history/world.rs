//! A ledger with one customer and its duplicate, and what the clerk wrote down of what it took.

mod checks;
mod claims;
mod decisions;
mod deeds;
mod money;
mod said;

pub use deeds::Deed;

use crate::{
    clerk::{
        CURRENCIES, CUSTOMERS, Credit, DISCOUNT_DAYS, Documents, Entry, FIXED_SUMS, GRACE,
        RATE_DAY, RATES, SIGNED, TOLERANCE, documents,
    },
    events::{Event, Side},
};
use dunlin_app::{audit::Author, contract, customer, interest, ledger::Change, policy};
use dunlin_domain::{Date, Id, Instant};
use dunlin_store::{Db, Fault, native::NativeDb};
use proptest::test_runner::Config as ProptestConfig;
use serde_json::{Value, json};
use std::{
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

/// The moment at which an event came: one an hour, after all days on which anything happens. Those who come before
/// another that was recorded are no overlap of two requests but a clock that was set back.
pub fn moment(step: usize) -> Instant {
    let start: Instant = "2025-01-01T00:00:00Z".parse().unwrap();
    start.plus_seconds(3600 * i64::try_from(step).unwrap())
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
        let new = json!({"customer_id": name, "effective_on": "2023-01-01"});
        contract::put(&db, &id(&format!("O{name}")), &read(new), &author).unwrap();
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
            Event::Void { invoice, after } => self.void(invoice, after),
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
            Event::Guarantee { which, contract, from, days, claim, side } => {
                self.guarantee(&format!("G{which}"), contract, (from, days, claim), side)
            }
            Event::Rate { from, hundredths } => self.rate(from, hundredths),
            Event::Policy { order } => {
                self.send(Deed::Policy(order)).then_some(Entry::Policy(order))
            }
            Event::Said(said) => self.said(number, said),
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
            agreed: None,
            settles: None,
            deductions: Vec::new(),
            part_of: None,
            back: Vec::new(),
            refunds: Vec::new(),
            recoverable: false,
            voids: false,
            until: None,
        }
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
