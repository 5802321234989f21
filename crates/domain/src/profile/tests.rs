use super::*;
use crate::contract::ingest::RowError;
use proptest::prelude::*;
use serde_json::{Value, json};

const KINDS: [ImportKind; 3] = [ImportKind::Customers, ImportKind::Invoices, ImportKind::Payments];

fn zone(name: &str) -> bool {
    name == "Asia/Shanghai"
}

fn plan(
    profile: &Profile,
    kind: ImportKind,
    header: &str,
) -> Result<Plan, (Refusal, Option<String>)> {
    let header: Vec<&str> = header.split('|').collect();
    Plan::new(profile, kind, &header, None, zone).map_err(|refused| (refused.code, refused.field))
}

/// Reads rows whose fields are separated by `|`, the first line being the header.
fn read(profile: &Profile, kind: ImportKind, text: &str) -> Slice {
    let (header, rows) = text.split_once('\n').unwrap();
    let plan = plan(profile, kind, header).unwrap();
    let mut slice = Slice::default();
    for (row, line) in (2u64..).zip(rows.lines()) {
        let fields: Vec<&str> = line.split('|').collect();
        plan.row(row, fields.as_slice(), &mut slice);
    }
    slice
}

fn array(rows: &mut Rows) -> Value {
    serde_json::from_str(&rows.take()).unwrap()
}

