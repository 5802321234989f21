//! A database file to test on, random ledgers, and the ways in which they come in.

use dunlin_app::{
    audit::Author,
    customer as customers,
    import::{self, Begun, Options, Order, Reading, Rows, Run, Slice},
    invoice, ledger, payment,
};
use dunlin_domain::{
    Currency, Date, Id, Instant, Money,
    contract::{
        ingest::{ImportKind, ImportResult, OnError},
        types::{InvoiceKind, NewCustomer, NewInvoice, NewPayment},
    },
};
use dunlin_store::{Db, Fault, native::NativeDb};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// So many cases, or as many as `PROPTEST_CASES` says.
pub fn cases(usual: u32) -> ProptestConfig {
    let cases =
        std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    }
}

/// A folder with a database in it, gone at the end.
pub struct World {
    folder: tempfile::TempDir,
    pub db: NativeDb,
}

impl World {
    /// An empty database. The schema is made once and copied.
    pub fn new() -> Self {
        static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
        Self::of(EMPTY.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("empty.db");
            let db = NativeDb::open(&path).unwrap();
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
            std::fs::read(&path).unwrap()
        }))
    }

    /// A database with the bytes of another.
    pub fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.db"), bytes).unwrap();
        let db = open(&folder.path().join("test.db"));
        Self { folder, db }
    }

    /// The bytes of this one.
    pub fn bytes(&self) -> Vec<u8> {
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
        std::fs::read(self.path()).unwrap()
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    /// Drops the connection as a process that dies does, and opens another.
    pub fn reopen(&mut self) {
        self.db = open(&self.path());
    }
}

/// A connection that leaves it to the system when bytes reach the disk: no test pulls the plug.
pub fn open(path: &Path) -> NativeDb {
    let db = NativeDb::open(path).unwrap();
    db.execute("PRAGMA synchronous = OFF", &[]).unwrap();
    db
}

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

/// Day 0 of every ledger.
pub fn day(number: i64) -> Date {
    "2023-01-01".parse::<Date>().unwrap().plus_days(number).unwrap()
}

/// After the last day of every ledger.
/// A record as a client would write it.
pub fn from<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Who records things in these tests.
pub fn author() -> Author {
    Author { who: "tester".into(), at: now(), salt: "salt".into() }
}

pub fn now() -> Instant {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

/// The currency codes of the ledgers: without decimals and with two.
pub const CURRENCIES: [&str; 2] = ["JPY", "EUR"];

/// A document of a ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    pub id: String,
    pub customer: usize,
    pub currency: usize,
    pub day: i64,
    pub minor: i64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Claim { kind: InvoiceKind, net_days: i64, disputed: bool },
    CreditNote,
    Payment { named: Option<String> },
}

impl Doc {
    pub fn on(&self) -> Date {
        day(self.day)
    }

    pub fn due(&self) -> Date {
        match self.what {
            What::Claim { net_days, .. } => day(self.day + net_days),
            _ => self.on(),
        }
    }

    pub fn is_claim(&self) -> bool {
        matches!(self.what, What::Claim { .. })
    }

    pub fn is_payment(&self) -> bool {
        matches!(self.what, What::Payment { .. })
    }

    pub fn named(&self) -> Option<&str> {
        match &self.what {
            What::Payment { named } => named.as_deref(),
            _ => None,
        }
    }

    pub fn code(&self) -> Currency {
        CURRENCIES[self.currency].parse().unwrap()
    }
}

/// The customer with this number. The order of ids is not that of numbers.
pub fn customer_id(number: usize) -> String {
    format!("C{:02}", number * 7 % 10)
}

/// Random documents of one to four customers over a year and a half, half of them crowded on few days so that ties
/// are common, in a random order of arrival. A payment that names an invoice names one of its customer and currency.
pub fn docs(most: usize) -> impl Strategy<Value = Vec<Doc>> {
    let on = prop_oneof![0i64..500, (0i64..25).prop_map(|of| of * 20)];
    let minor = prop_oneof![0i64..2_000, (1i64..6).prop_map(|of| of * 500)];
    let kind = prop_oneof![
        6 => Just(0u8), // invoice
        1 => Just(1),   // interest note
        1 => Just(2),   // fee
        2 => Just(3),   // credit note
        6 => Just(4),   // payment
        3 => Just(5),   // payment that names an invoice
    ];
    let one = (0usize..4, 0usize..2, on, minor, (kind, 0i64..60, any::<bool>(), any::<Index>()));
    let many = proptest::collection::vec(one, 1..most);
    (many, any::<u64>()).prop_map(|(drawn, salt)| {
        let mut docs: Vec<Doc> = Vec::with_capacity(drawn.len());
        for (number, (customer, currency, day, minor, (kind, net_days, disputed, pick))) in
            drawn.into_iter().enumerate()
        {
            // Ids in another order than that of arrival, so that ties are settled by ids and not by keys.
            let place = (number as u64 * 7_919 + salt) % 1_009;
            let same =
                |doc: &&Doc| doc.is_claim() && doc.customer == customer && doc.currency == currency;
            let claims: Vec<String> = docs.iter().filter(same).map(|doc| doc.id.clone()).collect();
            let claim =
                |kind| What::Claim { kind, net_days, disputed: disputed && net_days % 4 == 0 };
            let (letter, minor, what) = match kind {
                0 => ("I", minor, claim(InvoiceKind::Invoice)),
                1 => ("I", minor, claim(InvoiceKind::InterestNote)),
                2 => ("I", minor, claim(InvoiceKind::Fee)),
                3 => ("I", minor, What::CreditNote),
                4 => ("P", minor.max(1), What::Payment { named: None }),
                _ => {
                    let named = (!claims.is_empty()).then(|| pick.get(&claims).clone());
                    ("P", minor.max(1), What::Payment { named })
                }
            };
            docs.push(Doc {
                id: format!("{letter}{place:04}"),
                customer,
                currency,
                day,
                minor,
                what,
            });
        }
        docs
    })
}

