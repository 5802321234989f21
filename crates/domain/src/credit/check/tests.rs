//! The check as tables: a position in words, a question, and what comes of it.

use super::*;
use crate::{
    contract::credit::{MemberPayment, NeededLimit, NewRule, PassCondition},
    credit::rule,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The answer where nobody else is named.
fn answer(inputs: &Inputs, judged: &Judged, language: Language) -> Result<CheckResult, Refused> {
    super::answer(inputs, judged, &BTreeMap::new(), language)
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

const TODAY: &str = "2024-06-30";

/// A customer with a limit of 100 and nothing else.
fn inputs(amount: i64) -> Inputs {
    let question = NewCheck {
        customer: id("C"),
        amount: eur(amount),
        purpose: None,
        order_id: None,
        terms_days: None,
    };
    let position = Position {
        key: 1,
        id: id("C"),
        status: CustomerStatus::Active,
        merged: None,
        currency: None,
        limit: Some(eur(100)),
        second_key_from: None,
        capped: false,
        head: None,
        grade: None,
        grade_before: None,
        merged_grades: Vec::new(),
        ledger: Vec::new(),
        pieces: Vec::new(),
        guarantees: Vec::new(),
        rules: Vec::new(),
        placed: Vec::new(),
        released: Vec::new(),
        done: None,
        broken_promises: None,
        legal_stage: None,
        limit_waits: None,
        usual_terms: None,
        members: None,
        other_order: None,
    };
    let at = "2024-06-30T12:00:00Z".parse().unwrap();
    Inputs { at, day: day(TODAY), question, position, rates: Rates::default(), base_minor: 0 }
}

fn piece(component: ExposureComponent, name: &str, minor: i64) -> Piece {
    let is_order = matches!(
        component,
        ExposureComponent::OrdersReserved
            | ExposureComponent::Undelivered
            | ExposureComponent::Unbilled
    );
    Piece {
        member: 1,
        component,
        currency: "EUR".parse().unwrap(),
        minor,
        contested: 0,
        contract: None,
        id: Some(id(name)),
        order: is_order.then(|| id(name)),
        due_on: (!is_order).then(|| day("2024-06-20")),
        count: 1,
    }
}

fn overdue(name: &str, minor: i64, due: &str, contested: i64) -> Piece {
    Piece {
        due_on: Some(day(due)),
        contested,
        ..piece(ExposureComponent::OverdueInvoices, name, minor)
    }
}

fn rule(level: RuleLevel, text: &str) -> Known {
    let rule: NewRule = serde_json::from_str(&format!("{{{text}}}")).unwrap();
    rule::check(&rule).unwrap();
    Known { name: id("R"), version: 1, level, rule }
}

/// The verdict and the names of the rules that failed, such as `hold: limit-used limit-nearly-used`.
fn told(inputs: &Inputs) -> String {
    let judged = judge(inputs).unwrap();
    let mut names: Vec<&str> = judged.reasons.iter().map(|of| of.rule.as_str()).collect();
    names.dedup();
    let text = format!("{}: {}", judged.verdict, names.join(" "));
    text.trim_end_matches([':', ' ']).to_string()
}

#[track_caller]
fn check_that(inputs: &Inputs, wanted: &str) {
    assert_eq!(told(inputs), wanted);
}

#[test]
fn the_limit_itself_is_allowed_and_one_more_is_not() {
    check_that(&inputs(0), "pass");
    check_that(&inputs(90), "pass");
    check_that(&inputs(91), "warn: limit-nearly-used");
    check_that(&inputs(100), "warn: limit-nearly-used");
    check_that(&inputs(101), "hold: limit-used limit-nearly-used");
}

#[test]
fn limit_0_is_no_credit() {
    let mut none = inputs(1);
    none.position.limit = Some(eur(0));
    check_that(&none, "hold: limit-used limit-nearly-used");
}

#[test]
fn without_a_limit_there_is_a_warning() {
    let mut none = inputs(1_000_000);
    none.position.limit = None;
    check_that(&none, "warn: limit-missing");
}

#[test]
fn an_order_and_its_delivery_are_not_counted_twice() {
    let mut known = inputs(80);
    known.position.pieces = vec![
        piece(ExposureComponent::Undelivered, "O1", 50),
        piece(ExposureComponent::Unbilled, "O1", 30),
    ];
    check_that(&known, "hold: limit-used limit-nearly-used");
    known.question.order_id = Some(id("O1"));
    known.question.purpose = Some(CheckPurpose::Delivery);
    check_that(&known, "pass");
    assert_eq!(judge(&known).unwrap().after_minor, 80);
    // Of a larger one the rest is added.
    known.question.amount = eur(100);
    assert_eq!(judge(&known).unwrap().after_minor, 100);
    known.question.order_id = Some(id("O2"));
    assert_eq!(judge(&known).unwrap().after_minor, 180);
}

#[test]
fn foreign_currency_is_converted_or_the_check_is_refused() {
    let mut foreign = inputs(0);
    foreign.question.amount = Money::new(100, "USD".parse().unwrap());
    assert_eq!(judge(&foreign).unwrap_err().code, Refusal::RateMissing);
    foreign.rates.put("USD".parse().unwrap(), "EUR".parse().unwrap(), "1.01".parse().unwrap());
    check_that(&foreign, "hold: limit-used limit-nearly-used");
}

#[test]
fn a_limit_below_the_exposure_holds_new_orders_and_says_how_much_is_allowed() {
    let mut lowered = inputs(1);
    lowered.position.pieces = vec![piece(ExposureComponent::OpenInvoices, "I1", 120)];
    check_that(&lowered, "hold: limit-used limit-nearly-used");
    let judged = judge(&lowered).unwrap();
    let told = answer(&lowered, &judged, Language::En).unwrap();
    assert_eq!((told.total_minor, told.after_minor), (120, 121));
    assert_eq!(told.reasons[0].detail, "The exposure would be EUR 1.21; EUR 1.00 is allowed.");
}

#[test]
fn every_rule_family_fails_above_its_bound_and_not_on_it() {
    let all = RuleLevel::All;
    let days = |more: u32| format!(r#""kind": "days-overdue", "more_than": "{more}""#);
    let amount = |kind: &str, minor: i64| {
        format!(r#""kind": "{kind}", "amount": {{"minor": {minor}, "currency": "EUR"}}"#)
    };
    let late = |of: &mut Position| of.pieces = vec![overdue("I1", 20, "2024-06-20", 0)];
    let grades = |of: &mut Position| {
        of.grade = "C".parse().ok();
        of.grade_before = "B".parse().ok();
    };
    type Change<'a> = &'a dyn Fn(&mut Position);
    let table: Vec<(String, Change<'_>, &str)> = vec![
        (days(9), &late, "hold: R"),
        (days(10), &late, "pass"),
        (r#""kind": "days-overdue""#.into(), &late, "hold: R"),
        (amount("overdue-amount", 19), &late, "hold: R"),
        (amount("overdue-amount", 20), &late, "pass"),
        (amount("order-amount", 4), &|_| (), "hold: R"),
        (amount("order-amount", 5), &|_| (), "pass"),
        (r#""kind": "score-drop""#.into(), &grades, "hold: R"),
        (r#""kind": "score-drop", "more_than": "1""#.into(), &grades, "pass"),
        (r#""kind": "score-drop", "grade": "C""#.into(), &grades, "hold: R"),
        (r#""kind": "score-drop", "grade": "D""#.into(), &grades, "pass"),
        (
            r#""kind": "broken-promise", "verdict": "forced-hold""#.into(),
            &|of| of.broken_promises = Some(1),
            "forced-hold: R",
        ),
        (
            r#""kind": "broken-promise", "more_than": "1""#.into(),
            &|of| of.broken_promises = Some(1),
            "pass",
        ),
        (r#""kind": "broken-promise""#.into(), &|_| (), "pass"),
        (r#""kind": "legal-stage""#.into(), &|of| of.legal_stage = Some(1), "hold: R"),
        (r#""kind": "legal-stage""#.into(), &|of| of.legal_stage = Some(0), "pass"),
        (r#""kind": "legal-stage""#.into(), &|_| (), "pass"),
        (
            r#""kind": "account-status", "statuses": ["prospect"]"#.into(),
            &|of| of.status = CustomerStatus::Prospect,
            "hold: R",
        ),
        (
            amount("exposure-component", 19) + r#", "component": "overdue-invoices""#,
            &late,
            "hold: R",
        ),
        (amount("exposure-component", 20) + r#", "component": "overdue-invoices""#, &late, "pass"),
        (r#""kind": "limit-used", "more_than": "0.04""#.into(), &|_| (), "hold: R"),
        (r#""kind": "limit-used", "more_than": "0.05""#.into(), &|_| (), "pass"),
    ];
    for (text, change, wanted) in table {
        let mut inputs = inputs(5);
        inputs.position.rules = vec![rule(all, &text)];
        change(&mut inputs.position);
        assert_eq!(told(&inputs), wanted, "{text}");
    }
}

#[test]
fn the_account_status_stops_orders() {
    for (status, wanted) in [
        (CustomerStatus::Prospect, "pass"),
        (CustomerStatus::Active, "pass"),
        (CustomerStatus::OnHold, "hold: account-on-hold"),
        (CustomerStatus::Suspended, "forced-hold: account-stopped"),
        (CustomerStatus::Closed, "forced-hold: account-stopped"),
    ] {
        let mut inputs = inputs(1);
        inputs.position.status = status;
        assert_eq!(told(&inputs), wanted, "{status}");
    }
}

#[test]
fn longer_terms_than_usual_are_worsened_terms() {
    for (asked, usual, wanted) in [
        (Some(31), Some(30), "hold: R"),
        (Some(30), Some(30), "pass"),
        (None, Some(30), "pass"),
        (Some(90), None, "pass"),
    ] {
        let mut inputs = inputs(1);
        inputs.position.rules = vec![rule(RuleLevel::All, r#""kind": "worsened-terms""#)];
        inputs.question.terms_days = asked;
        inputs.position.usual_terms = usual;
        assert_eq!(told(&inputs), wanted, "{asked:?} {usual:?}");
    }
}

#[test]
fn an_expired_limit_holds_until_another_takes_its_place() {
    let entry = |from: &str, to: Option<&str>, counts| Entry {
        kind: LimitKind::Individual,
        minor: 100,
        currency: "EUR".parse().unwrap(),
        unlimited: 0,
        mandatory: 0,
        from: day(from),
        to: to.map(day),
        id: id("L"),
        counts,
    };
    let mut inputs = inputs(5);
    inputs.position.ledger = vec![entry("2024-01-01", Some(TODAY), 1)];
    check_that(&inputs, "pass");
    inputs.position.ledger = vec![entry("2024-01-01", Some("2024-06-29"), 1)];
    check_that(&inputs, "hold: limit-expired");
    inputs.position.ledger.push(entry(TODAY, None, 2));
    check_that(&inputs, "pass");
}

#[test]
fn what_is_contested_is_not_overdue() {
    let mut inputs = inputs(5);
    inputs.position.rules = vec![rule(RuleLevel::All, r#""kind": "days-overdue""#)];
    inputs.position.pieces = vec![overdue("I1", 20, "2024-06-20", 20)];
    check_that(&inputs, "pass");
    inputs.position.pieces = vec![overdue("I1", 20, "2024-06-20", 19)];
    check_that(&inputs, "hold: R");
}

#[test]
fn every_failing_reason_is_told_the_worst_first() {
    let mut inputs = inputs(200);
    inputs.position.status = CustomerStatus::Suspended;
    inputs.position.rules = vec![rule(RuleLevel::Customer, r#""kind": "days-overdue""#)];
    inputs.position.pieces = vec![overdue("I1", 20, "2024-06-20", 0)];
    let wanted = "forced-hold: account-stopped R limit-used limit-nearly-used";
    check_that(&inputs, wanted);
    let judged = judge(&inputs).unwrap();
    let told = answer(&inputs, &judged, Language::En).unwrap();
    assert_eq!(told.reasons[1].level, RuleLevel::Customer);
    assert_eq!(told.would_pass_if.unwrap().text, "Only somebody who releases it lets it pass.");
}

#[test]
fn the_group_is_held_as_a_whole() {
    let mut inputs = inputs(30);
    inputs.position.head = Some(Head { key: 2, id: id("H"), limit: Some(eur(150)) });
    let other = Piece { member: 3, ..piece(ExposureComponent::OpenInvoices, "I9", 120) };
    inputs.position.pieces = vec![other];
    check_that(&inputs, "warn: limit-nearly-used");
    inputs.question.amount = eur(31);
    check_that(&inputs, "hold: limit-used limit-nearly-used");
    let judged = judge(&inputs).unwrap();
    assert_eq!((judged.after_minor, judged.group_after_minor), (31, Some(151)));
    assert!(matches!(judged.reasons[0].seen, Seen::Used { group: true, .. }));
    // One whose own limit is unlimited is not bound by the group's, and counts towards it all the same.
    inputs.position.ledger = vec![Entry {
        kind: LimitKind::Individual,
        minor: 0,
        currency: "EUR".parse().unwrap(),
        unlimited: 1,
        mandatory: 0,
        from: day("2024-01-01"),
        to: None,
        id: id("L"),
        counts: 1,
    }];
    check_that(&inputs, "pass");
}

#[test]
fn guaranteed_shares_reduce_the_exposure_the_amount_asked_for_included() {
    let mut inputs = inputs(150);
    inputs.position.guarantees = vec![Guaranteed {
        member: 1,
        currency: "EUR".parse().unwrap(),
        contract: None,
        minor: 1_000,
        share: "0.5".parse().unwrap(),
        id: id("G"),
    }];
    check_that(&inputs, "pass");
    assert_eq!(judge(&inputs).unwrap().after_minor, 75);
}

#[test]
fn a_release_lets_its_order_pass_up_to_its_amount_and_no_other() {
    let mut inputs = inputs(150);
    inputs.question.order_id = Some(id("O1"));
    let release = |order: &str, minor| Released {
        id: id("H1"),
        order: Some(id(order)),
        amount: Some(eur(minor)),
        rules: Some(vec![id("limit-used")]),
        verdict: Some(Verdict::Hold),
        base_minor: Some(0),
    };
    let held = "hold: limit-used limit-nearly-used";
    check_that(&inputs, held);
    inputs.position.released = vec![release("O2", 150)];
    check_that(&inputs, held);
    inputs.position.released = vec![release("O1", 149)];
    check_that(&inputs, held);
    inputs.position.released = vec![release("O1", 150)];
    check_that(&inputs, "pass: limit-used limit-nearly-used");
    assert_eq!(judge(&inputs).unwrap().released_by, Some(id("H1")));
    // A hold that was placed by hand stands.
    inputs.position.placed = vec![Placed { id: id("H2"), order: None, rules: None }];
    check_that(&inputs, "forced-hold: placed-hold limit-used limit-nearly-used");
    inputs.position.placed = vec![Placed { id: id("H2"), order: Some(id("O2")), rules: None }];
    check_that(&inputs, "pass: limit-used limit-nearly-used");
}

#[test]
fn a_release_waives_what_it_names_and_nothing_that_is_new_or_sterner() {
    let late = r#""kind": "days-overdue", "verdict": "#;
    for (named, of, status, late_is, wanted) in [
        ("limit-used", Verdict::Hold, CustomerStatus::Active, "", "pass: limit-used"),
        (
            "limit-used",
            Verdict::Hold,
            CustomerStatus::OnHold,
            "",
            "hold: account-on-hold limit-used",
        ),
        (
            "limit-used",
            Verdict::Hold,
            CustomerStatus::Closed,
            "",
            "forced-hold: account-stopped limit-used",
        ),
        (
            "limit-used account-stopped",
            Verdict::ForcedHold,
            CustomerStatus::Closed,
            "",
            "pass: account-stopped limit-used",
        ),
        ("limit-used", Verdict::Hold, CustomerStatus::Active, "hold", "hold: R limit-used"),
        ("limit-used R", Verdict::Hold, CustomerStatus::Active, "hold", "pass: R limit-used"),
        // The rule was a hold when it was released and is a forced one now.
        (
            "limit-used R",
            Verdict::Hold,
            CustomerStatus::Active,
            "forced-hold",
            "forced-hold: R limit-used",
        ),
        ("", Verdict::Hold, CustomerStatus::Active, "", "hold: limit-used"),
    ] {
        let mut inputs = inputs(150);
        inputs.question.order_id = Some(id("O1"));
        inputs.position.status = status;
        inputs.position.pieces = vec![overdue("I1", 20, "2024-06-20", 0)];
        if !late_is.is_empty() {
            inputs.position.rules = vec![rule(RuleLevel::All, &format!("{late}\"{late_is}\""))];
        }
        inputs.position.released = vec![Released {
            id: id("H1"),
            order: Some(id("O1")),
            amount: Some(eur(150)),
            rules: Some(named.split_whitespace().map(id).collect()),
            verdict: Some(of),
            base_minor: None,
        }];
        check_that(&inputs, &format!("{wanted} limit-nearly-used"));
        let let_pass = judge(&inputs).unwrap().released_by.is_some();
        assert_eq!(let_pass, wanted.starts_with("pass"), "{named} {late_is}");
    }
}

#[test]
fn what_was_invoiced_or_cancelled_of_an_order_is_not_added_again() {
    let invoice = |minor| overdue("I1", minor, "2024-07-20", 0);
    let order = |minor| piece(ExposureComponent::Undelivered, "O1", minor);
    let (order_it, deliver_it) = (CheckPurpose::Order, CheckPurpose::Delivery);
    // What the order has in the exposure, what of it was invoiced and cancelled, what is asked, and what is then used.
    for (pieces, done, purpose, asked, wanted, is_over) in [
        (vec![invoice(50), order(30)], Some((50, 0)), order_it, 80, 80, false),
        (vec![invoice(50), order(30)], Some((50, 0)), deliver_it, 80, 80, false),
        (vec![invoice(50), order(30)], Some((50, 0)), order_it, 90, 90, false),
        (vec![invoice(80)], Some((80, 0)), order_it, 80, 80, true),
        (vec![invoice(80)], Some((80, 0)), order_it, 81, 81, false),
        (vec![invoice(50), order(10)], Some((50, 20)), deliver_it, 80, 60, false),
        // To order again what was cancelled is to ask for it anew.
        (vec![invoice(50), order(10)], Some((50, 20)), order_it, 80, 80, false),
        (vec![], Some((0, 80)), order_it, 80, 80, true),
        (vec![], Some((0, 80)), deliver_it, 80, 0, true),
        (vec![], None, order_it, 80, 80, false),
        // Of more than was done when it was asked for.
        (vec![invoice(60)], Some((0, 0)), order_it, 40, 100, false),
        (vec![invoice(60), order(40)], Some((0, 0)), order_it, 40, 100, false),
    ] {
        let mut inputs = inputs(asked);
        inputs.question.order_id = Some(id("O1"));
        inputs.question.purpose = Some(purpose);
        inputs.position.pieces = pieces;
        inputs.position.done = done.map(|(invoiced, cancelled)| Done {
            invoiced,
            cancelled,
            currency: "EUR".parse().unwrap(),
        });
        assert_eq!(judge(&inputs).unwrap().after_minor, wanted, "{done:?} {asked}");
        assert_eq!(super::is_over(&inputs), Ok(is_over), "{done:?} {asked}");
        inputs.question.order_id = None;
        let before = judge(&inputs).unwrap().before.total;
        assert_eq!(judge(&inputs).unwrap().after_minor, before + asked, "{done:?} {asked}");
    }
}

#[test]
fn an_order_in_another_currency_counts_once_at_the_rate_of_the_day() {
    let (usd, eur_code) = ("USD".parse().unwrap(), "EUR".parse().unwrap());
    let mut inputs = inputs(54);
    inputs.question.order_id = Some(id("O1"));
    inputs.position.pieces =
        vec![Piece { currency: usd, ..piece(ExposureComponent::OrdersReserved, "O1", 54) }];
    assert_eq!(judge(&inputs).unwrap_err().code, Refusal::RateMissing);
    inputs.rates.put(usd, eur_code, "0.9".parse().unwrap());
    // Reserved are 48.6: of what is owed 49, of what counts as asked already 48.
    assert_eq!(judge(&inputs).unwrap().after_minor, 49 + 54 - 48);
}

#[test]
fn a_held_check_says_in_plain_words_what_would_make_it_pass() {
    let mut inputs = inputs(60);
    inputs.position.pieces = vec![
        Piece {
            due_on: Some(day("2024-07-20")),
            ..piece(ExposureComponent::OpenInvoices, "I2", 40)
        },
        Piece {
            due_on: Some(day("2024-07-10")),
            ..piece(ExposureComponent::OpenInvoices, "I1", 30)
        },
    ];
    let judged = judge(&inputs).unwrap();
    let would = |language| answer(&inputs, &judged, language).unwrap().would_pass_if.unwrap();
    let found = would(Language::En);
    assert_eq!(
        (
            found.amount,
            found.prepayment,
            found.guarantee,
            found.limit.map(|of| (of.minor, of.kind))
        ),
        (Some(eur(30)), Some(eur(30)), Some(eur(30)), Some((130, LimitKind::Individual)))
    );
    let names: Vec<&str> = found.invoices.iter().map(|of| of.id.as_str()).collect();
    assert_eq!(names, ["I1"]);
    assert_eq!(
        found.text,
        "It passes with any one of these: order at most EUR 0.30; pay EUR 0.30 in advance; bring a guarantee of \
         EUR 0.30; pay invoice I1; have the limit raised to EUR 1.30."
    );
    assert_eq!(
        would(Language::ZhCn).text,
        "满足以下任一条件即可通过：订单不超过 0.30 欧元；预付 0.30 欧元；提供 0.30 欧元 的担保；付清账单 I1；将额度提高到 \
         1.30 欧元。"
    );
}

#[test]
fn every_reason_has_words_in_both_languages() {
    let seen = [
        (RuleKind::DaysOverdue, Seen::Count(31, Decimal::from(30))),
        (RuleKind::WorsenedTerms, Seen::Count(1, Decimal::ZERO)),
        (RuleKind::BrokenPromise, Seen::Count(2, Decimal::ONE)),
        (RuleKind::AccountStatus, Seen::Status(CustomerStatus::Suspended)),
        (RuleKind::ExpiredLimit, Seen::Plain),
        (RuleKind::LimitMissing, Seen::Plain),
        (RuleKind::LimitMissing, Seen::Waiting),
        (RuleKind::LegalStage, Seen::Plain),
        (RuleKind::ScoreDrop, Seen::Grade(Grade::C, Some(Grade::B))),
        (RuleKind::OrderAmount, Seen::Amount(eur(2), eur(1))),
        (RuleKind::OverdueAmount, Seen::Amount(eur(2), eur(1))),
        (RuleKind::LimitUsed, Seen::Used { after: eur(2), most: eur(1), group: true }),
        (RuleKind::ExposureComponent, Seen::Component(ExposureComponent::Unbilled, eur(2), eur(1))),
        (RuleKind::PlacedHold, Seen::Hold(id("H1"))),
    ];
    let kinds: BTreeSet<RuleKind> = seen.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds.len(), RuleKind::ALL.len());
    for (kind, seen) in seen {
        let level = RuleLevel::All;
        let reason = Reason { rule: id("R"), kind, level, verdict: Verdict::Hold, seen };
        let of = |language| words::reason(&reason, language).detail;
        let (english, chinese) = (of(Language::En), of(Language::ZhCn));
        assert!(english.is_ascii() && english.ends_with('.'), "{english}");
        assert!(chinese.ends_with('。') && !chinese.contains(kind.name()), "{chinese}");
    }
}

/// What would make it pass, in English and in parts.
fn would_pass_if(inputs: &Inputs) -> PassCondition {
    let judged = judge(inputs).unwrap();
    answer(inputs, &judged, Language::En).unwrap().would_pass_if.unwrap()
}

#[test]
fn money_in_advance_goes_to_the_oldest_debt_also_where_that_is_secured() {
    let mut inputs = inputs(1_500);
    inputs.position.limit = Some(eur(1_000));
    let secured = piece(ExposureComponent::OpenInvoices, "I1", 4_000);
    inputs.position.pieces = vec![Piece { contract: Some(7), ..secured }];
    inputs.position.guarantees = vec![Guaranteed {
        member: 1,
        currency: "EUR".parse().unwrap(),
        contract: Some(7),
        minor: 4_000,
        share: Decimal::ONE,
        id: id("G"),
    }];
    let found = would_pass_if(&inputs);
    assert_eq!((found.prepayment, found.invoices), (Some(eur(4_500)), Vec::new()));
}

#[test]
fn only_the_limit_that_binds_is_named_with_whose_it_is() {
    let needed = |own: i64, group: i64, of_others: i64, asked: i64| {
        let mut inputs = inputs(asked);
        inputs.position.limit = Some(eur(own));
        inputs.position.head = Some(Head { key: 2, id: id("H"), limit: Some(eur(group)) });
        let others = piece(ExposureComponent::OpenInvoices, "I1", of_others);
        inputs.position.pieces = vec![Piece { member: 2, ..others }];
        let found = would_pass_if(&inputs);
        let told =
            |of: Option<NeededLimit>| of.map(|of| (of.minor, of.kind, of.customer.to_string()));
        (told(found.limit), told(found.group_limit), found.text)
    };
    let own = |minor| Some((minor, LimitKind::Individual, "C".to_string()));
    let group = |minor| Some((minor, LimitKind::Group, "H".to_string()));
    let (of_own, of_group, text) = needed(5_000, 15_000, 14_000, 2_000);
    assert_eq!((of_own, of_group), (None, group(16_000)));
    assert!(text.ends_with("; have the limit of the group H raised to EUR 160.00."), "{text}");
    let (of_own, of_group, text) = needed(1_000, 50_000, 14_000, 2_000);
    assert_eq!((of_own, of_group), (own(2_000), None));
    assert!(text.ends_with("; have the limit raised to EUR 20.00."), "{text}");
    let (of_own, of_group, text) = needed(1_000, 15_000, 14_000, 2_000);
    assert_eq!((of_own, of_group), (own(2_000), group(16_000)));
    let both = "; have the limit raised to EUR 20.00 and that of the group H to EUR 160.00.";
    assert!(text.ends_with(both), "{text}");
}

#[test]
fn who_of_a_group_would_have_to_pay_is_named_where_the_customer_cannot() {
    // What the customer owes, what others owe, and the limit of the group; 1000 are asked for.
    let said = |own: i64, others: &[(i64, i64)], most: i64, left_out: &str| {
        let mut inputs = inputs(1_000);
        inputs.position.limit = Some(eur(9_000));
        inputs.position.head = Some(Head { key: 2, id: id("H"), limit: Some(eur(most)) });
        let of = |member: i64, minor: i64| Piece {
            member,
            ..piece(ExposureComponent::OpenInvoices, &format!("I{member}"), minor)
        };
        let others = others.iter().map(|(member, minor)| of(*member, *minor));
        inputs.position.pieces = others.chain([of(1, own)]).collect();
        if !left_out.is_empty() {
            let text = format!(
                r#""kind": "exposure-component", "component": "{left_out}", "counts": false"#
            );
            inputs.position.rules.push(rule(RuleLevel::All, &text));
        }
        let judged = judge(&inputs).unwrap();
        let ids = debtors(&inputs, &judged)
            .into_iter()
            .map(|key| (key, id(&format!("M{key}"))))
            .collect();
        let way = |language| {
            super::answer(&inputs, &judged, &ids, language).unwrap().would_pass_if.unwrap()
        };
        let found = way(Language::En);
        let each = |of: &MemberPayment| format!("{} {}", of.customer, of.minor);
        let named = found.members.iter().map(each).collect::<Vec<_>>().join(", ");
        (named, found.text, way(Language::ZhCn).text)
    };
    for (own, others, most, left_out, wanted) in [
        // Too much by 500: the customer's own would do.
        (500, vec![(2, 4_000)], 5_000, "", ""),
        (499, vec![(2, 4_001)], 5_000, "", "M2 500"),
        (0, vec![(2, 4_500)], 5_000, "", "M2 500"),
        // Who owes most is named first, and nobody who is not needed.
        (0, vec![(2, 2_000), (3, 2_500)], 5_000, "", "M3 500"),
        (0, vec![(2, 2_000), (3, 2_500), (4, 400)], 1_000, "", "M3 2500, M2 2000, M4 400"),
        (0, vec![(2, 2_000), (3, 2_500), (4, 400)], 1_100, "", "M3 2500, M2 2000, M4 300"),
        // All of it would not do.
        (0, vec![(2, 2_000)], 999, "", ""),
        // What does not count may be what is paid first.
        (0, vec![(2, 4_500)], 5_000, "unapplied", ""),
        (0, vec![(2, 4_500)], 5_000, "overdue-invoices", ""),
        (0, vec![(2, 4_500)], 5_000, "undelivered", "M2 500"),
    ] {
        assert_eq!(said(own, &others, most, left_out).0, wanted, "{own} {others:?} {most}");
    }
    let (_, english, chinese) = said(0, &[(2, 2_000), (3, 2_500), (4, 400)], 1_100, "");
    let wanted = "have its group pay what it owes: M3 EUR 25.00 and M2 EUR 20.00 and M4 EUR 3.00;";
    assert!(english.contains(wanted), "{english}");
    assert!(
        chinese.contains("由集团成员付款：M3 付 25.00 欧元、M2 付 20.00 欧元、M4 付 3.00 欧元"),
        "{chinese}"
    );
}

#[test]
fn a_temporary_limit_is_raised_as_such_and_an_expired_one_set_anew() {
    let entry = |kind, minor, from: &str, to: &str| Entry {
        kind,
        minor,
        currency: "EUR".parse().unwrap(),
        unlimited: 0,
        mandatory: 0,
        from: day(from),
        to: Some(day(to)),
        id: id("L"),
        counts: 1,
    };
    let mut inputs = inputs(300);
    inputs.position.ledger = vec![entry(LimitKind::Temporary, 200, "2024-06-01", "2024-07-31")];
    let found = would_pass_if(&inputs);
    let limit = found.limit.unwrap();
    assert_eq!((limit.minor, limit.kind), (300, LimitKind::Temporary));
    assert!(found.text.ends_with("; have the temporary limit raised to EUR 3.00."));
    inputs.position.ledger = vec![entry(LimitKind::Individual, 900, "2024-01-01", "2024-06-29")];
    let found = would_pass_if(&inputs);
    let limit = found.limit.unwrap();
    assert_eq!((limit.minor, limit.kind), (300, LimitKind::Individual));
    assert_eq!(found.text, "It passes with any one of these: have a limit of EUR 3.00 set.");
}

#[test]
fn invoices_are_named_that_are_needed_and_contested_ones_last() {
    let named = |inputs: &Inputs| {
        let found = would_pass_if(inputs).invoices;
        found.iter().map(|of| of.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    let mut large = inputs(100);
    large.position.limit = Some(eur(5_100));
    large.position.pieces = vec![
        Piece {
            due_on: Some(day("2024-07-01")),
            ..piece(ExposureComponent::OpenInvoices, "I1", 10)
        },
        Piece {
            due_on: Some(day("2024-07-02")),
            ..piece(ExposureComponent::OpenInvoices, "I2", 9_000)
        },
    ];
    assert_eq!(named(&large), "I2");
    let mut late = inputs(10);
    late.position.limit = Some(eur(9_000));
    let rule: NewRule = serde_json::from_str(r#"{"kind": "days-overdue"}"#).unwrap();
    late.position.rules =
        vec![rule::Known { name: id("late"), version: 1, level: RuleLevel::All, rule }];
    late.position.pieces =
        vec![overdue("I3", 800, "2024-05-01", 800), overdue("I4", 900, "2024-06-01", 0)];
    assert_eq!(named(&late), "I4");
    // Money in advance does it as well: it goes to what is late and not contested.
    assert_eq!(would_pass_if(&late).prepayment, Some(eur(900)));
    late.position.pieces.push(Piece {
        due_on: Some(day("2024-07-02")),
        ..piece(ExposureComponent::OpenInvoices, "I5", 70)
    });
    assert_eq!(would_pass_if(&late).prepayment, Some(eur(900)));
    // Under another order it may go to what is not late first.
    late.position.other_order = Some(1);
    assert_eq!(would_pass_if(&late).prepayment, Some(eur(970)));
    late.position.rules.clear();
    late.position.limit = Some(eur(1_000));
    assert_eq!(would_pass_if(&late).prepayment, Some(eur(780)));
}

#[test]
fn money_that_has_no_other_place_to_go_lowers_what_is_overdue_under_another_order_too() {
    let mut late = inputs(10);
    late.position.other_order = Some(1);
    late.position.limit = Some(eur(90_000));
    let rule = r#"{"kind": "overdue-amount", "amount": {"minor": 2000, "currency": "EUR"}}"#;
    let rule: NewRule = serde_json::from_str(rule).unwrap();
    late.position.rules =
        vec![rule::Known { name: id("late"), version: 1, level: RuleLevel::All, rule }];
    late.position.pieces = vec![overdue("I1", 10_000, "2024-05-01", 0)];
    assert_eq!(would_pass_if(&late).prepayment, Some(eur(8_000)));
    late.position.pieces.push(overdue("I2", 500, "2024-05-02", 0));
    assert_eq!(would_pass_if(&late).prepayment, Some(eur(8_500)));
    late.position.pieces.push(Piece {
        due_on: Some(day("2024-07-02")),
        ..piece(ExposureComponent::OpenInvoices, "I3", 70)
    });
    assert_eq!(would_pass_if(&late).prepayment, Some(eur(8_570)));
}

#[test]
fn a_warning_does_not_say_what_is_allowed() {
    let warned = inputs(100);
    let judged = judge(&warned).unwrap();
    let told = |language| answer(&warned, &judged, language).unwrap().reasons[0].detail.clone();
    let english = told(Language::En);
    assert_eq!(english, "The exposure would be EUR 1.00; a warning is given above EUR 0.90.");
    assert_eq!(told(Language::ZhCn), "信用占用将达 1.00 欧元，超过 0.90 欧元 即提示。");
}

fn some_piece() -> impl Strategy<Value = Piece> {
    (0usize..6, 1i64..80, 0u8..8, prop::bool::ANY).prop_map(|(component, minor, name, own)| Piece {
        member: if own { 1 } else { 3 },
        due_on: Some(day("2024-06-20").plus_days(i64::from(name)).unwrap()),
        ..piece(ExposureComponent::ALL[component], &format!("D{name}"), minor)
    })
}

/// All orders of so many.
fn orders(of: usize) -> Vec<Vec<usize>> {
    let Some(last) = of.checked_sub(1) else { return vec![Vec::new()] };
    let into = |order: Vec<usize>| {
        (0..of).map(move |at| [&order[..at], &[last], &order[at..]].concat()).collect::<Vec<_>>()
    };
    orders(last).into_iter().flat_map(into).collect()
}

proptest! {
    /// Money in advance is enough whichever document it goes to first, and one less is not under some order.
    #[test]
    fn under_another_order_it_passes_whatever_is_paid_first_and_nothing_less_does(
        owed in prop::collection::vec((1i64..60, 0i64..9, prop::bool::ANY), 0..5),
        (limit, asked) in (0i64..200, 1i64..50),
        (most, days) in (0i64..100, 0i64..9),
        counted in (prop::bool::ANY, prop::bool::ANY),
    ) {
        let mut inputs = inputs(asked);
        inputs.position.limit = Some(eur(limit));
        let document = |(at, (minor, late, is_late)): (usize, (i64, i64, bool))| {
            let name = format!("D{at}");
            let (of, due) = match is_late {
                true => (ExposureComponent::OverdueInvoices, day("2024-06-29").plus_days(-late)),
                false => (ExposureComponent::OpenInvoices, day("2024-07-05").plus_days(late)),
            };
            Piece { due_on: Some(due.unwrap()), ..piece(of, &name, minor) }
        };
        inputs.position.pieces = owed.into_iter().enumerate().map(document).collect();
        let component = |name: &str, counts: bool| {
            format!(r#"{{"kind": "exposure-component", "component": "{name}", "counts": {counts}}}"#)
        };
        let rules = [
            format!(r#"{{"kind": "overdue-amount", "amount": {{"minor": {most}, "currency": "EUR"}}}}"#),
            format!(r#"{{"kind": "days-overdue", "more_than": "{days}"}}"#),
            component("open-invoices", counted.0),
            component("overdue-invoices", counted.1),
        ];
        let known = |(at, rule): (usize, &String)| rule::Known {
            name: id(&format!("K{at}")), version: 1, level: RuleLevel::All,
            rule: serde_json::from_str(rule).unwrap(),
        };
        inputs.position.rules = rules.iter().enumerate().map(known).collect();
        inputs.position.other_order = Some(1);
        let judged = judge(&inputs).unwrap();
        if !is_held(judged.verdict) {
            return Ok(());
        }
        let orders = orders(inputs.position.pieces.len());
        let passes = |money: i64| orders.iter().all(|order| {
            let (mut paid, mut left) = (inputs.clone(), money);
            for at in order {
                let served = paid.position.pieces[*at].minor.min(left);
                (paid.position.pieces[*at].minor, left) =
                    (paid.position.pieces[*at].minor - served, left - served);
            }
            paid.position.pieces.retain(|of| of.minor > 0);
            paid.position.pieces.push(piece(ExposureComponent::Unapplied, "M", left));
            !is_held(judge(&paid).unwrap().verdict)
        });
        let found = answer(&inputs, &judged, Language::En).unwrap().would_pass_if.unwrap();
        match found.prepayment {
            Some(least) => {
                prop_assert!(passes(least.minor), "{} is not enough", least.minor);
                prop_assert!(!passes(least.minor - 1), "{} is more than is needed", least.minor);
            }
            None => prop_assert!(!passes(1_000_000)),
        }
    }

    /// Each condition is enough, and one less is not.
    #[test]
    fn what_is_said_to_make_it_pass_does_and_nothing_less(
        pieces in prop::collection::vec(some_piece(), 0..8),
        (limit, group, asked) in (0i64..200, prop::option::of(0i64..300), 1i64..200),
        guarantee in prop::option::of((1i64..200, 1i64..=100)),
    ) {
        let mut inputs = inputs(asked);
        inputs.position.limit = Some(eur(limit));
        inputs.position.head =
            group.map(|limit| Head { key: 2, id: id("H"), limit: Some(eur(limit)) });
        let named = |(at, piece): (usize, Piece)| Piece { id: Some(id(&format!("D{at}"))), ..piece };
        inputs.position.pieces = pieces.into_iter().enumerate().map(named).collect();
        let secured = guarantee.map(|(minor, percent)| Guaranteed {
            member: 1, currency: "EUR".parse().unwrap(), contract: None, minor,
            share: Decimal::new(percent, 2), id: id("G"),
        });
        inputs.position.guarantees = secured.into_iter().collect();
        let judged = judge(&inputs).unwrap();
        if !is_held(judged.verdict) {
            return Ok(());
        }
        let found = answer(&inputs, &judged, Language::En).unwrap().would_pass_if.unwrap();
        let passes = |supposed: Supposed| {
            !is_held(Case::new(&inputs).unwrap().judge(&supposed).unwrap().verdict)
        };
        if let Some(most) = found.amount {
            let with = |minor| Supposed { amount: Some(minor), ..Supposed::default() };
            prop_assert!(passes(with(most.minor)) && !passes(with(most.minor + 1)));
        }
        if let Some(least) = found.prepayment {
            let with = |prepaid| Supposed { prepaid, ..Supposed::default() };
            prop_assert!(passes(with(least.minor)) && !passes(with(least.minor - 1)));
        }
        if let Some(least) = found.guarantee {
            let with = |guaranteed| Supposed { guaranteed, ..Supposed::default() };
            prop_assert!(passes(with(least.minor)) && !passes(with(least.minor - 1)));
        }
        let (own, group) = (found.limit.map(|of| of.minor), found.group_limit.map(|of| of.minor));
        let limits = |own, group| passes(Supposed { own, group, ..Supposed::default() });
        prop_assert!(limits(own, group) || (own.is_none() && group.is_none()));
        prop_assert!(own.is_none() || !limits(own.map(|least| least - 1), group));
        prop_assert!(group.is_none() || !limits(own, group.map(|least| least - 1)));
        let own = inputs.position.pieces.iter().enumerate();
        let place = |id: &Id| own.clone().find(|(_, of)| of.id.as_ref() == Some(id)).unwrap().0;
        let named: Vec<usize> = found.invoices.iter().map(|of| place(&of.id)).collect();
        let paid = |paid: BTreeSet<usize>| passes(Supposed { paid, ..Supposed::default() });
        let all: BTreeSet<usize> = named.iter().copied().collect();
        prop_assert!(all.is_empty() || paid(all.clone()));
        // None of them can be left out.
        for at in &named {
            let others = all.iter().copied().filter(|of| of != at).collect();
            prop_assert!(!paid(others));
        }
        // Money in advance always helps against a limit.
        prop_assert!(found.prepayment.is_some());
    }

    /// What other members would have to pay is enough whichever of their documents they pay first, and nobody can be left
    /// out. Without guarantees and rates nothing less is.
    #[test]
    fn what_the_group_would_have_to_pay_is_enough_however_it_is_paid(
        owed in prop::collection::vec((2i64..5, 1i64..60, 0u8..4, prop::bool::ANY, prop::bool::ANY), 0..5),
        (limit, asked) in (0i64..150, 1i64..60),
        guarantee in prop::option::of((2i64..5, 1i64..60, prop::option::of(7i64..8), 1i64..=100)),
        (own, apart, dollars) in (0i64..30, 0i64..20, prop::bool::ANY),
    ) {
        let mut inputs = inputs(asked);
        let usd: Currency = "USD".parse().unwrap();
        inputs.rates.put(usd, eur(0).currency, "0.93".parse().unwrap());
        inputs.rates.put(eur(0).currency, usd, "1.07".parse().unwrap());
        inputs.position.limit = Some(eur(1_000));
        inputs.position.head = Some(Head { key: 2, id: id("H"), limit: Some(eur(limit)) });
        let document = |(at, (member, minor, late, is_other, under)): (usize, (i64, i64, u8, bool, bool))| {
            let component = match late > 0 {
                true => ExposureComponent::OverdueInvoices,
                false => ExposureComponent::OpenInvoices,
            };
            let currency = if is_other && dollars { usd } else { eur(0).currency };
            let contract = under.then_some(7);
            Piece { member, currency, contract, ..piece(component, &format!("D{at}"), minor) }
        };
        let mut pieces: Vec<Piece> = owed.iter().copied().enumerate().map(document).collect();
        let count = pieces.len();
        pieces.push(piece(ExposureComponent::OpenInvoices, "OWN", own));
        pieces.push(Piece { member: 3, ..piece(ExposureComponent::Unapplied, "P", apart) });
        inputs.position.pieces = pieces;
        let secured = guarantee.map(|(member, minor, contract, percent)| Guaranteed {
            member, currency: eur(0).currency, contract, minor, share: Decimal::new(percent, 2), id: id("G"),
        });
        inputs.position.guarantees = secured.into_iter().collect();
        let judged = judge(&inputs).unwrap();
        let debtors = debtors(&inputs, &judged);
        prop_assert!(debtors.is_empty() || is_held(judged.verdict));
        let ids: BTreeMap<i64, Id> = debtors.iter().map(|key| (*key, id(&format!("M{key}")))).collect();
        let told = super::answer(&inputs, &judged, &ids, Language::En).unwrap();
        let Some(found) = told.would_pass_if else { return Ok(()) };
        let key = |of: &MemberPayment| of.customer.as_str()[1..].parse::<i64>().unwrap();
        let payments: Vec<((i64, Currency), i64)> =
            found.members.iter().map(|of| ((key(of), of.currency), of.minor)).collect();
        // What is paid goes to the documents in an order, and may not be more than they are.
        let passes = |payments: &[((i64, Currency), i64)], order: &[usize]| {
            let mut paid = inputs.clone();
            for (of, minor) in payments {
                let mut left = *minor;
                for at in order {
                    let piece = &mut paid.position.pieces[*at];
                    if (piece.member, piece.currency) == *of {
                        let served = piece.minor.min(left);
                        (piece.minor, left) = (piece.minor - served, left - served);
                    }
                }
                assert_eq!(left, 0);
            }
            paid.position.pieces.retain(|of| of.minor > 0);
            !is_held(judge(&paid).unwrap().verdict)
        };
        let orders = orders(count);
        let always = |payments: &[_]| orders.iter().all(|order| passes(payments, order));
        let all: Vec<((i64, Currency), i64)> = {
            let mut all = BTreeMap::new();
            for of in inputs.position.pieces[..count].iter() {
                *all.entry((of.member, of.currency)).or_insert(0) += of.minor;
            }
            all.into_iter().collect()
        };
        let plain = !dollars && guarantee.is_none();
        if payments.is_empty() {
            prop_assert!(!found.invoices.is_empty() || !plain || !always(&all));
            return Ok(());
        }
        prop_assert!(found.invoices.is_empty() && always(&payments), "{payments:?}");
        if plain {
            let without = |at: usize| [&payments[..at], &payments[at + 1..]].concat();
            for at in 0..payments.len() {
                prop_assert!(!always(&without(at)), "{payments:?} without {at}");
            }
            let mut less = payments.clone();
            less.last_mut().unwrap().1 -= 1;
            prop_assert!(!always(&less), "{payments:?}");
        }
    }

    /// What a judgement rests on survives being kept.
    #[test]
    fn a_check_that_was_kept_is_judged_the_same(
        pieces in prop::collection::vec(some_piece(), 0..8), asked in 0i64..200,
    ) {
        let mut inputs = inputs(asked);
        inputs.position.pieces = pieces;
        let kept: Inputs = serde_json::from_str(&serde_json::to_string(&inputs).unwrap()).unwrap();
        prop_assert_eq!(judge(&kept).unwrap(), judge(&inputs).unwrap());
    }
}

#[test]
fn terms_say_how_much_and_how_long() {
    let offers = |grade: Option<Grade>, asked: i64, terms_days: Option<u32>, language: Language| {
        let mut inputs = inputs(asked);
        inputs.position.grade = grade;
        inputs.question.terms_days = terms_days;
        let judged = judge(&inputs).unwrap();
        let told = answer(&inputs, &judged, language).unwrap().terms;
        told.into_iter().map(|of| of.detail).collect::<Vec<_>>().join(" ")
    };
    let (en, zh) = (Language::En, Language::ZhCn);
    for (grade, asked, days, language, wanted) in [
        (None, 90, None, en, ""),
        (None, 130, None, en, "Offer shorter terms. Ask for EUR 0.30 in advance."),
        (None, 130, Some(2), en, "Offer terms of 1 day. Ask for EUR 0.30 in advance."),
        (None, 130, Some(1), en, "Ask for EUR 0.30 in advance."),
        (Some(Grade::A), 130, None, en, "A limit of EUR 1.30 may be applied for."),
        (
            Some(Grade::B),
            130,
            Some(60),
            en,
            "Offer terms of 30 days. A limit of EUR 1.30 may be applied for.",
        ),
        (
            Some(Grade::D),
            130,
            None,
            en,
            "Ask for EUR 0.30 in advance. Ask for a guarantee of EUR 0.30.",
        ),
        (Some(Grade::E), 130, None, en, "Sell against EUR 1.30 in advance."),
        (Some(Grade::C), 95, None, en, "Offer shorter terms. Ask for a part in advance."),
        (Some(Grade::D), 130, None, zh, "要求预付 0.30 欧元。 要求提供 0.30 欧元 的担保。"),
        (
            Some(Grade::B),
            130,
            Some(60),
            zh,
            "建议账期缩短为 30 天。 可申请将额度提高到 1.30 欧元。",
        ),
    ] {
        assert_eq!(offers(grade, asked, days, language), wanted, "{grade:?} {asked}");
    }
}

#[test]
fn a_reason_speaks_of_one_day_and_of_many() {
    let say = |kind: RuleKind, seen: i64, most: i64| {
        let reason = Reason {
            rule: "R".parse().unwrap(),
            kind,
            level: RuleLevel::All,
            verdict: Verdict::Hold,
            seen: Seen::Count(seen, most.into()),
        };
        words::reason(&reason, Language::En).detail
    };
    for (seen, most, days, terms) in [
        (1, 0, "1 day overdue; 0 are allowed.", "1 day longer than usual; 0 are allowed."),
        (2, 1, "2 days overdue; 1 is allowed.", "2 days longer than usual; 1 is allowed."),
        (3, 2, "3 days overdue; 2 are allowed.", "3 days longer than usual; 2 are allowed."),
    ] {
        let overdue = say(RuleKind::DaysOverdue, seen, most);
        assert_eq!(overdue, format!("The oldest item is {days}"));
        let longer = say(RuleKind::WorsenedTerms, seen, most);
        assert_eq!(longer, format!("The terms asked for are {terms}"));
    }
    for (days, told) in [(0, "0 days"), (1, "1 day"), (2, "2 days")] {
        let offer = words::offer(TermsAdvice::ShorterTerms, None, Some(days), Language::En);
        assert_eq!(offer, format!("Offer terms of {told}."));
    }
}

#[test]
fn a_proposal_says_what_it_comes_from() {
    use words::Grounds;
    let plain = Grounds {
        version: 3,
        tier: None,
        grade: Some(Grade::D),
        turnover: eur(40_000),
        guaranteed: eur(0),
        after: None,
    };
    let after = |is_grave: bool| {
        let after = Some((day("2026-11-24"), is_grave));
        Grounds { tier: Some("key".into()), grade: None, after, ..plain.clone() }
    };
    for (of, english, chinese) in [
        (
            plain.clone(),
            "Limit policy 3: grade D, turnover of 12 months EUR 400.00, guaranteed EUR 0.00.",
            "额度政策第 3 版：信用等级 D，近 12 个月营业额 400.00 欧元，担保 0.00 欧元。",
        ),
        (
            after(true),
            "After a serious or critical alert of 2026-11-24. Limit policy 3: tier key, no grade, turnover of 12 months EUR 400.00, guaranteed EUR 0.00.",
            "2026-11-24 出现严重或紧急预警。额度政策第 3 版：分层 key，无信用等级，近 12 个月营业额 400.00 欧元，担保 0.00 欧元。",
        ),
        (
            after(false),
            "After the grade worsened on 2026-11-24. Limit policy 3: tier key, no grade, turnover of 12 months EUR 400.00, guaranteed EUR 0.00.",
            "2026-11-24 信用等级下降。额度政策第 3 版：分层 key，无信用等级，近 12 个月营业额 400.00 欧元，担保 0.00 欧元。",
        ),
    ] {
        assert_eq!(words::proposed(&of, Language::En), english);
        assert_eq!(words::proposed(&of, Language::ZhCn), chinese);
    }
}
