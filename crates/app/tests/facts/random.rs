//! Thousands of random ledgers, written row by row: also such as no replay would lead to, for the facts are defined
//! over what is recorded.

use crate::{difference, every_fact, history, lines, runner, summed};
use dunlin_domain::{
    Date, Decimal,
    card::{Card, shipped},
    contract::score::{FactName, Facts},
};
use dunlin_store::{Db, arrears::Range, native::NativeDb};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Customers of a case, each with a ledger of its own.
const CUSTOMERS: usize = 6;

/// Cases of a run: two thousand ledgers and more.
const CASES: u32 = 400;

fn day(number: i64) -> Date {
    "2022-01-01".parse::<Date>().unwrap().plus_days(number).unwrap()
}

/// A document, or two instalments, and what was set against it.
#[derive(Clone, Debug)]
struct Claim {
    customer: usize,
    currency: usize,
    kind: usize,
    issued: i64,
    net: i64,
    minor: i64,
    instalments: bool,
    steps: Vec<Step>,
    /// Which of the customer's contracts it is under.
    contract: Option<usize>,
    dispute: Option<(i64, Option<i64>, i64, bool)>,
}

/// Something set against a document so many days after it, or taken back: by which payment, what, and percent.
type Step = (i64, usize, usize, i64);

/// The limit of a customer, and its head.
type Standing = (Option<(i64, usize)>, Option<usize>);

#[derive(Clone, Debug)]
struct Book {
    claims: Vec<Claim>,
    customers: Vec<Standing>,
    /// Customer, part and day.
    changes: Vec<(usize, usize, i64)>,
    /// Customer, payment, kind and day.
    reversals: Vec<(usize, usize, usize, i64)>,
    others: Vec<Other>,
    /// Exchange rates: of which pair, from which day on, and in thousandths.
    rates: Vec<(usize, i64, i64)>,
    days: Vec<i64>,
}

/// Something beside the ledger: what, of whom, two choices, a day, so many days later, and a number.
type Other = (usize, usize, (usize, usize), i64, Option<i64>, i64);

fn some_day() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0i64..1_000, 1 => (0i64..34).prop_map(|month| month * 30), 2 => 700i64..800]
}

prop_compose! {
    fn some_claim()(
        (customer, currency, kind) in (0..CUSTOMERS, 0usize..5, 0usize..10),
        issued in some_day(),
        net in prop_oneof![Just(0i64), Just(30), 0i64..90],
        minor in prop_oneof![1 => Just(0i64), 6 => 1i64..1_000, 4 => Just(100)],
        instalments in proptest::bool::weighted(0.15),
        steps in proptest::collection::vec(
            (prop_oneof![2 => 0i64..60, 1 => Just(30i64), 1 => 0i64..400], 0usize..4, 0usize..18,
                prop_oneof![4 => Just(100i64), 1 => Just(95), 3 => 0i64..100]), 0..5),
        contract in proptest::option::of(0usize..2),
        dispute in proptest::option::weighted(0.2,
            (0i64..100, proptest::option::of(0i64..200), 0i64..600, any::<bool>())),
    ) -> Claim {
        Claim { customer, currency: currency / 4, kind, issued, net, minor, instalments, steps, contract, dispute }
    }
}

prop_compose! {
    fn some_book()(
        claims in proptest::collection::vec(some_claim(), 0..70),
        customers in proptest::collection::vec(
            (proptest::option::of((0i64..2_000, 0usize..2)), proptest::option::of(0usize..2)), CUSTOMERS),
        changes in proptest::collection::vec((0..CUSTOMERS, 0usize..4, some_day()), 0..8),
        reversals in proptest::collection::vec((0..CUSTOMERS, 0usize..4, 0usize..4, some_day()), 0..8),
        others in proptest::collection::vec(
            (0usize..7, 0..CUSTOMERS, (0usize..4, 0usize..4), some_day(), proptest::option::of(0i64..300),
                0i64..1_000), 0..40),
        rates in proptest::collection::vec((0usize..2, some_day(), 1i64..3_000), 0..4),
        days in proptest::collection::vec(some_day(), 3),
    ) -> Book {
        Book { claims, customers, changes, reversals, others, rates, days }
    }
}