/// The errors as `row field code`, one a line.
fn errors(slice: &Slice) -> String {
    let line = |e: &RowError| format!("{} {} {}", e.row, e.field.as_deref().unwrap_or("-"), e.code);
    slice.errors.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn profile(json: Value) -> Profile {
    serde_json::from_value(json).unwrap()
}

const CUSTOMERS: &str = "id|name|country|currency|language|time_zone|email|phone|credit_limit";
const CLASSED: &str =
    "id|name|country|currency|language|time_zone|email|phone|credit_limit|status|segment|industry";
const INVOICES: &str = "id|customer_id|kind|issued_on|due_on|amount|currency";
const TERMS: &str = "id|customer_id|issued_on|amount|currency|kind|relates_to|penalty|contract_id|instalments|due_on";
const PAYMENTS: &str = "id|customer_id|received_on|amount|currency|invoice_id";

#[test]
fn generic_is_a_sound_profile_with_the_columns_of_the_fields() {
    let generic = Profile::generic();
    assert_eq!(check(&generic), Ok(()));
    assert_eq!(generic.name.as_str().parse::<crate::Id>().unwrap(), generic.name);
    let customers =
        format!("{CLASSED}|parent_id|contact_name|contact_role|contact_channel|contact_address");
    let invoices = format!("{INVOICES}|relates_to|penalty|contract_id|instalments|reference");
    let payments = format!("{PAYMENTS}|same_as|another");
    for (kind, header) in KINDS.into_iter().zip([customers.as_str(), &invoices, &payments]) {
        assert_eq!(plan(&generic, kind, header).unwrap().columns().join("|"), header);
        assert_eq!(
            Plan::for_objects(&generic, kind, None, zone).unwrap().columns().join("|"),
            header
        );
    }
}

#[test]
fn good_rows_become_arrays_by_position() {
    let text = format!(
        "{CUSTOMERS}\nC1|Acme \"A\" \\ 上海|CN|CNY|zh-CN|Asia/Shanghai|a@b.cn|+86 (21) 1.2-3|1000.50\nC2| Bob\t|||||||\n\
         C3|Cy||JPY|en||||0"
    );
    let mut slice = read(&Profile::generic(), ImportKind::Customers, &text);
    assert_eq!(slice.customers.count, 3);
    let expected = json!([
        [
            2,
            "C1",
            "Acme \"A\" \\ 上海",
            "CN",
            "CNY",
            "zh-CN",
            "Asia/Shanghai",
            "a@b.cn",
            "+86 (21) 1.2-3",
            100050,
            "CNY"
        ],
        [3, "C2", "Bob", null, null, null, null, null, null, null, null],
        [4, "C3", "Cy", null, "JPY", "en", null, null, null, 0, "JPY"],
    ]);
    assert_eq!(array(&mut slice.customers), expected);

    // Only a file that has one of the columns gives the longer rows.
    let text = "id|name|industry|status\nC1|N|零售|on-hold\nC2|N||";
    let mut slice = read(&Profile::generic(), ImportKind::Customers, text);
    let none = [const { Value::Null }; 8];
    let expected: Vec<Value> = [
        (json!([2, "C1", "N"]), json!(["on-hold", null, "零售"])),
        (json!([3, "C2", "N"]), json!([null, null, null])),
    ]
    .into_iter()
    .map(|(first, last)| {
        let (first, last) = (first.as_array().unwrap(), last.as_array().unwrap());
        first.iter().chain(&none).chain(last).cloned().collect()
    })
    .collect();
    assert_eq!(array(&mut slice.customers), json!(expected));

    let text = format!(
        "{INVOICES}\nI/1|C1|credit-note|2024-02-29|2024-03-31|12.5|CNY\nI2|C1||2024-01-01||0|KWD\n发票|C1|fee|1900-01-01|2199-12-31|7|JPY"
    );
    let mut slice = read(&Profile::generic(), ImportKind::Invoices, &text);
    let expected = json!([
        [2, "I/1", "C1", "credit-note", "2024-02-29", "2024-03-31", 1250, "CNY", 0],
        [3, "I2", "C1", "invoice", "2024-01-01", "2024-01-01", 0, "KWD", 0],
        [4, "发票", "C1", "fee", "1900-01-01", "2199-12-31", 7, "JPY", 0],
    ]);
    assert_eq!(array(&mut slice.invoices), expected);

    // What is said beyond the amount stands behind it, in the rows that say it.
    let text = format!(
        "{TERMS}\nF1|C1|2024-01-01|40|EUR|fee|I1|yes|||\nI2|C1|2024-01-01|3|EUR||||K1|2024-01-31:1;2024-02-29:2.00|\n\
         I3|C1|2024-01-01|3|EUR|||||"
    );
    let mut slice = read(&Profile::generic(), ImportKind::Invoices, &text);
    let none = json!({"relates_to": null, "penalty": false, "contract_id": null, "is_due": false, "instalments": null});
    let said = |more: Value| {
        let mut terms = none.clone();
        terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        terms
    };
    let parts =
        json!([{"due_on": "2024-01-31", "minor": 100}, {"due_on": "2024-02-29", "minor": 200}]);
    let expected = json!([
        [
            2,
            "F1",
            "C1",
            "fee",
            "2024-01-01",
            "2024-01-01",
            4000,
            "EUR",
            0,
            said(json!({"relates_to": "I1", "penalty": true}))
        ],
        [
            3,
            "I2",
            "C1",
            "invoice",
            "2024-01-01",
            "2024-01-01",
            300,
            "EUR",
            0,
            said(json!({"contract_id": "K1", "instalments": parts}))
        ],
        [4, "I3", "C1", "invoice", "2024-01-01", "2024-01-01", 300, "EUR", 0],
    ]);
    assert_eq!(errors(&slice), "");
    assert_eq!(array(&mut slice.invoices), expected);

    let text = format!(
        "{PAYMENTS}\nP1|C1|2024-02-29|90000000000000.00|CNY|I1\nP2|C1|2024-02-29|0.01|EUR|"
    );
    let mut slice = read(&Profile::generic(), ImportKind::Payments, &text);
    let expected = json!([
        [2, "P1", "C1", "2024-02-29", 9_000_000_000_000_000i64, "CNY", "I1"],
        [3, "P2", "C1", "2024-02-29", 1, "EUR", null],
    ]);
    assert_eq!(array(&mut slice.payments), expected);
    assert_eq!((slice.received, slice.refused, slice.records()), (2, 0, 0));
}

#[test]
fn each_bad_field_is_named_with_its_column() {
    let long = "x".repeat(201);
    let digits = "1".repeat(41);
    let huge = "9".repeat(9_000);
    let mail = format!("{}@b.cn", "x".repeat(250));
    let customer = |row: &str| (ImportKind::Customers, CUSTOMERS, row.to_string());
    let classed = |row: &str| (ImportKind::Customers, CLASSED, format!("C1|N||||||||{row}"));
    let invoice = |row: &str| (ImportKind::Invoices, INVOICES, row.to_string());
    let payment = |row: &str| (ImportKind::Payments, PAYMENTS, row.to_string());
    for ((kind, header, row), expected) in [
        (customer("|N|||||||"), "2 id missing-field"),
        (customer("C1||||||||"), "2 name missing-field"),
        (customer("C 1|N|||||||"), "2 id malformed-id"),
        (customer("C\u{0}1|N|||||||"), "2 id malformed-text"),
        (customer("C\u{202E}1|N|||||||"), "2 id malformed-id"),
        (customer("C1|N\u{0}|||||||"), "2 name malformed-text"),
        (customer("C1|N\u{85}|||||||"), "2 name malformed-text"),
        (customer("C1|a\tb|||||||"), "2 name malformed-text"),
        (customer(&format!("C1|{long}|||||||")), "2 name text-too-long"),
        (customer("C1|N|cn||||||"), "2 country malformed-field"),
        (customer("C1|N|CHN||||||"), "2 country malformed-field"),
        (customer("C1|N||RMB|||||"), "2 currency unknown-currency"),
        (customer("C1|N|||fr||||"), "2 language malformed-field"),
        (customer("C1|N||||Mars/Base|||"), "2 time_zone unknown-time-zone"),
        (customer("C1|N|||||a.b.cn||"), "2 email malformed-field"),
        (customer("C1|N|||||a@b@c||"), "2 email malformed-field"),
        (customer("C1|N|||||a b@c||"), "2 email malformed-field"),
        (customer(&format!("C1|N|||||{mail}||")), "2 email text-too-long"),
        (customer("C1|N||||||call me|"), "2 phone malformed-field"),
        (customer("C1|N||||||+-|"), "2 phone malformed-field"),
        (customer(&format!("C1|N||||||{digits}|")), "2 phone text-too-long"),
        (classed("new||"), "2 status malformed-field"),
        (classed(&format!("|{long}|a\tb")), "2 segment text-too-long\n2 industry malformed-text"),
        (customer("C1|N|||||||5"), "2 credit_limit missing-field"),
        (customer("C1|N||CNY|||||-5"), "2 credit_limit amount-not-positive"),
        (
            customer("C1|N||XXX|||||1e9"),
            "2 currency unknown-currency\n2 credit_limit malformed-amount",
        ),
        (customer("C1|N||XXX|||||1.5"), "2 currency unknown-currency"),
        (
            invoice("I1||||||"),
            "2 customer_id missing-field\n2 issued_on missing-field\n2 currency missing-field\n2 amount missing-field",
        ),
        (invoice("I1|C1|bill|2024-01-01||1|CNY"), "2 kind malformed-field"),
        (invoice("I1|C1||2023-02-29||1|CNY"), "2 issued_on malformed-date"),
        (invoice("I1|C1||0001-01-01||1|CNY"), "2 issued_on date-out-of-range"),
        (invoice("I1|C1||2024-01-01|9999-12-31|1|CNY"), "2 due_on date-out-of-range"),
        (invoice("I1|C1||2024-01-02|2024-01-01|1|CNY"), "2 due_on due-before-issued"),
        (invoice("I1|C1||2024-01-01||1|XXX"), "2 currency unknown-currency"),
        (invoice("I1|C1||2024-01-01||-1|CNY"), "2 amount amount-not-positive"),
        (invoice("I1|C1||2024-01-01||1,234.56|CNY"), "2 amount malformed-amount"),
        (invoice("I1|C1||2024-01-01||1.234,56|CNY"), "2 amount malformed-amount"),
        (invoice("I1|C1||2024-01-01||１２３|CNY"), "2 amount malformed-amount"),
        (invoice("I1|C1||2024-01-01||NaN|CNY"), "2 amount malformed-amount"),
        (invoice("I1|C1||2024-01-01||1e9|CNY"), "2 amount malformed-amount"),
        (invoice("I1|C1||2024-01-01||1.001|CNY"), "2 amount too-many-decimals"),
        (invoice("I1|C1||2024-01-01||90000000000000.01|CNY"), "2 amount amount-too-large"),
        (invoice(&format!("I1|C1||2024-01-01||{huge}|CNY")), "2 amount text-too-long"),
        (invoice("I1|C1||2024-01-01||1\u{0}|CNY"), "2 amount malformed-text"),
        (
            invoice("I1|C1||2024-01-01||x|XXX"),
            "2 currency unknown-currency\n2 amount malformed-amount",
        ),
        (payment("P1|C1|2024-01-01|0|CNY|"), "2 amount amount-not-positive"),
        (payment("P1|C1|2024-01-01|-5|CNY|"), "2 amount amount-not-positive"),
        (payment("P1|C1|2024-01-01|5|CNY|I 1"), "2 invoice_id malformed-id"),
        (payment("P1|C1|01/02/2024|5|CNY|"), "2 received_on malformed-date"),
    ] {
        let mut slice = read(&Profile::generic(), kind, &format!("{header}\n{row}"));
        assert_eq!(errors(&slice), expected, "{}", &row[..row.len().min(80)]);
        assert_eq!((slice.received, slice.refused, slice.records()), (1, 1, 0), "{row}");
        assert!(slice.errors.iter().all(|error| error.detail.len() < 400), "{expected}");
        assert_eq!(array(&mut slice.customers), json!([]));
    }
}

#[test]
fn optional_columns_may_be_absent_and_required_ones_not() {
    let generic = Profile::generic();
    let mut slice = read(&generic, ImportKind::Customers, " name |id\nN|C1");
    assert_eq!(
        array(&mut slice.customers),
        json!([[2, "C1", "N", null, null, null, null, null, null, null, null]])
    );
    let refused = |kind, header| plan(&generic, kind, header).unwrap_err();
    let field = |name: &str| Some(name.to_string());
    let wide = vec!["id"; 257].join("|");
    for (header, code, at) in [
        ("id|name|nmae", Refusal::UnknownColumn, field("nmae")),
        ("id|name|", Refusal::UnknownColumn, field("column 3")),
        ("id|name|id", Refusal::DuplicateColumn, field("id")),
        ("id|name| id", Refusal::DuplicateColumn, field("id")),
        ("id|Name", Refusal::UnknownColumn, field("Name")),
        ("id|country", Refusal::MissingColumn, field("name")),
        ("id|na\u{0}me", Refusal::MalformedText, field("na\u{0}me")),
        (wide.as_str(), Refusal::TooManyColumns, None),
    ] {
        assert_eq!(refused(ImportKind::Customers, header), (code, at), "{header}");
    }
}

/// One row of a sales ledger gives the invoice, its dispute flag and its payment.
fn ledger() -> Value {
    json!({"name": "ledger", "decimal_mark": ",", "thousands_mark": ".", "date": "DMY", "ignore_unknown": true, "records": [
        {"kind": "invoices", "fields": [
            {"field": "id", "column": "No"}, {"field": "customer_id", "column": "Cust", "prefix": "C-"},
            {"field": "issued_on", "column": "Date"}, {"field": "due_on", "column": "Due", "date": "compact"},
            {"field": "amount", "column": "Sum"}, {"field": "currency", "constant": "EUR"},
            {"field": "disputed", "column": "Claim", "lookup": [{"from": "Yes", "to": "yes"}, {"from": "No", "to": "no"}, {"from": "", "to": "no"}]},
        ]},
        {"kind": "payments", "when_present": "Paid", "fields": [
            {"field": "id", "column": "No", "prefix": "P-"}, {"field": "customer_id", "column": "Cust", "prefix": "C-"},
            {"field": "received_on", "column": "Paid", "date": "MDY"}, {"field": "amount", "column": "Sum"},
            {"field": "currency", "constant": "EUR"}, {"field": "invoice_id", "column": "No"},
        ]},
    ]})
}

#[test]
fn one_row_gives_several_records_all_or_none() {
    let header = "No|Cust|Date|Due|Sum|Claim|Paid|Colour";
    let rows = "1|7|31/01/2024|20240229|1.234,56|Yes| 3/1/2024 |red\n2|7|1.2.2024|20240301|5||\t|blue\n3|7|1-2-2024|20240301|0|No|3/1/2024|\n\
                4|7|1-2/2024|20240301|1|Maybe|2024-03-01|";
    let mut slice = read(&profile(ledger()), ImportKind::Invoices, &format!("{header}\n{rows}"));
    let invoices = json!([
        [2, "1", "C-7", "invoice", "2024-01-31", "2024-02-29", 123456, "EUR", 1],
        [3, "2", "C-7", "invoice", "2024-02-01", "2024-03-01", 500, "EUR", 0],
    ]);
    assert_eq!(array(&mut slice.invoices), invoices);
    assert_eq!(
        array(&mut slice.payments),
        json!([[2, "P-1", "C-7", "2024-03-01", 123456, "EUR", "1"]])
    );
    // The invoice of row 4 (number 3) is sound; it goes with the payment of nothing.
    let expected = "4 Sum amount-not-positive\n5 Date malformed-date\n5 Claim malformed-field\n5 Paid malformed-date";
    assert_eq!(errors(&slice), expected);
    assert_eq!((slice.received, slice.refused), (7, 4));
    let refused = plan(&profile(ledger()), ImportKind::Customers, header).unwrap_err();
    assert_eq!(refused, (Refusal::MalformedParameter, Some("kind".into())));
    let refused = plan(&profile(ledger()), ImportKind::Invoices, "No|Cust|Date|Sum").unwrap_err();
    assert_eq!(refused, (Refusal::MissingColumn, Some("Paid".into())));
}

#[test]
fn a_record_is_not_made_where_a_column_says_that_it_came_from_here() {
    let mut of = ledger();
    of["records"][1]["unless_present"] = json!("Ours");
    let made = |header: &str, rows: &str| {
        let mut slice =
            read(&profile(of.clone()), ImportKind::Payments, &format!("{header}\n{rows}"));
        assert_eq!(errors(&slice), "");
        array(&mut slice.payments).as_array().unwrap().len()
    };
    let header = "No|Cust|Date|Due|Sum|Claim|Paid";
    let row = "1|7|31/01/2024|20240229|1,00|Yes|3/1/2024";
    for (ours, count) in [("", 1), (" ", 1), ("BANK-1", 0)] {
        assert_eq!(made(&format!("{header}|Ours"), &format!("{row}|{ours}")), count, "{ours:?}");
    }
    assert_eq!(made(header, row), 1, "a file may lack the column");
}

#[test]
fn an_unusable_profile_is_refused_at_its_place() {
    let long = "x".repeat(201);
    let many: Vec<Value> = (0..1001).map(|n| json!({"from": n.to_string(), "to": "yes"})).collect();
    for (pointer, value, path) in [
        ("/name", json!("generic"), "name"),
        ("/description", json!("x".repeat(1001)), "description"),
        ("/decimal_mark", json!(""), "decimal_mark"),
        ("/decimal_mark", json!(",,"), "decimal_mark"),
        ("/decimal_mark", json!("5"), "decimal_mark"),
        ("/thousands_mark", json!("-"), "thousands_mark"),
        ("/thousands_mark", json!(","), "thousands_mark"),
        ("/records", json!([]), "records"),
        ("/records", json!(vec![ledger()["records"][0].clone(); 5]), "records"),
        ("/records/1/when_present", json!(" Paid"), "records[1].when_present"),
        ("/records/1/unless_present", json!(" Ours"), "records[1].unless_present"),
        ("/records/1/fields", json!([]), "records[1].fields"),
        ("/records/1/fields", json!([{"field": "id", "column": "No"}]), "records[1].fields"),
        ("/records/0/fields/0/field", json!("number"), "records[0].fields[0].field"),
        ("/records/0/fields/0/field", json!("customer_id"), "records[0].fields[1].field"),
        ("/records/0/fields/2/column", json!(""), "records[0].fields[2].column"),
        ("/records/0/fields/2/column", json!(long), "records[0].fields[2].column"),
        ("/records/0/fields/2/column", json!(null), "records[0].fields[2].column"),
        ("/records/0/fields/2/constant", json!("31/01/2024"), "records[0].fields[2].constant"),
        ("/records/0/fields/5/constant", json!("XXX"), "records[0].fields[5].constant"),
        ("/records/0/fields/1/prefix", json!(""), "records[0].fields[1].prefix"),
        ("/records/0/fields/4/prefix", json!("-"), "records[0].fields[4].prefix"),
        ("/records/0/fields/4/date", json!("YMD"), "records[0].fields[4].date"),
        (
            "/records/0/fields/5/lookup",
            json!([{"from": "a", "to": "EUR"}]),
            "records[0].fields[5].lookup",
        ),
        ("/records/0/fields/6/lookup", json!([]), "records[0].fields[6].lookup"),
        ("/records/0/fields/6/lookup", json!(many), "records[0].fields[6].lookup"),
        ("/records/0/fields/6/lookup/1/from", json!("Yes"), "records[0].fields[6].lookup[1].from"),
        ("/records/0/fields/6/lookup/1/from", json!("No "), "records[0].fields[6].lookup[1].from"),
        ("/records/0/fields/6/lookup/1/to", json!("perhaps"), "records[0].fields[6].lookup[1].to"),
    ] {
        let mut document = ledger();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let place = document.pointer_mut(parent).unwrap();
        if let Ok(index) = last.parse::<usize>() {
            place[index] = value
        } else {
            place[last] = value
        }
        let refused = check(&profile(document)).unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (Refusal::InvalidProfile, Some(path)),
            "{pointer}"
        );
    }
    assert_eq!(check(&profile(ledger())), Ok(()));
    let limit = json!({"name": "x", "records": [{"kind": "customers", "fields": [{"field": "id", "column": "a"},
        {"field": "name", "column": "b"}, {"field": "credit_limit", "column": "c"}]}]});
    assert_eq!(check(&profile(limit)).unwrap_err().field.as_deref(), Some("records[0].fields"));
}

