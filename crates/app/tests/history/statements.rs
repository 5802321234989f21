//! Statements over random ledgers: what they pay is booked by slices, and comes to what it comes to when each payment is
//! booked by itself and its customer replayed.

#[path = "../properties/dump.rs"]
#[allow(dead_code)]
mod dump;

use crate::{
    clerk::GRACE,
    events::{Event, event},
    world::{World, author, cases, day, id, read},
};
use dunlin_app::{
    bank::{self, File, Intake},
    payment, policy, replay, verify,
};
use dunlin_domain::{bank::Reader, contract::bank::BankFormat};
use dunlin_store::{Db, DbError, Fault, Param, Row, native::NativeDb, write};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use serde_json::json;
use std::cell::Cell;

/// The first number of an event: ids are long enough to be found in a text.
const FIRST: usize = 1_000;

/// An entry of a statement: the place of what it names among the documents, and of another; how much, and when.
#[derive(Clone, Debug)]
struct Line {
    named: usize,
    also: Option<usize>,
    of: Amount,
    on: i64,
}

#[derive(Clone, Copy, Debug)]
enum Amount {
    /// What is open.
    All,
    Part(i64),
    More(i64),
}

fn line() -> impl Strategy<Value = Line> {
    let of = prop_oneof![
        6 => Just(Amount::All),
        2 => (1i64..200).prop_map(Amount::Part),
        1 => (1i64..100).prop_map(Amount::More),
    ];
    // Mostly after everything else.
    let on = prop_oneof![3 => 60i64..70, 1 => 0i64..60];
    (0usize..8, proptest::option::weighted(0.2, 0usize..8), of, on)
        .prop_map(|(named, also, of, on)| Line { named, also, of, on })
}

/// A ledger that took the events. Without tolerances parts of documents can be paid plainly too.
fn ledger(events: &[Event], tolerant: bool) -> World {
    let mut world = World::new();
    if !tolerant {
        let reference = json!({"table": "house", "fixing": "floating"});
        let late = json!({"reference": reference, "grace_days": GRACE});
        policy::put(&world.db, &read(json!({"late_interest": late})), &author(0)).unwrap();
    }
    for (number, event) in events.iter().enumerate() {
        world.tell(FIRST + number, event);
    }
    world
}

/// The statement that these lines make of what is open. `None` when nothing is.
fn statement(db: &NativeDb, lines: &[Line]) -> Option<String> {
    let sql = "SELECT i.id, c.name, i.open_minor FROM invoice AS i JOIN customer AS c ON c.key = i.customer_key
        WHERE i.kind <> 'credit-note' AND i.currency = 'EUR' AND i.parent_key IS NULL ORDER BY i.id";
    let rows = db.execute(sql, &[]).unwrap();
    let (mut entries, mut total) = (String::new(), 0);
    let text = |at: usize, column: usize| rows[at % rows.len()].text(column).unwrap();
    let open = |at: usize| rows[at % rows.len()].int(2).unwrap();
    if rows.is_empty() {
        return None;
    }
    let amount = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
    for line in lines {
        let whole = open(line.named) + line.also.map_or(0, open);
        let minor = match line.of {
            Amount::All => whole.max(1),
            Amount::Part(minor) => minor,
            Amount::More(minor) => whole + minor,
        };
        total += minor;
        let also = line.also.map_or("", |also| text(also, 0));
        entries += &format!(
            "<Ntry><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>{}</Dt></BookgDt><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>{}</Nm></Dbtr></RltdPties>\
             <RmtInf><Ustrd>{} {also}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>",
            amount(minor),
            day(line.on),
            text(line.named, 1),
            text(line.named, 0),
        );
    }
    let balance = |code: &str, minor: i64| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{}</Dt></Dt></Bal>",
            amount(minor),
            day(70)
        )
    };
    Some(format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>S</Id>\
         <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}{entries}</Stmt></BkToCstmrStmt>\
         </Document>",
        balance("OPBD", 0),
        balance("CLBD", total)
    ))
}

/// A database that counts for how many customers payments were set against what they name as they are.
struct Counting<'a>(&'a NativeDb, Cell<i64>);

impl Db for Counting<'_> {
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        if let (true, Some(Param::Text(keys))) = (sql.contains("minor, ?3, ?4"), params.first()) {
            let of = self.0.execute("SELECT json_array_length(?1)", &[(*keys).into()])?;
            self.1.set(self.1.get() + of[0].int(0).unwrap());
        }
        self.0.execute(sql, params)
    }
}