/// The key of one of the four payments of a customer; the first is designated.
fn payment(customer: usize, number: usize) -> usize {
    customer * 4 + number + 1
}

/// The key of one of the two contracts of a customer, and of its first version.
fn contract(customer: usize, number: usize) -> usize {
    customer * 2 + number + 1
}

/// The rows of all tables, as they are inserted.
#[derive(Default)]
struct Rows {
    invoices: Vec<Value>,
    allocations: Vec<Value>,
    adjustments: Vec<Value>,
    disputes: Vec<Value>,
}

impl Rows {
    /// The rows of one claim of an amount. What comes is at most what is open, what is taken back at most what there is.
    fn claim(&mut self, of: &Claim, due: i64, minor: i64, parent: Option<usize>) -> usize {
        let key = CUSTOMERS + self.invoices.len() + 1;
        let mut steps = of.steps.clone();
        steps.sort_by_key(|step| step.0);
        let mut open = minor;
        let mut stands: BTreeMap<(usize, &str), i64> = BTreeMap::new();
        for (after, by, what, percent) in steps {
            let what = [
                "pay",
                "credit",
                "early-payment-discount",
                "full-settlement",
                "write-off",
                "back",
                "move",
                "voided",
                "dispute-upheld",
                "write-off",
                "recover",
                "full-settlement",
                "agreed",
                "paid-out",
            ]
            .get(what)
            .copied()
            .unwrap_or("pay");
            let (source, back) = match what {
                "back" if percent < 20 => ("early-payment-discount", true),
                "back" if percent < 50 => ("write-off", true),
                "back" if percent < 60 => ("credit", true),
                "back" if percent < 70 => ("dispute-upheld", true),
                "back" if percent < 80 => ("full-settlement", true),
                "back" if percent < 90 => ("agreed", true),
                "back" => ("pay", true),
                other => (other, false),
            };
            if what == "paid-out" {
                let on = day(of.issued + after);
                self.allocation(of.customer, key, (by, "paid-out"), on, percent * 3 - 31);
                continue;
            }
            if what == "recover" {
                // Money for what was given up takes so much of the write-off back.
                let given_up = stands.iter_mut().find(|of| of.0.1 == "write-off" && *of.1 > 0);
                let Some(((writer, _), stood)) = given_up else { continue };
                let (writer, minor) = (*writer, *stood * percent / 100);
                *stood -= minor;
                if minor > 0 {
                    *stands.entry((by, "pay")).or_default() += minor;
                    let on = day(of.issued + after);
                    self.allocation(of.customer, key, (by, "pay"), on, minor);
                    self.allocation(of.customer, key, (writer, "write-off"), on, -minor);
                }
                continue;
            }
            let stood = stands.entry((by, source)).or_default();
            let percent = if what == "voided" { 100 } else { percent };
            let change = if back { -(*stood * percent / 100) } else { open * percent / 100 };
            let on = day(of.issued + after);
            if change == 0 {
                continue;
            }
            if what == "move" {
                // A replay that finds another payment first.
                for minor in [change, -change] {
                    self.allocation(of.customer, key, (by, "pay"), on, minor);
                }
                continue;
            }
            *stood += change;
            open -= change;
            self.allocation(of.customer, key, (by, source), on, change);
        }
        let kind = ["fee", "interest-note"].get(of.kind).copied().unwrap_or("invoice");
        self.invoice(key, of, kind, (due, minor, open), parent);
        key
    }

    fn invoice(
        &mut self,
        key: usize,
        of: &Claim,
        kind: &str,
        (due, minor, open): (i64, i64, i64),
        parent: Option<usize>,
    ) {
        let id = format!("I{:03}", key * 7_919 % 1_009);
        let currency = ["CNY", "EUR"][of.currency];
        self.invoices.push(json!([
            key,
            id,
            of.customer + 1,
            kind,
            day(of.issued),
            day(due),
            minor,
            currency,
            open,
            parent,
            of.contract.map(|number| contract(of.customer, number))
        ]));
    }