#[test]
fn dates_follow_the_form_of_the_profile() {
    use DateForm::{Compact, Dmy, Mdy, Ymd};
    let read = |text, form| {
        value::date(text, form).map(|day| day.to_string()).map_err(|refused| refused.code)
    };
    for (text, form, day) in [
        ("2024-03-31", Ymd, "2024-03-31"),
        ("31/03/2024", Dmy, "2024-03-31"),
        ("31.3.2024", Dmy, "2024-03-31"),
        ("1-3-2024", Dmy, "2024-03-01"),
        ("3/31/2024", Mdy, "2024-03-31"),
        ("03/01/2024", Mdy, "2024-03-01"),
        ("20240229", Compact, "2024-02-29"),
    ] {
        assert_eq!(read(text, form), Ok(day.to_string()), "{text}");
    }
    for (text, form) in [
        ("31/03/2024", Ymd),
        ("31/03/24", Dmy),
        ("31/03-2024", Dmy),
        ("31/03/2024/1", Dmy),
        ("//2024", Dmy),
        ("29.2.2023", Dmy),
        ("3-31-2024", Mdy),
        ("31/03/2024", Mdy),
        ("+3/1/2024", Mdy),
        ("2024031", Compact),
        ("２024-3", Compact),
        ("2024-3-1", Compact),
        ("003/1/2024", Mdy),
    ] {
        assert_eq!(read(text, form), Err(Refusal::MalformedDate), "{text}");
    }
    assert_eq!(read("1.1.0001", Dmy), Err(Refusal::DateOutOfRange));
}