/// Another order of arrival of the same documents: turned around the place, and payments after what they name.
pub fn other_order(docs: &[Doc], place: &Index, reverse: bool) -> Vec<Doc> {
    let mut turned = docs.to_vec();
    turned.rotate_left(place.index(docs.len()));
    if reverse {
        turned.reverse();
    }
    let mut out: Vec<Doc> = Vec::with_capacity(docs.len());
    let mut waiting: Vec<Doc> = Vec::new();
    for doc in turned {
        let named_is_there =
            doc.named().is_none_or(|named| out.iter().any(|other| other.id == named));
        if named_is_there { out.push(doc) } else { waiting.push(doc) }
    }
    out.extend(waiting);
    out
}

/// Records the customers, some with a limit.
pub fn add_customers<D: Db>(db: &D) {
    for number in 0..4 {
        let limit = Money::new(3_000, CURRENCIES[number % 2].parse().unwrap());
        let limit = (number > 0).then_some(limit);
        let new: NewCustomer = from(json!({
            "id": customer_id(number), "name": format!("Customer {number}"), "credit_limit": limit,
        }));
        customers::add(db, &new, id("made"), &author()).unwrap();
    }
}

/// Records one document by its single write.
pub fn add<D: Db>(db: &D, doc: &Doc) -> Result<ledger::Change, Fault> {
    let customer_id = id(&customer_id(doc.customer));
    let amount = Money::new(doc.minor, doc.code());
    let (kind, disputed) = match &doc.what {
        What::Payment { named } => {
            let invoice_id = named.as_deref().map(id);
            let new: NewPayment = from(json!({
                "id": doc.id, "customer_id": customer_id, "received_on": doc.on(), "amount": amount,
                "invoice_id": invoice_id,
            }));
            return Ok(payment::add(db, &new, id("made"), &author())?.1);
        }
        What::CreditNote => (InvoiceKind::CreditNote, false),
        What::Claim { kind, disputed, .. } => (*kind, *disputed),
    };
    let new: NewInvoice = from(json!({
        "id": doc.id, "customer_id": customer_id, "kind": kind, "issued_on": doc.on(), "due_on": doc.due(),
        "amount": amount, "disputed": disputed,
    }));
    Ok(invoice::add(db, &new, id("made"), &author())?.1)
}

/// A database with these documents: each by itself, or in files of so many, in the order given.
pub fn filled(docs: &[Doc], at_once: usize) -> World {
    let world = World::new();
    add_customers(&world.db);
    for (number, part) in docs.chunks(at_once).enumerate() {
        match part {
            [doc] => assert_eq!(add(&world.db, doc).unwrap(), ledger::Change::Made),
            part => {
                let result = import_all(&world.db, &format!("M{number}"), part).unwrap();
                assert_eq!(result.accepted, part.len() as u64, "{result:?}");
            }
        }
    }
    world
}

/// The rows of an import of these documents, as the edge hands them on.
pub fn slice(docs: &[Doc]) -> Slice {
    let customer = |doc: &Doc| customer_id(doc.customer);
    let (mut invoices, mut payments): (Vec<Value>, Vec<Value>) = Default::default();
    for (doc, row) in docs.iter().zip(2..) {
        match &doc.what {
            What::Payment { named } => {
                payments.push(json!([
                    row,
                    doc.id,
                    customer(doc),
                    doc.on(),
                    doc.minor,
                    doc.code(),
                    named
                ]));
            }
            What::CreditNote => invoices.push(json!([
                row,
                doc.id,
                customer(doc),
                InvoiceKind::CreditNote,
                doc.on(),
                doc.due(),
                doc.minor,
                doc.code(),
                0
            ])),
            What::Claim { kind, disputed, .. } => invoices.push(json!([
                row,
                doc.id,
                customer(doc),
                kind,
                doc.on(),
                doc.due(),
                doc.minor,
                doc.code(),
                i64::from(*disputed)
            ])),
        }
    }
    Slice {
        customers: "[]".into(),
        invoices: json!(invoices).to_string(),
        payments: json!(payments).to_string(),
    }
}

pub fn order(name: &str, on_error: OnError) -> Order {
    Order {
        id: id(name),
        kind: ImportKind::Invoices,
        profile: id("generic"),
        on_error,
        create_customers: false,
    }
}

/// Imports the documents as one small file.
pub fn import_all<D: Db>(db: &D, name: &str, docs: &[Doc]) -> Result<ImportResult, Fault> {
    let order = order(name, OnError::Reject);
    let run = begun(db, &order)?;
    let reading = Reading { received: docs.len() as u64, ..Reading::default() };
    import::apply(db, &order, run, Rows { staged: 0, last: &slice(docs) }, &reading, &author())
}

/// Begins an import, or goes on with one whose lease has run out.
pub fn begun<D: Db>(db: &D, order: &Order) -> Result<Run, Fault> {
    match import::begin(db, order, &Options::default(), now())? {
        Begun::Work(work) => Ok(work.run),
        Begun::Applied(..) => panic!("{} was applied before", order.id),
    }
}