    fn allocation(
        &mut self,
        customer: usize,
        claim: usize,
        (by, source): (usize, &str),
        on: Date,
        minor: i64,
    ) {
        let key = payment(customer, by);
        let (mut paid, mut credit, mut earned, mut off, mut why) = (None, None, None, None, None);
        let claim = (source != "paid-out").then_some(claim);
        match source {
            "pay" => paid = Some(key),
            "credit" | "paid-out" => credit = Some(customer + 1),
            "write-off" | "voided" | "dispute-upheld" => {
                let made = self.adjustments.len() + 1;
                self.adjustments.push(json!([
                    made,
                    format!("{source}/{made}"),
                    customer + 1,
                    claim,
                    on,
                    minor.abs(),
                    source
                ]));
                off = Some(made);
            }
            other => (earned, why) = (Some(key), Some(other)),
        }
        let row = json!([customer + 1, claim, paid, credit, off, earned, why, on, minor]);
        self.allocations.push(row);
    }

    fn all(book: &Book) -> Self {
        let mut rows = Self::default();
        for of in &book.claims {
            let due = of.issued + of.net;
            let parts = if of.instalments && of.kind > 1 {
                let whole = CUSTOMERS + rows.invoices.len() + 1;
                rows.invoice(whole, of, "invoice", (due, 0, 0), None);
                let half = of.minor / 2;
                let first = rows.claim(of, due, half, Some(whole));
                let second = rows.claim(of, due + 30, of.minor - half, Some(whole));
                [whole, first, second]
            } else {
                [rows.claim(of, due, of.minor, None); 3]
            };
            if let Some((after, resolved, minor, of_part)) = of.dispute {
                let opened = of.issued + after;
                let resolved = resolved.map(|after| day(opened + after));
                let mut dispute = |about: usize, minor: i64, whole: Option<usize>| {
                    let row = json!([of.customer + 1, about, day(opened), resolved, minor, whole]);
                    rows.disputes.push(row);
                    rows.disputes.len()
                };
                match parts {
                    // One instalment, the later as well as the first, or as a whole with a part of each.
                    [_, first, second] if first != second && of_part => {
                        dispute(if minor % 2 == 0 { first } else { second }, minor, None);
                    }
                    [whole, first, second] if first != second => {
                        let number = dispute(whole, minor, None);
                        let of_first = minor * (after % 5) / 4;
                        dispute(first, of_first.min(minor), Some(number));
                        dispute(second, (minor - of_first).max(0), Some(number));
                    }
                    [single, ..] => {
                        dispute(single, minor, None);
                    }
                }
            }
        }
        rows
    }
}

/// Rows into a table. Every column of the list is a place of the row.
fn insert(db: &NativeDb, table: &str, columns: &str, rows: &[Value]) {
    let places: Vec<String> =
        (0..columns.split(',').count()).map(|at| format!("value ->> {at}")).collect();
    let sql =
        format!("INSERT INTO {table} ({columns}) SELECT {} FROM json_each(?1)", places.join(", "));
    let rows = json!(rows).to_string();
    db.execute(&sql, &[(&rows).into()]).unwrap_or_else(|e| panic!("{e:?}: {sql}: {rows}"));
}

