//! Ledgers kept by the flows: events as lines of text, the same for examples and for random books.

use crate::common::{id, read};
use crate::{difference, history, runner};
use dunlin_app::{
    audit::Author,
    contract, credit, credit_refund, customer, dispute, interest, invoice, ledger, payment, score,
    sweep::{Step, Tick},
    warn, write_off,
};
use dunlin_domain::{
    Date,
    contract::{
        ledger::RateRow,
        score::{FactName, Facts},
        types::Language,
    },
};
use dunlin_store::{Db, Fault, When, native::NativeDb};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};
use std::{cell::Cell, collections::BTreeSet, path::Path};

pub struct Desk {
    pub db: NativeDb,
}

/// Noon of a day.
fn author(on: &str) -> Author {
    let at = format!("{on}T12:00:00Z").parse().unwrap();
    Author { who: "clerk".into(), at, salt: "salt".into() }
}

impl Desk {
    /// An open day with the customers `C` and `D`, the contract `K` of the first, and nothing else.
    pub fn new() -> Self {
        let db = NativeDb::open(Path::new(":memory:")).unwrap();
        let desk = Self { db };
        for line in ["customer C 1000", "customer D", "contract K C"] {
            assert!(desk.tell(line).unwrap(), "{line}");
        }
        desk
    }