fn take_in<D: Db>(db: &D, text: &str) {
    let (id, author, format) = (id("F"), author(2_000), BankFormat::Camt053);
    let key = bank::start(db, &id, &author).unwrap();
    let mut file =
        File { id, key, format, intake: Intake::default(), staged: 0, last: String::new() };
    let (mut reader, mut pieces) = (Reader::new(format), Vec::new());
    reader.feed(text.as_bytes(), &mut pieces).unwrap();
    reader.finish(&mut pieces).unwrap();
    for piece in &pieces {
        file.intake.take(piece).unwrap();
    }
    file.last = file.intake.rest();
    bank::apply(db, &file, &author).unwrap();
}

/// Books each payment of the statement by itself.
fn one_by_one(of: &NativeDb, into: &NativeDb) -> usize {
    let sql = "SELECT json_object('id', p.id, 'customer_id', c.id, 'received_on', p.received_on,
            'amount', json_object('minor', p.amount_minor, 'currency', p.currency),
            'designation', (
                SELECT json_group_array(json_object('invoice_id', i.id, 'minor', d.value ->> 1))
                FROM json_each(p.designation) AS d JOIN invoice AS i ON i.key = d.value ->> 0
            ))
        FROM payment AS p JOIN customer AS c ON c.key = p.customer_key WHERE p.id LIKE 'bank-%' ORDER BY p.key";
    let rows = of.execute(sql, &[]).unwrap();
    for row in &rows {
        let mut new: serde_json::Value = row.json(0).unwrap();
        if new["designation"] == json!([]) {
            new["designation"] = json!(null);
        }
        payment::add(into, &read(new), id("made"), &author(2_000)).unwrap();
    }
    rows.len()
}

fn kept(db: &NativeDb) -> Vec<String> {
    let mut lines = dump::by_ids(db, &["bank_statement", "bank_entry"]);
    for table in ["accrual_look", "score_outdated"] {
        let sql = format!("SELECT '{table} ' || customer_key FROM {table} ORDER BY 1");
        let rows = db.execute(&sql, &[]).unwrap();
        lines.extend(rows.iter().map(|row| row.text(0).unwrap().to_string()));
    }
    lines
}

fn parts(db: &NativeDb) -> i64 {
    db.int("SELECT count(*) FROM allocation", &[]).unwrap()
}

#[test]
fn what_a_statement_pays_comes_to_the_same_as_each_payment_by_itself() {
    let (paid, plain, replayed) = (Cell::new(0), Cell::new(0), Cell::new(0));
    // Where little happened, nothing else moves.
    let events = prop_oneof![vec(event(), 1..4), vec(event(), 1..12)];
    let drawn = (events, vec(line(), 1..6), any::<bool>());
    let done = TestRunner::new(cases(240)).run(&drawn, |(events, lines, tolerant)| {
        let world = ledger(&events, tolerant);
        let Some(text) = statement(&world.db, &lines) else { return Ok(()) };
        let counting = Counting(&world.db, Cell::new(0));
        take_in(&counting, &text);
        let other = ledger(&events, tolerant);
        let booked = one_by_one(&world.db, &other.db);
        dump::assert_same(&kept(&world.db), &kept(&other.db), "by slices and one by one");
        // A replay finds nothing to put right.
        let before = parts(&world.db);
        let keys: Vec<i64> =
            world.db.json("SELECT json_group_array(key) FROM customer", &[]).unwrap();
        let again = |db: &NativeDb| -> Result<(), Fault> {
            replay::customers(db, &keys, author(2_001).at, None)
        };
        write(&world.db, again).unwrap();
        prop_assert_eq!(parts(&world.db), before);
        prop_assert!(verify::books(&world.db).unwrap().ok);
        prop_assert!(verify::replayed(&world.db, 0, 500).unwrap().0.ok);
        paid.set(paid.get() + booked);
        plain.set(plain.get() + counting.1.get());
        replayed.set(replayed.get() + i64::from(booked > 0 && counting.1.get() == 0));
        Ok(())
    });
    done.unwrap_or_else(|failed| panic!("{failed}"));
    let (paid, plain, replayed) = (paid.get(), plain.get(), replayed.get());
    println!(
        "{paid} payments; {plain} customers as they are, {replayed} statements by replay alone"
    );
    assert!(plain > 2 && replayed > 2, "{plain} {replayed}");
}