/// Contracts, what secures debts, defaults, events, and what others say.
fn others(db: &NativeDb, book: &Book) {
    let keys =
        || (0..CUSTOMERS).flat_map(|customer| [0, 1].map(|of| (customer, contract(customer, of))));
    let contracts: Vec<Value> =
        keys().map(|(customer, key)| json!([key, format!("K{key}"), customer + 1])).collect();
    insert(db, "contract", "key, id, customer_key", &contracts);
    let moment = |on: Date| format!("{on}T12:00:00Z");
    let (at, mut versions) = (moment(day(0)), Vec::new());
    for (_, key) in keys() {
        versions.push(json!([key, key, 1, day(0), null, 0, "{}", at]));
    }
    let source = json!([1, "S", "{}"]);
    insert(db, "event_source", "key, name, document", &[source]);
    let (mut guarantees, mut defaults, mut inbound, mut events, mut facts) =
        (vec![], vec![], vec![], vec![], BTreeMap::new());
    let mut limits = Vec::new();
    for (number, (what, customer, (one, other), on, later, amount)) in
        book.others.iter().enumerate()
    {
        let (owner, key, until) = (customer + 1, number + 1, later.map(|later| day(on + later)));
        let (of_contract, on) = (contract(*customer, one % 2), day(*on));
        match what {
            0 => {
                let milestones =
                    [-30, 0, 30, 300].map(|days| json!({"on": on.plus_days(days).unwrap()}));
                let document = json!({"milestones": milestones[..*other]}).to_string();
                versions.push(json!([100 + key, of_contract, 1 + key, on, until, 0, document, at]));
            }
            1 => {
                let kind = ["guarantor", "pledge", "deposit", "insurance"][*one];
                let currency = ["CNY", "EUR"][other / 2];
                let claim_by = until.filter(|_| *other == 0).map(|_| day(500));
                let bound = Some(contract(*customer, one / 2)).filter(|_| *other > 1);
                let share = ["1", "0.5", "0.333", "0.9"][*other];
                guarantees.push(json!([
                    format!("G{key}"),
                    owner,
                    bound,
                    kind,
                    "P",
                    amount + 1,
                    currency,
                    share,
                    on,
                    until,
                    claim_by.filter(|by| *by >= on)
                ]));
            }
            2 => {
                let ended = if key % 3 == 0 { "withdrawn" } else { "cured" };
                let state = if until.is_some() { ended } else { "open" };
                let kind = if key % 2 == 0 { "broken-plan" } else { "refused" };
                defaults.push(json!([format!("X{key}"), owner, on, kind, "no", 0, state, until]));
            }
            3 => {
                let told = until.unwrap_or(on);
                inbound.push(json!([
                    key,
                    1,
                    format!("E{key}"),
                    "k",
                    "h",
                    moment(told),
                    "applied",
                    owner
                ]));
                if *one > 0 {
                    let kind = ["payment-failed", "mandate-cancelled"][one % 2];
                    events.push(json!([owner, on, kind, key]));
                }
            }
            4 => {
                let kind = ["individual", "individual", "temporary", "group"][*one];
                let to = until.or((kind == "temporary").then(|| on.plus_days(60).unwrap()));
                let (currency, unlimited) = (["CNY", "EUR"][other % 2], i64::from(*other == 3));
                limits.push(json!([
                    format!("L{key}"),
                    owner,
                    kind,
                    amount,
                    currency,
                    on,
                    to,
                    unlimited,
                    0,
                    "approved",
                    "key",
                    "us",
                    key,
                    key
                ]));
            }
            _ => {
                let (kind, name, document) = said(*one, *other, *amount, on);
                let known_on = until.unwrap_or(on);
                let mut document = document;
                document["known_on"] = json!(known_on);
                let row = json!([owner, kind, name, on, known_on, document.to_string()]);
                facts.entry((owner, kind, name, known_on)).or_insert(row);
            }
        }
    }
    let columns =
        "key, contract_key, version, effective_on, ends_on, secured, document, recorded_at";
    insert(db, "contract_version", columns, &versions);
    let columns = "id, customer_key, contract_key, kind, party, amount_minor, currency, share, valid_from, valid_to, claim_by";
    insert(db, "guarantee", columns, &guarantees);
    let columns = "id, customer_key, kind, minor, currency, from_on, to_on, unlimited, mandatory, state, source, asked_by, counts_key, entry_key";
    insert(db, "credit_limit", columns, &limits);
    let columns = "id, customer_key, found_on, kind, reason, by_rule, state, closed_on";
    insert(db, "default_record", columns, &defaults);
    let columns = "key, source_key, id, kind, body_hash, received_at, state, customer_key";
    insert(db, "inbound_event", columns, &inbound);
    insert(db, "customer_event", "customer_key, happened_on, kind, inbound_key", &events);
    let columns = "customer_key, kind, name, happened_on, known_on, document";
    insert(db, "external_fact", columns, &facts.into_values().collect::<Vec<_>>());
}