    /// Records what a line says. `false`: it was refused. Amounts are in EUR; customer `C` where none is named.
    pub fn tell(&self, line: &str) -> Result<bool, Fault> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let done = match words[0] {
            "customer" => self.customer(&words[1..]),
            "contract" => self.contract(&words[1..]),
            "invoice" | "fee" | "interest-note" => self.invoice(&words),
            "credit" => self.credit(&words[1..]),
            "pay" => self.pay(&words[1..]),
            "back" => self.back(&words[1..]),
            "off" => self.off(&words[1..]),
            "restore" => self.restore(&words[1..]),
            "correct" => self.correct(&words[1..]),
            "received" => self.received(&words[1..]),
            "refund" => self.refund(&words[1..]),
            "not-refunded" => self.not_refunded(&words[1..]),
            "relates" => self.relates(&words[1..]),
            "dispute" => self.dispute(&words[1..]),
            "resolve" => self.resolve(&words[1..]),
            "void" => {
                let on = words[2].parse().unwrap();
                invoice::void(&self.db, &id(words[1]), on, &author("2026-01-01")).map(drop)
            }
            "limit" => self.limit(&words[1..]),
            "rate" => self.rate(&words[1..]),
            "merge" => {
                customer::merge(&self.db, &id(words[1]), &id(words[2]), &author("2026-01-01"))
                    .map(drop)
            }
            other => panic!("no such event: {other}"),
        };
        match done {
            Ok(()) => Ok(true),
            Err(Fault::Refused(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// `ID [LIMIT] [head=ID] [on=DAY] [contact=NAME] [bank=NUMBER] [representative=NAME]
    /// [status=STATUS]`
    fn customer(&self, words: &[&str]) -> Result<(), Fault> {
        let mut new = json!({"id": words[0], "name": words[0]});
        let mut on = "2020-01-01";
        for word in &words[1..] {
            match word.split_once('=') {
                None => {
                    let minor: i64 = word.parse().unwrap();
                    new["credit_limit"] = json!({"minor": minor, "currency": "EUR"});
                }
                Some(("on", day)) => on = day,
                Some(("head", head)) => new["parent_id"] = json!(head),
                Some(("contact", name)) => {
                    new["contacts"] = json!([{"name": name, "channel": "letter", "address": name}]);
                }
                Some(("status", status)) => new["status"] = json!(status),
                Some(("bank", account)) => new["bank_accounts"] = json!([{"account": account}]),
                Some((_, name)) => new["representatives"] = json!([{"name": name}]),
            }
        }
        customer::put(&self.db, &id(words[0]), &read(new), &author(on)).map(drop)
    }

    /// `KIND MINOR FROM [TO] [unlimited]`
    fn limit(&self, words: &[&str]) -> Result<(), Fault> {
        let to = words.get(3).filter(|word| **word != "unlimited");
        let new = read(json!({"kind": words[0], "minor": words[1].parse::<i64>().unwrap(),
            "currency": "EUR", "from": words[2], "to": to, "unlimited": words.contains(&"unlimited")}));
        let made = id(&format!("L-{}", words.join("-")));
        credit::limit::put(&self.db, &id("C"), &new, &made, &author("2026-01-01")).map(drop)
    }

    /// `NAME FROM RATE`
    fn rate(&self, words: &[&str]) -> Result<(), Fault> {
        let row = json!([{"valid_from": words[1], "rate": words[2], "source": "bank", "confirmed": true}]);
        let rows: Vec<RateRow> = read(row);
        interest::put_rates(&self.db, &id(words[0]), &rows, &author("2026-01-01")).map(drop)
    }

    /// `ID CUSTOMER [MILESTONE]…`: 2 % off within 10 days.
    fn contract(&self, words: &[&str]) -> Result<(), Fault> {
        let milestones: Vec<Value> =
            words[2..].iter().map(|on| json!({"name": "Price review", "on": on})).collect();
        let new = read(json!({"customer_id": words[1], "effective_on": "2020-01-01",
            "terms": {"net_days": 30, "discount_share": "0.02", "discount_days": 10},
            "milestones": milestones}));
        contract::put(&self.db, &id(words[0]), &new, &author("2020-01-01")).map(drop)
    }

    /// `KIND ID ISSUED DUE MINOR [CONTRACT | DUE MINOR | of=CUSTOMER | in=CURRENCY]…`
    fn invoice(&self, words: &[&str]) -> Result<(), Fault> {
        let minor: i64 = words[4].parse().unwrap();
        let mut new = json!({"id": words[1], "customer_id": "C", "kind": words[0], "issued_on": words[2],
            "due_on": words[3], "amount": {"minor": minor, "currency": "EUR"}});
        match &words[5..] {
            [] => {}
            [money] if money.starts_with("in=") => new["amount"]["currency"] = json!(money[3..]),
            [contract] if contract.starts_with("of=") => new["customer_id"] = json!(contract[3..]),
            [contract] => new["contract_id"] = json!(contract),
            more => {
                let second: i64 = more[1].parse().unwrap();
                new["amount"]["minor"] = json!(minor + second);
                new["instalments"] = json!([{"due_on": words[3], "minor": minor},
                    {"due_on": more[0], "minor": second}]);
                new.as_object_mut().unwrap().remove("due_on");
            }
        }
        invoice::add(&self.db, &read(new), id("made"), &author("2026-01-01")).map(drop)
    }

    /// `ID ISSUED DUE MINOR`
    fn correct(&self, words: &[&str]) -> Result<(), Fault> {
        let minor: i64 = words[3].parse().unwrap();
        let new = read(json!({"issued_on": words[1], "due_on": words[2], "minor": minor,
            "reason": "typing error"}));
        invoice::correct(&self.db, &id(words[0]), &new, &author("2026-01-01")).map(drop)
    }

    /// `CREDIT-NOTE DAY [MINOR]`
    fn refund(&self, words: &[&str]) -> Result<(), Fault> {
        let minor = words.get(2).map(|minor| minor.parse::<i64>().unwrap());
        let name = format!("R-{}", words.join("-"));
        let new = read(json!({"id": name, "on": words[1], "minor": minor}));
        let (note, made) = (id(words[0]), id("made"));
        credit_refund::add(&self.db, &note, &new, made, &author("2026-01-01")).map(drop)
    }

    /// `REFUND DAY`
    fn not_refunded(&self, words: &[&str]) -> Result<(), Fault> {
        let new = read(json!({"on": words[1], "reason": "it came back"}));
        credit_refund::reverse(&self.db, &id(words[0]), &new, &author("2026-01-01")).map(drop)
    }

    /// `NOTE INVOICE`
    fn relates(&self, words: &[&str]) -> Result<(), Fault> {
        let new = read(json!({"relates_to": words[1], "reason": "typing error"}));
        invoice::correct(&self.db, &id(words[0]), &new, &author("2026-01-01")).map(drop)
    }

    /// `PAYMENT DAY`
    fn received(&self, words: &[&str]) -> Result<(), Fault> {
        let new = read(json!({"received_on": words[1], "reason": "typing error"}));
        payment::correct(&self.db, &id(words[0]), &new, &author("2026-01-01")).map(drop)
    }

    /// `ID ISSUED MINOR [INVOICE]`
    fn credit(&self, words: &[&str]) -> Result<(), Fault> {
        let minor: i64 = words[2].parse().unwrap();
        let new = json!({"id": words[0], "customer_id": "C", "kind": "credit-note", "issued_on": words[1],
            "amount": {"minor": minor, "currency": "EUR"}, "relates_to": words.get(3)});
        invoice::add(&self.db, &read(new), id("made"), &author("2026-01-01")).map(drop)
    }

    /// `ID RECEIVED MINOR [INVOICE | INVOICE=MINOR…] [settles:INVOICE | REASON:INVOICE:MINOR | in:CURRENCY]`
    fn pay(&self, words: &[&str]) -> Result<(), Fault> {
        let minor: i64 = words[2].parse().unwrap();
        let mut new = json!({"id": words[0], "customer_id": "C", "received_on": words[1],
            "amount": {"minor": minor, "currency": "EUR"}});
        let (held, words): (Vec<&str>, Vec<&str>) = words.iter().partition(|of| of.contains(':'));
        for held in held {
            match held.split(':').collect::<Vec<_>>()[..] {
                ["in", currency] => new["amount"]["currency"] = json!(currency),
                ["settles", invoice] => new["settles"] = json!([invoice]),
                [why, invoice, minor] => {
                    let minor: i64 = minor.parse().unwrap();
                    new["deductions"] =
                        json!([{"invoice_id": invoice, "minor": minor, "reason": why}]);
                }
                _ => panic!("not held back like this: {held}"),
            }
        }
        let named: Vec<Value> = words[3..]
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(invoice, minor)| {
                json!({"invoice_id": invoice, "minor": minor.parse::<i64>().unwrap()})
            })
            .collect();
        match words.get(3) {
            None => {}
            Some(_) if !named.is_empty() => new["designation"] = named.into(),
            Some(invoice) => new["invoice_id"] = json!(invoice),
        }
        payment::add(&self.db, &read(new), id("made"), &author("2026-01-01")).map(drop)
    }

    /// `PAYMENT DAY KIND [MINOR]`
    fn back(&self, words: &[&str]) -> Result<(), Fault> {
        let minor = words.get(3).map(|minor| minor.parse::<i64>().unwrap());
        let on = (words[2] != "mistake").then_some(words[1]);
        let name = format!("R-{}", words.join("-"));
        let new = read(json!({"id": name, "on": on, "kind": words[2], "minor": minor}));
        payment::reverse(&self.db, &id(words[0]), &new, id("made"), &author("2026-01-01")).map(drop)
    }

    /// `ID DAY INVOICE MINOR`
    fn off(&self, words: &[&str]) -> Result<(), Fault> {
        let minor: i64 = words[3].parse().unwrap();
        let new =
            read(json!({"id": words[0], "on": words[1], "invoice_id": words[2], "minor": minor,
            "reason": "gone"}));
        write_off::add(&self.db, &new, id("made"), &author("2026-01-01")).map(drop)
    }

    /// `WRITE-OFF DAY`
    fn restore(&self, words: &[&str]) -> Result<(), Fault> {
        let new = read(json!({"on": words[1], "reason": "by mistake"}));
        write_off::reverse(&self.db, &id(words[0]), &new, &author("2026-01-01")).map(drop)
    }

    /// `ID DAY INVOICE MINOR`
    fn dispute(&self, words: &[&str]) -> Result<(), Fault> {
        let minor: i64 = words[3].parse().unwrap();
        let new =
            read(json!({"id": words[0], "on": words[1], "invoice_id": words[2], "minor": minor,
            "reason": "price"}));
        dispute::open(&self.db, &new, id("made"), &author("2026-01-01")).map(drop)
    }

    /// `ID DAY OUTCOME`
    fn resolve(&self, words: &[&str]) -> Result<(), Fault> {
        let end = read(json!({"on": words[1], "outcome": words[2]}));
        dispute::resolve(&self.db, &id(words[0]), &end, &author("2026-01-01")).map(drop)
    }
}

fn day(number: i64) -> Date {
    "2023-01-01".parse::<Date>().unwrap().plus_days(number).unwrap()
}

/// A line about documents that may be there or not.
fn line() -> impl Strategy<Value = String> {
    let on = prop_oneof![0i64..700, (0i64..24).prop_map(|month| month * 30)];
    let minor = prop_oneof![2i64..400, Just(100i64)];
    (0usize..32, on, 0i64..90, minor, 0usize..12, 0usize..12).prop_map(
        |(what, on, later, minor, one, other)| {
            let (then, on) = (day(on + later), day(on));
            let later = later + 1;
            let kind = ["fee", "interest-note"].get(one).copied().unwrap_or("invoice");
            match what {
                0..6 => format!("{kind} I{one} {on} {then} {minor}"),
                6 => format!("invoice I{one} {on} {then} {minor} K"),
                7 => format!("invoice I{one} {on} {on} {minor} {} 100", then.plus_days(1).unwrap()),
                8 => format!("invoice I{one} {on} {then} {minor} of=D"),
                9..12 => format!("pay P{one} {on} {minor}"),
                12 => format!("pay P{one} {on} {minor} I{other}"),
                13 => format!("pay P{one} {on} {minor} I{other}=1"),
                14 => format!(
                    "back P{one} {then} {} {minor}",
                    ["returned", "refund", "mistake"][other % 3]
                ),
                15 => format!("back P{one} {then} chargeback"),
                16 => format!("credit N{one} {on} {minor} I{other}"),
                17 => format!("off W{one} {then} I{other} {minor}"),
                18 => format!("dispute D{one} {on} I{other} {minor}"),
                19 => format!("restore W{one} {then}"),
                20 => format!("invoice I{one} {on} {then} {minor} in=USD"),
                21 => format!(
                    "rate fx-{} {on} {}",
                    ["usd-eur", "eur-usd"][other % 2],
                    ["0.3333", "1.25", "0.9"][one % 3]
                ),
                22 => format!("dispute D{one} {on} I{other}#{} {minor}", 1 + one % 2),
                23 => format!("pay P{one} {on} {minor} I{other}#{}", 1 + one % 2),
                24 => format!("void I{other} {then}"),
                30 => format!("refund N{one} {then}"),
                31 => format!("refund N{one} {then} {minor}"),
                28 => format!("pay P{one} {on} {minor} settles:I{other}"),
                29 => format!(
                    "pay P{one} {on} {minor} I{other} {}:I{other}:{}",
                    ["agreed", "withholding"][one % 2],
                    1 + minor / 3
                ),
                25 => format!(
                    "invoice I{one} {on} {then} {minor} {} 200",
                    then.plus_days(later).unwrap()
                ),
                _ => format!("resolve D{one} {then} {}", ["upheld", "rejected"][other % 2]),
            }
        },
    )
}

#[test]
fn ledgers_that_the_flows_keep_have_the_facts_that_are_meant() {
    let desk = Desk::new();
    for line in [
        "customer D head=C",
        "customer C 900 on=2024-06-01 contact=Ann bank=1234 representative=Bo",
    ] {
        assert!(desk.tell(line).unwrap());
    }
    let books =
        (proptest::collection::vec(line(), 10..60), proptest::collection::vec(0i64..900, 4));
    let outcome = runner(32).run(&books, |(lines, days)| {
        // The flows commit: what they left is taken away by hand, references last.
        for table in [
            "allocation",
            "adjustment",
            "write_off",
            "dispute_former",
            "dispute",
            "reversal",
            "match_again",
            "credit_refund",
            "correction",
            "payment",
            "rate",
        ] {
            desk.db.execute(&format!("DELETE FROM {table}"), &[]).unwrap();
        }
        desk.db
            .execute(
                "DELETE FROM invoice WHERE parent_key IS NOT NULL OR kind = 'credit-note'",
                &[],
            )
            .unwrap();
        desk.db.execute("DELETE FROM invoice", &[]).unwrap();
        for line in &lines {
            desk.tell(line).unwrap();
        }
        let histories = history::all(&desk.db, Date::LAST);
        let mut seen = BTreeSet::new();
        match days.iter().find_map(|on| difference(&desk.db, &histories, day(*on), &mut seen)) {
            Some(difference) => Err(TestCaseError::fail(difference)),
            None => Ok(()),
        }
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}

/// A limit of some days.
fn limit() -> impl Strategy<Value = String> {
    (0usize..4, 0i64..900, 0i64..700, 0i64..90).prop_map(|(kind, minor, on, later)| {
        let (from, to) = (day(on), day(on + later));
        match kind {
            0 => format!("limit individual {minor} {from}"),
            1 => format!("limit individual {minor} {from} {to}"),
            2 => format!("limit temporary {minor} {from} {to}"),
            _ => format!("limit individual 0 {from} unlimited"),
        }
    })
}

/// What may be recorded of the customers themselves.
fn change() -> impl Strategy<Value = String> {
    let about = prop_oneof![
        (0i64..900).prop_map(|limit| format!("customer C {limit}")),
        limit(),
        Just("customer C 900 on=2024-06-01 contact=Ann bank=1234".to_string()),
        Just("customer D head=C".to_string()),
        Just("customer D".to_string()),
        Just("customer E head=D".to_string()),
        Just("merge E C".to_string()),
        Just("merge D C".to_string()),
    ];
    prop_oneof![3 => line(), 1 => about]
}

/// Sweeps a day, with nobody to hand anything over to.
fn sweep(db: &NativeDb, on: Date) {
    let now = author("2026-01-01").at;
    let mut tick = Tick::begin(db, Some(on), id("tick"), now).unwrap().in_slices_of(2);
    loop {
        match tick.step(db, now).unwrap() {
            Step::More => {}
            Step::Deliver => tick.delivered(db, Default::default(), true, now).unwrap(),
            Step::Done => break,
        }
    }
    tick.end(db).unwrap();
}

/// A card is read from the sweep or from the minute's run as long as nothing was recorded since, and never longer.
#[test]
fn a_card_never_rests_on_facts_that_are_older_than_the_books() {
    let lines = (
        proptest::collection::vec(line(), 5..20),
        300i64..700,
        proptest::collection::vec(change(), 1..12),
    );
    let counted: [[Cell<i32>; 2]; 2] = Default::default();
    let outcome = runner(48).run(&lines, |(before, on, after)| {
        let desk = Desk::new();
        assert!(desk.tell("customer E").unwrap());
        for line in &before {
            desk.tell(line).unwrap();
        }
        sweep(&desk.db, day(on));
        // What the schedule runs every minute stands between any two lines.
        let told = after.iter().flat_map(|line| [line.as_str(), "a minute"]);
        for line in std::iter::once("nothing").chain(told) {
            match line {
                "nothing" => {}
                "a minute" => {
                    let noon = format!("{}T12:00:00Z", day(on)).parse().unwrap();
                    warn::run(&desk.db, noon).unwrap();
                }
                line => drop(desk.tell(line).unwrap()),
            }
            let minute = usize::from(line == "a minute");
            for name in ["C", "D", "E"] {
                let card = score::card(&desk.db, &id(name), day(on), Language::En).unwrap();
                let facts = score::facts(&desk.db, &id(name), day(on)).unwrap();
                prop_assert_eq!(card.facts, facts, "{} after {}", name, line);
                let fresh = dunlin_store::score::fresh(&desk.db, &id(name), day(on), "card@1");
                let [read, worked_out] = &counted[minute];
                let counted = if fresh.unwrap().is_some() { read } else { worked_out };
                counted.set(counted.get() + 1);
            }
        }
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    let [[read, worked_out], [after_a_minute, _]] = &counted;
    assert!(read.get() > 0 && worked_out.get() > 0, "{counted:?}");
    assert!(after_a_minute.get() > read.get(), "{counted:?}");
}

/// A line that changes what was known of days before it, as any line may.
fn hindsight() -> impl Strategy<Value = String> {
    let correction =
        (0usize..12, 0i64..700, 0i64..90, 0i64..400).prop_map(|(one, on, more, minor)| {
            format!("correct I{one} {} {} {minor}", day(on), day(on + more))
        });
    let record = prop_oneof![
        (1i64..900).prop_map(|limit| format!("customer C {limit}")),
        limit(),
        Just("customer D head=C".to_string()),
        Just("customer D".to_string()),
    ];
    let received =
        (0usize..12, 0i64..700).prop_map(|(one, on)| format!("received P{one} {}", day(on)));
    let relates =
        (0usize..12, 0usize..12).prop_map(|(one, other)| format!("relates N{one} I{other}"));
    prop_oneof![12 => line(), 4 => correction, 2 => received, 1 => relates, 2 => record]
}

/// What is ready for a check is dropped by whatever is written of documents and payments, which have no triggers for it.
#[test]
fn what_a_check_says_is_never_older_than_the_books() {
    let [kept, dropped]: [Cell<i32>; 2] = Default::default();
    let lines = proptest::collection::vec(hindsight(), 10..40);
    let outcome = runner(64).run(&lines, |lines| {
        let (desk, now) = (Desk::new(), author("2026-01-01"));
        for limit in ["customer C 900000000", "customer D 900000000"] {
            assert!(desk.tell(limit).unwrap());
        }
        let ask = |who: &str| {
            let new = json!({"customer": who, "amount": {"minor": 1, "currency": "EUR"}});
            credit::check::simulate_told(&desk.db, &read(new), None, Some(Language::En), now.at)
        };
        ask("C").unwrap();
        for line in &lines {
            credit::ready::run(&desk.db, &now).unwrap();
            let before = ["C", "D"].map(|who| ask(who).is_ok_and(|told| told.exposure.is_some()));
            desk.tell(line).unwrap();
            let told = ["C", "D"].map(ask);
            desk.db.execute("DELETE FROM credit_ready", &[]).unwrap();
            for ((who, told), before) in ["C", "D"].into_iter().zip(told).zip(before) {
                let is_ready = told.as_ref().is_ok_and(|told| told.exposure.is_some());
                let counted = if is_ready { &kept } else { &dropped };
                counted.set(counted.get() + i32::from(before));
                let whole = |told: Result<credit::ready::Told, Fault>| {
                    format!("{:?}", told.and_then(credit::ready::Told::whole))
                };
                prop_assert_eq!(whole(told), whole(ask(who)), "{} after {}", who, line);
            }
        }
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    assert!(kept.get() > 300 && dropped.get() > 300, "{kept:?} {dropped:?}");
}

/// What came later, of whatever day, does not change what was known then.
#[test]
fn facts_of_a_day_as_known_then_are_those_that_were_given_then() {
    let books =
        (proptest::collection::vec(hindsight(), 10..40), proptest::collection::vec(0i64..900, 2));
    let moved = Cell::new(0);
    let outcome = runner(16).run(&books, |(lines, days)| {
        let desk = Desk::new();
        let given = |known: i64| -> Vec<Facts> {
            let asked =
                ["C", "D"].into_iter().flat_map(|who| days.iter().map(move |on| (who, *on)));
            let when = |on| When { day: day(on), known };
            asked.map(|(who, on)| score::facts(&desk.db, &id(who), when(on)).unwrap()).collect()
        };
        let mut then = Vec::new();
        for line in &lines {
            desk.tell(line).unwrap();
            let entry = desk.db.int("SELECT max(key) FROM audit", &[]).unwrap();
            then.push((line, entry, given(i64::MAX)));
        }
        let now = given(i64::MAX);
        for (line, entry, facts) in then {
            prop_assert_eq!(&given(entry), &facts, "after {}", line);
            moved.set(moved.get() + usize::from(facts != now));
        }
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    assert!(moved.get() > 0, "nothing came later");
}

/// The day of a payment and what it names, as they read before they were corrected, decide what was known then.
#[test]
fn what_was_agreed_late_is_unpaid_as_long_as_the_payment_is_known_to_be_late() {
    let desk = Desk::new();
    let last = || desk.db.int("SELECT max(key) FROM audit", &[]).unwrap();
    let given = |name, on: &str, known| {
        let when = When { day: on.parse().unwrap(), known };
        score::facts(&desk.db, &id("C"), when).unwrap().get(name).unwrap().to_string()
    };
    let overdue = |known| given(FactName::OverdueShare, "2024-02-29", known);
    assert!(desk.tell("invoice I1 2024-01-01 2024-01-31 30000").unwrap());
    assert!(desk.tell("pay P1 2024-02-01 300 settles:I1").unwrap());
    let late = last();
    assert_eq!(overdue(i64::MAX), "1");
    assert!(desk.tell("received P1 2024-01-31").unwrap());
    assert_eq!((overdue(i64::MAX).as_str(), overdue(late).as_str()), ("0", "1"));
    let short = |known| given(FactName::ShortPays12m, "2024-03-31", known);
    assert!(desk.tell("invoice I2 2024-02-01 2024-02-29 30000").unwrap());
    assert!(desk.tell("pay P2 2024-02-29 20000 I2=20000").unwrap());
    let named = last();
    assert_eq!(short(i64::MAX), "0");
    let new = read(json!({"designation": [], "reason": "nothing was named"}));
    payment::correct(&desk.db, &id("P2"), &new, &author("2026-01-01")).unwrap();
    assert_eq!((short(i64::MAX).as_str(), short(named).as_str()), ("1", "0"));
}

#[test]
fn nobody_has_facts_who_is_not_there() {
    let desk = Desk::new();
    let missing = dunlin_app::score::facts(&desk.db, &id("X"), day(0)).unwrap_err();
    assert!(
        matches!(missing, Fault::Refused(refused) if refused.code == dunlin_domain::Refusal::NotFound)
    );
    assert!(ledger::customer(&desk.db, &id("C"), day(0)).is_ok());
}