#[test]
fn errors_beyond_the_limit_are_counted() {
    let rows = "||||||\n".repeat(20_100);
    let slice = read(&Profile::generic(), ImportKind::Invoices, &format!("{INVOICES}\n{rows}"));
    assert_eq!((slice.errors.len(), slice.more_errors, slice.refused), (MAX_ERRORS, 500, 20_100));
    assert!(slice.has_errors());
}

#[test]
fn a_taken_buffer_is_used_again() {
    let mut slice = read(
        &Profile::generic(),
        ImportKind::Invoices,
        &format!("{INVOICES}\nI1|C1||2024-01-01||1|CNY"),
    );
    let taken = slice.invoices.take();
    slice.invoices.reuse(taken);
    assert_eq!((slice.records(), slice.bytes(), slice.invoices.take()), (0, 0, "[]".to_string()));
}

#[test]
fn every_shipped_profile_is_sound_and_says_where_its_columns_are_from() {
    let all: Vec<Profile> = serde_json::from_str(include_str!("shipped.json")).unwrap();
    let names: Vec<&str> = all.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, SHIPPED);
    assert!(names.is_sorted());
    for profile in &all {
        assert_eq!(check(profile), Ok(()), "{}", profile.name);
        assert_eq!(shipped(profile.name.as_str()).as_ref(), Some(profile));
        let described = profile.description.as_deref().unwrap();
        assert!(["Columns", "列名"].iter().any(|word| described.contains(word)), "{described}");
        let mut changed = profile.clone();
        changed.date = None;
        changed.thousands_mark = Some("'".into());
        assert_eq!(check(&changed).map_err(|refused| refused.field), Err(Some("name".into())));
    }
}

