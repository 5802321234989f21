//! A ledger with one customer, and what the clerk wrote down of what it took.

use crate::{
    clerk::{Claim, Clerk, Credit, Documents, Entry, Standing, documents},
    events::{Event, ORDERS},
};
use dunlin_app::{
    audit::Author,
    customer, dispute, invoice,
    ledger::{self, Change},
    payment, statement, write_off,
};
use dunlin_domain::{Date, Id, Instant};
use dunlin_store::{Db, Fault, When, native::NativeDb};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const START: &str = "2024-01-01";

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

/// A ledger with one customer, and what the clerk wrote down of what it took.
pub struct World {
    pub _folder: tempfile::TempDir,
    pub db: NativeDb,
    pub log: Vec<(usize, Entry)>,
    pub invoices: Vec<String>,
    pub payments: Vec<String>,
    pub write_offs: Vec<String>,
    pub step: usize,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
        customer::add(&db, &read(json!({"id": "C", "name": "C"})), id("made"), &author(0)).unwrap();
        Self {
            _folder: folder,
            db,
            log: Vec::new(),
            invoices: Vec::new(),
            payments: Vec::new(),
            write_offs: Vec::new(),
            step: 0,
        }
    }

    fn pick(of: &[String], at: usize) -> Option<String> {
        (!of.is_empty()).then(|| of[at % of.len()].clone())
    }

    pub fn now(&self) -> Documents {
        documents(&self.log, usize::MAX)
    }

    /// Tells the ledger, and notes what it took. What it refuses did not happen.
    pub fn tell(&mut self, number: usize, event: &Event) {
        self.step = number + 1;
        let author = author(self.step);
        let entry = match event {
            Event::Invoice { kind, on, net, minor, parts, about } => self.invoice(
                &format!("I{number}"),
                kind,
                (*on, *net, *minor),
                *parts,
                *about,
                &author,
            ),
            Event::CreditNote { on, minor, about } => {
                let name = format!("N{number}");
                let about = about.and_then(|at| Self::pick(&self.invoices, at));
                let new = read(
                    json!({"id": name, "customer_id": "C", "kind": "credit-note", "issued_on": day(*on),
                    "amount": eur(*minor), "relates_to": about}),
                );
                invoice::add(&self.db, &new, id("made"), &author).unwrap();
                let named = about.map(|about| (about, None)).into_iter().collect();
                Some(Entry::Credit(Self::credit(&name, 0, *on, *minor, named)))
            }
            Event::Payment { on, minor, named, order, settles } => {
                self.payment(&format!("P{number}"), *on, *minor, named, order, *settles, &author)
            }
            Event::Reverse { payment, after, minor, mistake } => {
                self.reverse(number, *payment, *after, *minor, *mistake, &author)
            }
            Event::CorrectInvoice { invoice, on, net, minor } => {
                self.correct_invoice(*invoice, (*on, *net, *minor), &author)
            }
            Event::CorrectPayment { payment, on, minor } => Self::pick(&self.payments, *payment)
                .and_then(|name| {
                    let new = read(
                        json!({"received_on": day(*on), "minor": minor, "reason": "typed wrongly"}),
                    );
                    let done = payment::correct(&self.db, &id(&name), &new, &author);
                    taken(done).then_some(Entry::Money { id: name, on: *on, minor: *minor })
                }),
            Event::WriteOff { invoice, after, minor } => Self::pick(&self.invoices, *invoice)
                .and_then(|name| {
                    let on = after + 5;
                    let new =
                        read(json!({"id": format!("W{number}"), "invoice_id": name, "on": day(on),
                        "minor": minor, "reason": "gone"}));
                    let done =
                        write_off::add(&self.db, &new, id("made"), &author).map(|done| done.1);
                    let credit =
                        Self::credit(&format!("W{number}"), 2, on, *minor, vec![(name, None)]);
                    if !taken(done) {
                        return None;
                    }
                    self.write_offs.push(format!("W{number}"));
                    Some(Entry::Credit(Credit { recoverable: true, ..credit }))
                }),
            Event::TakeBack { write_off, after } => Self::pick(&self.write_offs, *write_off)
                .and_then(|name| {
                    let known = self.now();
                    let of = known.credits.iter().find(|credit| credit.id == name).unwrap();
                    let on = of.on + after;
                    let new = read(json!({"on": day(on), "reason": "by mistake"}));
                    let done = write_off::reverse(&self.db, &id(&name), &new, &author);
                    taken(done.map(|done| done.1)).then_some(Entry::End { id: name, on })
                }),
            Event::Dispute { invoice, after, minor, upheld } => {
                self.dispute(number, *invoice, *after, *minor, *upheld, &author)
            }
        };
        if let Some(entry) = entry {
            self.log.push((self.step, entry));
        }
    }

    fn credit(
        name: &str,
        rank: u8,
        on: i64,
        minor: i64,
        named: Vec<(String, Option<i64>)>,
    ) -> Credit {
        Credit {
            id: name.to_string(),
            rank,
            on,
            minor,
            named,
            order: ORDERS[0],
            settles: None,
            back: Vec::new(),
            recoverable: false,
            until: None,
        }
    }

    fn invoice(
        &mut self,
        name: &str,
        kind: &'static str,
        (on, net, minor): (i64, i64, i64),
        parts: bool,
        about: usize,
        author: &Author,
    ) -> Option<Entry> {
        let claims: Vec<String> = self
            .now()
            .claims
            .iter()
            .filter(|claim| claim.kind == "invoice")
            .map(|c| c.whole.clone())
            .collect();
        let about = Self::pick(&claims, about).filter(|_| kind != "invoice");
        let halves = [(on + net, minor / 2), (on + net + 7, minor - minor / 2)];
        let parts = parts && minor > 1;
        let instalments: Vec<Value> = halves
            .iter()
            .map(|(due, minor)| json!({"due_on": day(*due), "minor": minor}))
            .collect();
        let written = if kind == "penalty" { "fee" } else { kind };
        let mut new = json!({"id": name, "customer_id": "C", "kind": written, "issued_on": day(on),
            "amount": eur(minor), "relates_to": about});
        if kind == "penalty" {
            new["penalty"] = json!(true);
        }
        if parts {
            new["instalments"] = instalments.into();
        } else {
            new["due_on"] = json!(day(on + net));
        }
        invoice::add(&self.db, &read(new), id("made"), author).unwrap();
        self.invoices.push(name.to_string());
        let whole = name.to_string();
        let claim = |id: String, due: i64, minor: i64| Claim {
            id,
            whole: whole.clone(),
            kind,
            about: about.clone(),
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

    #[allow(clippy::too_many_arguments)]
    fn payment(
        &mut self,
        name: &str,
        on: i64,
        minor: i64,
        named: &[(usize, i64)],
        order: &'static str,
        settles: Option<usize>,
        author: &Author,
    ) -> Option<Entry> {
        let mut parts: Vec<(String, i64)> = Vec::new();
        let mut left = minor;
        for (at, minor) in named {
            if let Some(invoice) = Self::pick(&self.invoices, *at) {
                let minor = *minor.min(&left);
                if minor > 0 {
                    left -= minor;
                    parts.push((invoice, minor));
                }
            }
        }
        let settles = settles.and_then(|at| Self::pick(&self.invoices, at));
        let designation: Vec<Value> = parts
            .iter()
            .map(|(invoice, minor)| json!({"invoice_id": invoice, "minor": minor}))
            .collect();
        let mut new = json!({"id": name, "customer_id": "C", "received_on": day(on), "amount": eur(minor),
            "order": order});
        if !designation.is_empty() {
            new["designation"] = designation.into();
        }
        if let Some(settles) = &settles {
            new["settles"] = json!([settles]);
        }
        payment::add(&self.db, &read(new), id("made"), author).unwrap();
        self.payments.push(name.to_string());
        let named = parts.into_iter().map(|(invoice, minor)| (invoice, Some(minor))).collect();
        Some(Entry::Credit(Credit { order, settles, ..Self::credit(name, 1, on, minor, named) }))
    }

    fn reverse(
        &mut self,
        number: usize,
        payment: usize,
        after: i64,
        minor: i64,
        mistake: bool,
        author: &Author,
    ) -> Option<Entry> {
        let name = Self::pick(&self.payments, payment)?;
        let on = self.now().credits.iter().find(|credit| credit.id == name).unwrap().on + after;
        let back = format!("B{number}");
        let mut new = json!({"id": back, "kind": if mistake { "mistake" } else { "chargeback" }});
        if !mistake {
            new["on"] = json!(day(on));
        }
        // Half of the time all of it goes back.
        if minor % 2 == 0 {
            new["minor"] = json!(minor);
        }
        if !taken(payment::reverse(&self.db, &id(&name), &read(new), id("made"), author)) {
            return None;
        }
        let answer = payment::get(&self.db, &id(&name), day(400), i64::MAX).unwrap();
        let stored = answer.reversals.unwrap().into_iter().find(|of| of.id == id(&back)).unwrap();
        Some(Entry::Back { payment: name, on, minor: stored.minor, mistake, id: back })
    }

    fn correct_invoice(
        &mut self,
        invoice: usize,
        (on, net, minor): (i64, i64, i64),
        author: &Author,
    ) -> Option<Entry> {
        let name = Self::pick(&self.invoices, invoice)?;
        let known = self.now();
        let plain = known.claims.iter().any(|claim| claim.id == name);
        let name = if plain { name } else { format!("{name}#1") };
        let before = known.claims.iter().find(|claim| claim.id == name).unwrap().on;
        let on = if plain { on } else { before };
        let mut new = json!({"due_on": day(on + net), "minor": minor, "reason": "typed wrongly"});
        if plain {
            new["issued_on"] = json!(day(on));
        }
        let done = invoice::correct(&self.db, &id(&name), &read(new), author);
        taken(done).then_some(Entry::Claim { id: name, on, due: on + net, minor })
    }

    fn dispute(
        &mut self,
        number: usize,
        invoice: usize,
        after: i64,
        minor: i64,
        upheld: i64,
        author: &Author,
    ) -> Option<Entry> {
        let name = Self::pick(&self.invoices, invoice)?;
        let dispute = format!("D{number}");
        let new = read(
            json!({"id": dispute, "invoice_id": name, "on": day(after), "minor": minor, "reason": "price"}),
        );
        let done = dispute::open(&self.db, &new, id("made"), author).map(|done| done.1);
        if !taken(done) {
            return None;
        }
        let upheld = upheld.min(minor);
        let outcome = match upheld {
            0 => json!({"outcome": "rejected", "on": day(after + 3)}),
            all if all == minor => json!({"outcome": "upheld", "on": day(after + 3)}),
            part => json!({"outcome": "partly-upheld", "upheld_minor": part, "on": day(after + 3)}),
        };
        dispute::resolve(&self.db, &id(&dispute), &read(outcome), author).unwrap();
        let named = vec![(name, None)];
        (upheld > 0).then(|| Entry::Credit(Self::credit(&dispute, 2, after + 3, upheld, named)))
    }

    /// What the ledger answers for a day and a moment is what the clerk finds.
    pub fn check(&self, on: i64, until: usize) {
        let documents = documents(&self.log, until);
        let standing = Clerk::stand(&documents, on);
        let known = invoice::known_at(&self.db, Some(moment(until.min(self.step)))).unwrap();
        let mut balance = 0;
        for claim in &documents.claims {
            let got = invoice::get(&self.db, &id(&claim.id), day(on), known)
                .map(|got| got.open.minor)
                .ok();
            let wanted = standing.open.get(&claim.id).copied();
            assert_eq!(got, wanted, "open of {} on day {on} as known at step {until}", claim.id);
            balance += wanted.unwrap_or(0);
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
            balance -= wanted.unwrap_or(0);
        }
        let when = When { day: day(on), known };
        let owed = ledger::customer(&self.db, &id("C"), when).unwrap().balances;
        let sums = owed.first().map_or((0, 0), |of| (of.outstanding_minor, of.unapplied_minor));
        let outstanding: i64 = standing.open.values().sum();
        let left: i64 = standing.free.values().sum();
        assert_eq!(sums, (outstanding, left), "the sums on day {on} as known at step {until}");
        let exposed = customer::standing(&self.db, &id("C"), when).unwrap().own;
        assert_eq!(exposed.first().map_or(0, |of| of.exposure_minor), outstanding);
        self.check_lists(&documents, &standing, when);
        let lines = statement::of(&self.db, &id("C"), day(on), None, known).unwrap();
        let last = lines.entries.last().map_or(0, |entry| entry.balance_minor);
        assert_eq!(last, balance, "the balance on day {on} as known at step {until}");
    }
}

impl World {
    /// The lists, page by page, have what was there and known, in their order.
    fn check_lists(&self, documents: &Documents, standing: &Standing, when: When) {
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
            let page = invoice::page(&self.db, &id("C"), &after, 2, when).unwrap();
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
            let page = payment::page(&self.db, &id("C"), &after, 2, when).unwrap();
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

/// What stands in the ledger, by ids: what must not depend on the order of arrival.
pub fn state(db: &NativeDb) -> Vec<String> {
    let sql = "SELECT 'open ' || id || ' ' || open_minor FROM invoice
        UNION ALL SELECT 'left ' || id || ' ' || unallocated_minor FROM payment
        UNION ALL SELECT 'set ' || coalesce(i.id, 'back') || ' ' || coalesce(p.id, n.id, x.id) || ' '
            || coalesce(a.difference, '-') || ' ' || allocated_on || ' ' || sum(a.amount_minor)
        FROM allocation AS a LEFT JOIN invoice AS i ON i.key = a.invoice_key
        LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
        LEFT JOIN invoice AS n ON n.key = a.credit_key LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
        GROUP BY a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.difference, allocated_on
        HAVING sum(a.amount_minor) <> 0";
    let rows = db.execute(sql, &[]).unwrap();
    let mut lines: Vec<String> = rows.iter().map(|row| row.text(0).unwrap().to_string()).collect();
    lines.sort();
    lines
}
