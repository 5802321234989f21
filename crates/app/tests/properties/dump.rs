//! A whole database as text, to compare two of them.

use dunlin_store::{Db, Value, native::NativeDb};
use std::collections::HashSet;

/// What stands in each table, by ids in place of keys, without moments and leases: what must not depend on the order
/// of arrival, on cuts, or on the hour.
const BY_IDS: &[(&str, &str)] = &[
    ("api_key", "SELECT id, name, scopes FROM api_key"),
    ("idempotency", "SELECT caller, token, status, body FROM idempotency"),
    ("organisation", "SELECT * FROM organisation"),
    (
        "customer",
        "SELECT c.id, c.name, c.country, c.currency, c.language, c.time_zone, c.email, c.phone, c.limit_minor,
             c.limit_currency, c.status, c.segment, c.industry, c.tags, c.contacts, c.representatives,
             c.bank_accounts, p.id, m.id
         FROM customer AS c LEFT JOIN customer AS p ON p.key = c.parent_key
         LEFT JOIN customer AS m ON m.key = c.merged_key",
    ),
    (
        "invoice",
        "SELECT i.id, c.id, kind, issued_on, due_on, amount_minor, i.currency, disputed, disputed_minor,
             open_minor, (SELECT r.id FROM invoice AS r WHERE r.key = i.relates_key),
             (SELECT r.id FROM invoice AS r WHERE r.key = i.parent_key)
         FROM invoice AS i JOIN customer AS c ON c.key = i.customer_key",
    ),
    (
        "payment",
        "SELECT p.id, c.id, received_on, p.amount_minor, p.currency, i.id, unallocated_minor,
             p.converted_minor, (SELECT group_concat(n.id || d.value, ',') FROM json_each(p.designation) AS d
             JOIN invoice AS n ON n.key = d.value ->> 0)
         FROM payment AS p JOIN customer AS c ON c.key = p.customer_key LEFT JOIN invoice AS i ON i.key = p.invoice_key",
    ),
    // Net: what was taken back depends on what came first.
    (
        "allocation",
        "SELECT i.id, p.id, n.id, x.id, a.difference, allocated_on, sum(a.amount_minor) AS minor
         FROM allocation AS a LEFT JOIN invoice AS i ON i.key = a.invoice_key
         LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
         LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
         LEFT JOIN invoice AS n ON n.key = a.credit_key GROUP BY 1, 2, 3, 4, 5, 6 HAVING minor <> 0",
    ),
    ("reversal", "SELECT r.id, p.id, reversed_on, kind, minor, reason, undone_reason, payment_name FROM reversal AS r JOIN payment AS p ON p.key = r.payment_key"),
    ("credit_refund", "SELECT r.id, i.id, refunded_on, minor, reason, reversed_on FROM credit_refund AS r JOIN invoice AS i ON i.key = r.credit_key"),
    ("adjustment", "SELECT a.id, i.id, booked_on, until_on, minor, difference FROM adjustment AS a JOIN invoice AS i ON i.key = a.invoice_key"),
    ("write_off", "SELECT w.id, i.id, booked_on, minor, reason, state, reversed_on FROM write_off AS w JOIN invoice AS i ON i.key = w.invoice_key"),
    ("dispute", "SELECT d.id, i.id, opened_on, minor, reason, outcome, resolved_on, upheld_minor, (SELECT w.id FROM dispute AS w WHERE w.key = d.whole_key) FROM dispute AS d JOIN invoice AS i ON i.key = d.invoice_key"),
    ("dispute_former", "SELECT d.id, f.outcome, f.resolved_on FROM dispute_former AS f JOIN dispute AS d ON d.key = f.dispute_key"),
    ("default_former", "SELECT d.id, f.state, f.closed_on FROM default_former AS f JOIN default_record AS d ON d.key = f.default_key"),
    ("pause_former", "SELECT p.id, f.resumed_on FROM pause_former AS f JOIN pause AS p ON p.key = f.pause_key"),
    ("pause", "SELECT p.id, c.id, from_on, to_on, resumed_on FROM pause AS p JOIN customer AS c ON c.key = p.customer_key"),
    ("contract", "SELECT k.id, c.id FROM contract AS k JOIN customer AS c ON c.key = k.customer_key"),
    ("guarantee", "SELECT id, kind, party, amount_minor, currency, share, valid_from, valid_to FROM guarantee"),
    ("policy", "SELECT document FROM policy"),
    ("rate", "SELECT name, valid_from, rate FROM rate"),
    (
        "accrual",
        "SELECT i.id, accrued_minor, accrued_through FROM accrual AS a JOIN invoice AS i ON i.key = a.invoice_key",
    ),
    (
        "default_taken_back",
        "SELECT d.id, i.id, o.id FROM default_taken_back AS t JOIN default_record AS d ON d.key = t.default_key
         LEFT JOIN invoice AS i ON i.key = t.invoice_key LEFT JOIN default_record AS o ON o.key = t.other_key",
    ),
    (
        "default_record",
        "SELECT c.id, kind, amount_minor, d.currency, found_on, state, closed_on FROM default_record AS d
         JOIN customer AS c ON c.key = d.customer_key",
    ),
    ("profile", "SELECT * FROM profile"),
    (
        "import_error",
        "SELECT i.id, e.part, e.errors FROM import_error AS e JOIN import AS i ON i.key = e.import_key",
    ),
    ("import", "SELECT id, kind, profile, state, result FROM import"),
    ("import_slice", "SELECT * FROM import_slice"),
    ("sweep", "SELECT business_date, stage, cursor, done, counts FROM sweep"),
    ("arrears", ARREARS),
    (
        "score",
        "SELECT c.id, as_of, score, score_order, grade, grade_before, notch, notch_before, notches, tier, model, facts
         FROM score AS s JOIN customer AS c ON c.key = s.customer_key",
    ),
    (
        "score_change",
        "SELECT c.id, as_of, score, grade, notch, tier, model, facts, points
         FROM score_change AS s JOIN customer AS c ON c.key = s.customer_key",
    ),
    (
        "review",
        "SELECT c.id, since_on, reviewed_on, due_on FROM review AS r JOIN customer AS c ON c.key = r.customer_key",
    ),
    ("card", "SELECT name, version, valid_from, document FROM card"),
    ("tiers", "SELECT document FROM tiers"),
    ("retention", "SELECT document FROM retention"),
    (
        "alert",
        "SELECT a.id, c.id, rule, version, kind, a.currency, severity, owner, assigned, escalated, snoozed_until,
             opened_on, closed_on, closed_by, ended_on, evidence, basis, ending, behind_rule, behind_currency
         FROM alert AS a JOIN customer AS c ON c.key = a.customer_key",
    ),
    (
        "alert_action",
        "SELECT a.id, x.day, x.who, x.action, x.reason, x.until_on, x.owner, x.severity
         FROM alert_action AS x JOIN alert AS a ON a.key = x.alert_key",
    ),
    (
        "alert_waiting",
        "SELECT c.id, w.rule, w.currency, w.since_on
         FROM alert_waiting AS w JOIN customer AS c ON c.key = w.customer_key",
    ),
    (
        "fact_sample",
        "SELECT c.id, s.samples FROM fact_sample AS s JOIN customer AS c ON c.key = s.customer_key",
    ),
    ("alert_rule", "SELECT name, version, document FROM alert_rule"),
    (
        "watch",
        "SELECT c.id, w.reason, w.from_on, w.until_on, w.ended_on
         FROM watch AS w JOIN customer AS c ON c.key = w.customer_key",
    ),
    ("reminded", "SELECT i.id, level, day FROM reminded AS r JOIN invoice AS i ON i.key = r.invoice_key"),
    ("notice", NOTICE),
    ("snapshot", "SELECT * FROM snapshot"),
    // What the sweep found. Of changes the order tells how a state came about.
    (
        "event",
        "SELECT e.kind, c.id, e.subject, e.data FROM event AS e JOIN customer AS c ON c.key = e.customer_key
         WHERE e.entry_key IS NULL",
    ),
    (
        "inbound_event",
        "SELECT s.name, e.id, e.kind, e.state, e.makes, e.made, e.code
         FROM inbound_event AS e JOIN event_source AS s ON s.key = e.source_key",
    ),
    (
        "external_fact",
        "SELECT c.id, kind, f.name, happened_on, known_on, document FROM external_fact AS f
         JOIN customer AS c ON c.key = f.customer_key",
    ),
    (
        "customer_event",
        "SELECT c.id, e.happened_on, e.kind, e.subject, e.minor, e.currency
         FROM customer_event AS e JOIN customer AS c ON c.key = e.customer_key",
    ),
    (
        "bank_statement",
        "SELECT id, account, statement_id, to_on, currency, opening_minor, closing_minor, entries, digest
         FROM bank_statement",
    ),
    (
        "bank_entry",
        "SELECT e.id, e.number, e.booked_on, e.minor, e.state, e.rule, e.candidates, c.id, p.id FROM bank_entry AS e
         LEFT JOIN customer AS c ON c.key = e.customer_key LEFT JOIN payment AS p ON p.key = e.payment_key",
    ),
    (
        "payment_name",
        "SELECT n.id, p.id, n.received_on, n.amount_minor FROM payment_name AS n
         JOIN payment AS p ON p.key = n.payment_key",
    ),
    (
        "payment_name_former",
        "SELECT n.id, p.id FROM payment_name_former AS n JOIN payment AS p ON p.key = n.payment_key",
    ),
    (
        "credit_limit",
        "SELECT c.id, kind, minor, l.currency, from_on, to_on, unlimited, mandatory, reason, state, source
         FROM credit_limit AS l JOIN customer AS c ON c.key = l.customer_key",
    ),
    (
        "credit_order",
        "SELECT o.id, c.id, amount_minor, o.currency, delivered_minor, invoiced_minor, cancelled_minor, from_on, until_on
         FROM credit_order AS o JOIN customer AS c ON c.key = o.customer_key",
    ),
    (
        "credit_reservation",
        "SELECT r.id, c.id, minor, r.currency, order_id, state
         FROM credit_reservation AS r JOIN customer AS c ON c.key = r.customer_key",
    ),
    ("credit_rule", "SELECT name, version, document, replaced FROM credit_rule"),
    (
        "application",
        "SELECT a.id, c.id, rule, verdict, question FROM application AS a JOIN customer AS c ON c.key = a.customer_key",
    ),
    (
        "credit_check",
        "SELECT k.id, c.id, verdict, hold_id FROM credit_check AS k JOIN customer AS c ON c.key = k.customer_key",
    ),
    (
        "credit_hold",
        "SELECT h.id, c.id, order_id, minor, h.currency, purpose, terms_days, verdict, rules, reason, state, released_by
         FROM credit_hold AS h JOIN customer AS c ON c.key = h.customer_key",
    ),
    (
        "credit_hold_former",
        "SELECT h.id, f.minor, f.currency, f.purpose, f.terms_days, f.verdict, f.rules FROM credit_hold_former AS f
         JOIN credit_hold AS h ON h.key = f.hold_key",
    ),
    ("limit_policy", "SELECT document FROM limit_policy"),
    ("webhook", "SELECT name, url, kinds, paused FROM webhook"),
    (
        "webhook_event",
        "SELECT w.name, e.event_id, e.dead FROM webhook_event AS e JOIN webhook AS w ON w.key = e.webhook_key",
    ),
];