#[test]
fn ids_are_made_of_names() {
    let long = "Aktiengesellschaft für die Verwaltung von Grundstücken und Gebäuden";
    for (name, id) in [
        ("Palmer Productions Ltd.", "Palmer-Productions-Ltd."),
        ("上海 星辰　贸易有限公司", "上海-星辰-贸易有限公司"),
        ("a \t b", "a-b"),
        ("A & B", "A-&-B"),
    ] {
        assert_eq!(value::id_of(name), id);
    }
    let made = value::id_of(long);
    assert!(
        made.starts_with("Aktiengesellschaft-für-die-Verwaltung-von-Grund")
            && made.chars().count() == 64
    );
    assert_ne!(made, value::id_of(&format!("{long}.")));
}

#[test]
fn days_are_read_however_they_are_written_with_the_year_first() {
    for text in [
        "2024-03-31",
        "2024/3/31",
        "2024.03.31",
        "2024年3月31日",
        "2024-03-31 23:59:59",
        "2024-03-31T08:00:00Z",
    ] {
        assert_eq!(value::date(text, DateForm::Loose).unwrap().to_string(), "2024-03-31", "{text}");
    }
    for text in
        ["", "2024", "31/03/2024", "2024-03", "2024-3-31-1", "20240331", "2024-13-01", "2024--1-1"]
    {
        assert!(value::date(text, DateForm::Loose).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_a_row_of_a_shipped_profile(
        which in 0usize..SHIPPED.len(),
        fields in proptest::collection::vec("(\\PC{0,12}|[0-9,.]{1,9}|2024-[01][0-9]-[0-3][0-9]|Receive|Posted|Invoice|USD|人民币)", 0..14),
    ) {
        let profile = shipped(SHIPPED[which]).unwrap();
        let kind = profile.records.last().unwrap().kind;
        let plan = Plan::for_objects(&profile, kind, Some("EUR".parse().unwrap()), zone).unwrap();
        let mut slice = Slice::default();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        plan.row(2, fields.as_slice(), &mut slice);
        prop_assert_eq!(slice.refused > 0, slice.has_errors());
        prop_assert_eq!(slice.received - slice.refused, slice.records());
        for rows in [&mut slice.customers, &mut slice.invoices, &mut slice.payments] {
            let count = rows.count;
            prop_assert_eq!(array(rows).as_array().unwrap().len(), usize::try_from(count).unwrap());
        }
    }

    #[test]
    fn a_name_makes_an_id(name in "\\PC{1,90}") {
        let made = value::id_of(&name);
        prop_assert!(crate::id::check(&made).is_ok(), "{made}");
    }

    #[test]
    fn no_text_breaks_a_row(fields in proptest::collection::vec(any::<String>(), 0..9), kind in 0usize..3) {
        let generic = Profile::generic();
        let plan = Plan::for_objects(&generic, KINDS[kind], None, zone).unwrap();
        let mut slice = Slice::default();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        plan.row(2, fields.as_slice(), &mut slice);
        prop_assert_eq!(slice.received, 1);
        prop_assert_eq!(slice.refused == 1, slice.has_errors());
        for rows in [&mut slice.customers, &mut slice.invoices, &mut slice.payments] {
            let count = rows.count;
            prop_assert_eq!(array(rows).as_array().unwrap().len(), usize::try_from(count).unwrap());
        }
    }

    #[test]
    fn a_written_number_or_date_is_what_it_was(number: i64, days in 0i64..109_000) {
        let mut rows = Rows::default();
        let date = "1900-01-01".parse::<crate::Date>().unwrap().plus_days(days).unwrap();
        rows.open(u64::MAX);
        rows.number(number);
        rows.date(date);
        rows.close();
        prop_assert_eq!(array(&mut rows), json!([[u64::MAX, number, date.to_string()]]));
    }

    #[test]
    fn a_written_text_is_what_it_was(text: String) {
        let mut rows = Rows::default();
        rows.open(1);
        rows.text(&text);
        rows.close();
        prop_assert_eq!(array(&mut rows), json!([[1, text]]));
    }
}

#[test]
fn what_is_void_at_its_source_says_so_and_nothing_else() {
    let of = profile(json!({"name": "erp", "ignore_unknown": true, "records": [
        {"kind": "customers", "partial": true, "fields": [
            {"field": "id", "column": "Who"}, {"field": "name", "column": "Who"}]},
        {"kind": "invoices", "when_present": "State", "unless_values": ["Draft", "Cancelled"],
         "void_where": ["State=Cancelled"], "fields": [
            {"field": "id", "column": "No", "prefix": "I-"}, {"field": "customer_id", "column": "Who"},
            {"field": "issued_on", "column": "Day"}, {"field": "amount", "column": "Sum"},
            {"field": "currency", "constant": "EUR"}]}]}));
    assert_eq!(check(&of), Ok(()));
    let text = "No|Who|Day|Sum|State\n1|C1|2026-01-02|5|Open\n2|C1|||Cancelled\n|C1|||Cancelled\n4|C1|||Draft\na b|C1|||Cancelled";
    let mut slice = read(&of, ImportKind::Invoices, text);
    let terms = json!({"relates_to": null, "penalty": false, "contract_id": null, "is_due": false,
        "instalments": null, "void": true});
    let expected = json!([
        [2, "I-1", "C1", "invoice", "2026-01-02", "2026-01-02", 500, "EUR", 0],
        [3, "I-2", "I-2", "invoice", "2000-01-01", "2000-01-01", 0, "EUR", 0, terms],
    ]);
    assert_eq!(array(&mut slice.invoices), expected);
    assert_eq!(errors(&slice), "6 No malformed-id");
    assert_eq!((slice.received, slice.refused), (8, 2));
    let customers = array(&mut slice.customers);
    assert!(customers.as_array().unwrap().iter().all(|row| row[16] == 2), "{customers}");
}

#[test]
fn a_record_is_made_where_columns_say_so() {
    let of = |conditions: Value| {
        let mut record = json!({"kind": "payments", "fields": [
            {"field": "id", "column": "No"}, {"field": "customer_id", "column": "Who"},
            {"field": "received_on", "column": "Day"}, {"field": "amount", "column": "Sum"},
            {"field": "currency", "constant": "EUR"}]});
        record.as_object_mut().unwrap().extend(conditions.as_object().unwrap().clone());
        profile(json!({"name": "erp", "ignore_unknown": true, "records": [record]}))
    };
    let text = "No|Who|Day|Sum|State|Kind\n1|C1|2026-01-02|5|Done|A\n2|C1|2026-01-02|5|Draft|A\n3|C1|2026-01-02|5||B";
    for (conditions, rows) in [
        (json!({"unless_where": ["State=Draft"]}), vec![2, 4]),
        (json!({"only_where": ["State=Done"]}), vec![2]),
        (json!({"only_where": ["State=", "State=Draft"]}), vec![3, 4]),
        (json!({"unless_where": ["State=Draft"], "only_where": ["Kind=B"]}), vec![4]),
        (json!({"unless_where": ["State=Draft", "Kind=B"]}), vec![2]),
        // A column that the file lacks has no value.
        (json!({"unless_where": ["Else=x"]}), vec![2, 3, 4]),
        (json!({"only_where": ["Else=x"]}), vec![]),
    ] {
        let of = of(conditions.clone());
        assert_eq!(check(&of), Ok(()), "{conditions}");
        let mut slice = read(&of, ImportKind::Payments, text);
        let found = array(&mut slice.payments);
        let found: Vec<u64> =
            found.as_array().unwrap().iter().map(|row| row[0].as_u64().unwrap()).collect();
        assert_eq!(found, rows, "{conditions}");
    }
    for (conditions, field) in [
        (json!({"unless_where": ["State"]}), "records[0].unless_where"),
        (json!({"only_where": ["=x"]}), "records[0].only_where"),
        (json!({"only_where": []}), "records[0].only_where"),
        (json!({"void_where": ["State=x"]}), "records[0].void_where"),
        (json!({"partial": true}), "records[0].partial"),
        (json!({"kind": "customers", "updates": true, "partial": true}), "records[0].updates"),
        (json!({"kind": "customers", "updates": true, "only_new": true}), "records[0].updates"),
    ] {
        let refused = check(&of(conditions)).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(field));
    }
}