/// What somebody says: its kind, its name and the record. Ids repeat, so that some are corrections.
fn said(one: usize, other: usize, amount: i64, on: Date) -> (&'static str, String, Value) {
    match one {
        0 => {
            let items = json!({"period_end": on, "currency": "EUR", "current_assets_minor": amount,
                "current_liabilities_minor": 300, "total_assets_minor": amount * 2,
                "total_liabilities_minor": amount, "retained_earnings_minor": amount - 500, "ebit_minor": 40,
                "sales_minor": 900, "book_equity_minor": amount,
                "market_equity_minor": Some(amount).filter(|_| other > 1)});
            ("financials", on.to_string(), items)
        }
        1 => {
            let source = ["agency", "bank"][other % 2];
            let direction = ["higher-is-better", "lower-is-better"][other / 2];
            let score = json!({"source": source, "date": on, "score": amount.to_string(), "scale_from": "-8",
                "scale_to": "1000", "direction": direction});
            ("external-scores", format!("{on}/{source}"), score)
        }
        _ => {
            let kind = ["lawsuit", "insolvency", "none-found", "other"][other];
            let id = format!("L{}", amount % 4);
            let entry = json!({"id": id, "kind": kind, "date": on, "source": "court",
                "withdrawn": Some(true).filter(|_| amount % 5 == 0)});
            ("public-records", id, entry)
        }
    }
}

fn record(db: &NativeDb, book: &Book) {
    let mut customers = Vec::new();
    for (number, (limit, head)) in book.customers.iter().enumerate() {
        // The first two may be heads, and have none.
        let head = head.filter(|_| number > 1).map(|head| head + 1);
        let currency = limit.map(|(_, currency)| ["CNY", "EUR"][currency]);
        let key = number + 1;
        customers.push(json!([key, format!("C{key}"), "C", limit.map(|of| of.0), currency, head]));
    }
    let columns = "key, id, name, limit_minor, limit_currency, parent_key";
    insert(db, "customer", columns, &customers);
    let rate = |(pair, on, thousandths): &(usize, i64, i64)| {
        let name = ["fx-cny-eur", "fx-eur-cny"][*pair];
        let rate = Decimal::new(*thousandths, 3).to_string();
        json!([name, day(*on), rate, "bank", 1])
    };
    let rates: Vec<Value> = book.rates.iter().map(rate).collect();
    insert(db, "rate", "name, valid_from, rate, source, confirmed", &rates);
    let each = |number: usize| (0..CUSTOMERS).map(move |customer| (customer, number));
    let payments: Vec<Value> = (0..4)
        .flat_map(each)
        .map(|(customer, number)| {
            let (key, designation) = (payment(customer, number), (number == 0).then_some("[]"));
            let came = day([0, 250, 500, 750][number]);
            json!([key, format!("P{key}"), customer + 1, came, 1, "CNY", 0, designation])
        })
        .collect();
    let columns = "key, id, customer_key, received_on, amount_minor, currency, unallocated_minor, designation";
    insert(db, "payment", columns, &payments);
    let notes: Vec<Value> = (1..=CUSTOMERS)
        .map(|key| {
            json!([
                key,
                format!("N{key}"),
                key,
                "credit-note",
                day(0),
                day(0),
                9,
                "CNY",
                9,
                null,
                null
            ])
        })
        .collect();
    others(db, book);
    let rows = Rows::all(book);
    let columns = "key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, open_minor, parent_key, version_key, disputed";
    let invoices: Vec<Value> = notes
        .into_iter()
        .chain(rows.invoices)
        .map(|mut row| {
            row.as_array_mut().unwrap().push(json!(0));
            row
        })
        .collect();
    insert(db, "invoice", columns, &invoices);
    // Each credit note is about one of its customer's documents or instalments.
    let about = "UPDATE invoice AS n SET relates_key = (
            SELECT i.key FROM invoice AS i WHERE i.customer_key = n.customer_key AND i.kind <> 'credit-note'
            ORDER BY i.key % 7, i.key LIMIT 1
        ) WHERE n.kind = 'credit-note'";
    db.execute(about, &[]).unwrap();
    let columns = "key, id, customer_key, invoice_key, booked_on, minor, difference";
    insert(db, "adjustment", columns, &rows.adjustments);
    let columns = "customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on, amount_minor, recorded_at";
    let allocations: Vec<Value> = rows
        .allocations
        .into_iter()
        .map(|mut row| {
            row.as_array_mut().unwrap().push(json!("2025-01-01T00:00:00Z"));
            row
        })
        .collect();
    insert(db, "allocation", columns, &allocations);
    let numbered = |(number, row): (usize, Value)| {
        let mut row = row;
        let resolved = row[3].is_string().then_some("rejected");
        row.as_array_mut().unwrap().extend([
            json!(number + 1),
            json!(format!("D{number}")),
            json!("price"),
            json!(resolved),
        ]);
        row
    };
    let disputes: Vec<Value> = rows.disputes.into_iter().enumerate().map(numbered).collect();
    let columns = "customer_key, invoice_key, opened_on, resolved_on, minor, whole_key, key, id, reason, outcome";
    insert(db, "dispute", columns, &disputes);
    let changes: Vec<Value> = book
        .changes
        .iter()
        .map(|(customer, part, on)| {
            let part = ["contact", "bank-account", "representative", "status"][*part];
            json!([customer + 1, day(*on), part, 1, 1, "2025-01-01T00:00:00Z"])
        })
        .collect();
    let columns = "customer_key, changed_on, part, added, removed, recorded_at";
    insert(db, "customer_change", columns, &changes);
    let reversals: Vec<Value> = book
        .reversals
        .iter()
        .enumerate()
        .map(|(number, (customer, by, kind, on))| {
            let kind = ["chargeback", "returned", "refund", "mistake"][*kind];
            json!([format!("R{number}"), customer + 1, payment(*customer, *by), day(*on), kind, 1])
        })
        .collect();
    let columns = "id, customer_key, payment_key, reversed_on, kind, minor";
    insert(db, "reversal", columns, &reversals);
}