const ARREARS: &str = "SELECT c.id, a.currency, as_of, outstanding_minor, overdue_minor, unapplied_minor, \
    oldest_due_on, overdue_since, last_notice_on, next_action_on \
    FROM arrears AS a JOIN customer AS c ON c.key = a.customer_key";

const NOTICE: &str = "SELECT n.id, c.id, n.currency, level, day, n.language, subject, body, total_minor, because, state, attempts, \
    (SELECT group_concat(i.id || ' ' || x.due_on || ' ' || x.open_minor, ', ' ORDER BY i.id) FROM notice_item AS x \
    JOIN invoice AS i ON i.key = x.invoice_key WHERE x.notice_key = n.key) \
    FROM notice AS n JOIN customer AS c ON c.key = n.customer_key";

/// Tables that the statements above do not begin with: joined into others, or without a place in a comparison because
/// they tell how a state came about.
const ELSEWHERE: &[&str] = &[
    // Worked out from the rest.
    "credit_ready",
    "credit_told",
    "credit_generation",
    "credit_check_filed",
    "credit_filing",
    "notice_item",
    "sweep_lease",
    "delivery",
    "audit",
    "correction",
    "customer_change",
    "customer_former",
    "guarantee_former",
    "contract_version",
    "interest_entry",
    "accrual_look",
    "event_source",
    "bank_import",
    "bank_slice",
    "match_again",
    "match_key",
    "match_progress",
    "payer_account",
    "score_outdated",
    "match_mask",
    "alert_progress",
];