#[test]
fn the_statements_give_what_each_fact_means() {
    let db = NativeDb::open(Path::new(":memory:")).unwrap();
    let seen = RefCell::new(BTreeSet::new());
    let outcome = runner(CASES).run(&some_book(), |book| {
        // Each case is undone: making the schema takes longer than the case.
        let _ = db.execute("ROLLBACK", &[]);
        db.execute("BEGIN", &[]).unwrap();
        record(&db, &book);
        let histories = history::all(&db, Date::LAST);
        let mut seen = seen.borrow_mut();
        match book.days.iter().find_map(|on| difference(&db, &histories, day(*on), &mut seen)) {
            Some(difference) => Err(TestCaseError::fail(difference)),
            None => Ok(()),
        }
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    every_fact(&seen.borrow());
}

/// What is owed, secured and used of a limit: what was given up is in none of them. All else says how somebody behaves.
const EXPOSURE: [FactName; 4] = [
    FactName::Utilisation,
    FactName::UtilisationPeak12m,
    FactName::InsuredShare,
    FactName::GroupOutstandingShare,
];

#[test]
fn giving_a_debt_up_changes_nothing_of_how_somebody_pays_and_never_betters_a_score() {
    let db = NativeDb::open(Path::new(":memory:")).unwrap();
    let card = Card { model: "card@1".into(), document: shipped() };
    let (given_up, judged) = (RefCell::new(0), RefCell::new(0));
    let outcome = runner(CASES).run(&some_book(), |book| {
        let _ = db.execute("ROLLBACK", &[]);
        db.execute("BEGIN", &[]).unwrap();
        record(&db, &book);
        let all = Range { after: 0, upto: i64::MAX };
        let of = |number: &i64| summed(&db, all, day(*number));
        let written: Vec<Vec<Facts>> = book.days.iter().map(of).collect();
        let off = "SELECT key FROM adjustment WHERE difference = 'write-off'";
        let agreed = "SELECT a.key FROM allocation AS a JOIN invoice AS i ON i.key = a.invoice_key \
                          JOIN payment AS p ON p.key = a.difference_key AND p.received_on > i.due_on \
                      WHERE a.difference = 'full-settlement'";
        let off = format!("a.adjustment_key IN ({off}) OR a.key IN ({agreed})");
        let stands = format!("SELECT coalesce(sum(amount_minor), 0) FROM allocation AS a WHERE {off}");
        *given_up.borrow_mut() += i64::from(db.int(&stands, &[]).unwrap() > 0);
        for left_open in [
            format!(
                "UPDATE invoice SET open_minor = open_minor + (SELECT coalesce(sum(a.amount_minor), 0) \
                 FROM allocation AS a WHERE a.invoice_key = invoice.key AND ({off}))"
            ),
            format!("DELETE FROM allocation AS a WHERE {off}"),
        ] {
            db.execute(&left_open, &[]).unwrap();
        }
        for (number, written) in book.days.iter().zip(written) {
            for (open, mut written) in of(number).into_iter().zip(written) {
                for name in EXPOSURE {
                    written.set(name, open.get(name));
                }
                prop_assert_eq!(lines(&written), lines(&open), "{} {}", open.customer_id, day(*number));
                let score = |facts| card.judge(facts).map(|of| of.score);
                *judged.borrow_mut() += i64::from(score(&open).is_some());
                prop_assert!(score(&written) <= score(&open));
            }
        }
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    assert!(*given_up.borrow() > 100 && *judged.borrow() > 100);
}

/// Of somebody who owes nothing else that is overdue: beside an older debt a younger one betters a mean, paid or not.
#[test]
fn agreeing_to_less_after_the_due_date_is_never_better_than_paying_in_full_on_that_day() {
    let db = NativeDb::open(Path::new(":memory:")).unwrap();
    let card = Card { model: "card@1".into(), document: shipped() };
    let judged = RefCell::new((0, 0));
    let agreed = "a.difference = 'full-settlement'";
    let due = "(SELECT due_on FROM invoice AS i WHERE i.key = a.invoice_key)";
    let outcome = runner(CASES).run(&some_book(), |mut book| {
        let _ = db.execute("ROLLBACK", &[]);
        db.execute("BEGIN", &[]).unwrap();
        // Nothing is contested, nor too little to ask for, and what was agreed was so with money of the day.
        for claim in &mut book.claims {
            (claim.minor, claim.dispute) = (claim.minor * 100_000, None);
        }
        record(&db, &book);
        for made_good in [
            format!("DELETE FROM allocation AS a WHERE {agreed} AND (amount_minor < 0 OR allocated_on <= {due})"),
            "UPDATE payment SET received_on = '9999-12-31'".into(),
            "UPDATE invoice SET open_minor = max(0, amount_minor - (SELECT coalesce(sum(a.amount_minor), 0) \
             FROM allocation AS a WHERE a.invoice_key = invoice.key)) WHERE kind <> 'credit-note'".into(),
        ] {
            db.execute(&made_good, &[]).unwrap();
        }
        let all = Range { after: 0, upto: i64::MAX };
        let of = |number: &i64| summed(&db, all, day(*number));
        let less: Vec<Vec<Facts>> = book.days.iter().map(of).collect();
        let paid = format!(
            "UPDATE allocation AS a SET payment_key = difference_key, difference_key = NULL, difference = NULL \
             WHERE {agreed}"
        );
        db.execute(&paid, &[]).unwrap();
        for (number, less) in book.days.iter().zip(less) {
            for (full, less) in of(number).into_iter().zip(less) {
                if full.get(FactName::OverdueShare).is_some_and(|of| of > Decimal::ZERO) {
                    continue;
                }
                let score = |facts| card.judge(facts).map(|of| of.score);
                if let (Some(full), Some(less)) = (score(&full), score(&less)) {
                    let mut judged = judged.borrow_mut();
                    (judged.0, judged.1) = (judged.0 + 1, judged.1 + i32::from(less < full));
                    prop_assert!(less <= full, "{less} and {full} on {}", day(*number));
                }
            }
        }
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    assert!(judged.borrow().1 > 30, "{judged:?}");
}