fn tables(db: &NativeDb) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    db.execute(sql, &[]).unwrap().iter().map(|row| row.text(0).unwrap().to_string()).collect()
}

fn lines(db: &NativeDb, name: &str, sql: &str) -> Vec<String> {
    let value = |value: &Value| match value {
        Value::Null => "-".to_string(),
        Value::Int(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(value) => format!("{value:?}"),
        Value::Blob(value) => format!("{value:?}"),
    };
    let line = |values: &[Value]| {
        format!("{name}: {}", values.iter().map(value).collect::<Vec<_>>().join(" "))
    };
    let mut lines: Vec<String> =
        db.execute(sql, &[]).unwrap().iter().map(|row| line(&row.0)).collect();
    lines.sort();
    lines
}

/// Every row of every table with all its columns but those of the tables left out.
pub fn raw(db: &NativeDb, but: &[&str]) -> Vec<String> {
    let tables = tables(db).into_iter().filter(|name| !but.contains(&name.as_str()));
    tables.flat_map(|name| lines(db, &name, &format!("SELECT * FROM \"{name}\""))).collect()
}

/// What every table says, by ids, but those left out.
pub fn by_ids(db: &NativeDb, but: &[&str]) -> Vec<String> {
    for name in tables(db) {
        let known =
            BY_IDS.iter().any(|(known, _)| *known == name) || ELSEWHERE.contains(&name.as_str());
        assert!(known, "table {name} has no place in the comparison");
    }
    let wanted = BY_IDS.iter().filter(|(name, _)| !but.contains(name));
    wanted.flat_map(|(name, sql)| lines(db, name, sql)).collect()
}

/// Compares two dumps and shows the lines that one has and the other has not.
#[track_caller]
pub fn assert_same(one: &[String], other: &[String], why: &str) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let those: HashSet<&String> = those.iter().collect();
        these.iter().filter(|line| !those.contains(line)).take(10).cloned().collect()
    };
    let (left, right) = (only(one, other), only(other, one));
    assert!(
        left.is_empty() && right.is_empty() && one.len() == other.len(),
        "{why}\nonly left: {left:#?}\nonly right: {right:#?}"
    );
}

/// Invariant 6 for every document of the database, by one statement that gives what is wrong.
#[track_caller]
pub fn assert_sound(db: &NativeDb) {
    let wrong = lines(db, "ledger", include_str!("invariants.sql"));
    assert_eq!(wrong, Vec::<String>::new());
    let foreign = lines(db, "foreign key", "PRAGMA foreign_key_check");
    assert_eq!(foreign, Vec::<String>::new());
    let found = dunlin_app::verify::books(db).unwrap();
    assert!(found.ok, "{found:#?}");
}
