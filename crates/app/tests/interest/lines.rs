//! The lines that the sweep keeps, against what is worked out anew.

use super::*;

const CLAUSES: [&str; 8] = [
    r#"{"rate": "0.12"}"#,
    r#"{"rate": "0.0777", "day_count": "act-act-isda", "grace_days": 4}"#,
    r#"{"rate": "0.09", "day_count": "30e-360", "grace_days": 3, "grace_charged_later": true}"#,
    r#"{"rate": "0.08", "day_count": "30-360-us"}"#,
    r#"{"rate": "0.36", "cap_share": "0.02", "day_count": "30-360-bond"}"#,
    r#"{"reference": {"table": "house", "multiplier": "1.5", "fixing": "floating"}}"#,
    r#"{"preset": "eu-2011-7"}"#,
    r#"{"rate": "0.24", "compounding": {"months": 1, "day": 20}}"#,
];

#[derive(Clone, Debug)]
enum Event {
    Bill {
        customer: usize,
        due: i64,
        minor: i64,
        clause: Option<usize>,
    },
    /// In instalments: each so many days after the one before.
    Plan {
        customer: usize,
        due: i64,
        parts: Vec<(i64, i64)>,
        clause: Option<usize>,
    },
    Pay {
        customer: usize,
        on: i64,
        minor: i64,
    },
    Dispute {
        which: usize,
        on: i64,
        minor: i64,
        decided: Option<(i64, i64)>,
    },
    Rate {
        from: i64,
        basis_points: i64,
    },
    Sweep {
        days: i64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let day = 0i64..200;
    prop_oneof![
        3 => (0usize..3, day.clone(), 1i64..900_000, proptest::option::of(0usize..8))
            .prop_map(|(customer, due, minor, clause)| Event::Bill { customer, due, minor, clause }),
        2 => (0usize..3, day.clone(), proptest::collection::vec((0i64..30, 1i64..90_000), 2..6),
                proptest::option::of(0usize..8))
            .prop_map(|(customer, due, parts, clause)| Event::Plan { customer, due, parts, clause }),
        2 => (0usize..3, day.clone(), 1i64..900_000)
            .prop_map(|(customer, on, minor)| Event::Pay { customer, on, minor }),
        1 => (0usize..8, day.clone(), 1i64..400_000, proptest::option::of((0i64..40, 0i64..2)))
            .prop_map(|(which, on, minor, decided)| Event::Dispute { which, on, minor, decided }),
        1 => (day, 1i64..900)
            .prop_map(|(from, basis_points)| Event::Rate { from, basis_points }),
        4 => (1i64..40).prop_map(|days| Event::Sweep { days }),
    ]
}

fn number(day_number: i64) -> Date {
    day("2024-01-15").plus_days(day_number).unwrap()
}

fn happen(db: &NativeDb, event: &Event, place: usize) {
    match event {
        Event::Bill { customer, due, minor, clause } => {
            let name = format!("I{place}");
            let due = number(*due).to_string();
            add(db, &bill(&name, &format!("C{}", customer + 1), &due, *minor));
            if let Some(clause) = clause {
                under_contract(db, &name, serde_json::from_str(CLAUSES[*clause]).unwrap());
            }
        }
        Event::Plan { customer, due, parts, clause } => {
            let (name, mut due) = (format!("I{place}"), *due);
            let instalment = |(days, minor): &(i64, i64)| {
                due += days;
                Instalment { due_on: number(due), minor: *minor }
            };
            let parts: Vec<Instalment> = parts.iter().map(instalment).collect();
            let minor = parts.iter().map(|part| part.minor).sum();
            let whole = bill(&name, &format!("C{}", customer + 1), "2024-12-31", minor);
            add(db, &NewInvoice { due_on: None, instalments: Some(parts), ..whole });
            if let Some(clause) = clause {
                under_contract(db, &name, serde_json::from_str(CLAUSES[*clause]).unwrap());
            }
        }
        Event::Pay { customer, on, minor } => {
            let (name, of) = (format!("P{place}"), format!("C{}", customer + 1));
            pay(db, &name, &of, &number(*on).to_string(), *minor, None);
        }
        Event::Dispute { which, on, minor, decided } => {
            // As the flow of disputes leaves it: the row, and the customer to look at.
            let on_day = number(*on);
            let resolved = decided.map(|(days, _)| number(on + days).to_string());
            let upheld = decided.map(|(_, share)| minor * share);
            let name = format!("D{place}");
            db.execute(
                "INSERT INTO dispute
                     (id, customer_key, invoice_key, opened_on, minor, reason, outcome, resolved_on, upheld_minor)
                 SELECT ?1, customer_key, key, ?2, ?3, 'price',
                     CASE WHEN ?4 IS NOT NULL THEN 'rejected' END, ?4, ?5
                 FROM invoice WHERE key = ?6",
                &[
                    (&name).into(),
                    (&on_day.to_string()).into(),
                    (*minor).into(),
                    resolved.as_ref().into(),
                    upheld.into(),
                    (*which as i64).into(),
                ],
            )
            .unwrap();
            accrual::mark(db, &[1, 2, 3]).unwrap();
        }
        Event::Rate { from, basis_points } => {
            let mut row = rate(&number(*from).to_string(), "0");
            row.rate = dunlin_domain::Decimal::new(*basis_points, 4);
            interest::put_rates(db, &id("house"), &[row], &author()).unwrap();
        }
        Event::Sweep { .. } => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens between sweeps, each leaves every open overdue document with the interest that its whole
    /// history gives, and no day's is lost or counted twice.
    #[test]
    fn the_line_of_a_document_is_its_interest(
        policy in proptest::option::of(0usize..8),
        events in proptest::collection::vec(event(), 1..30),
    ) {
        let clause = policy.map(|which| serde_json::from_str(CLAUSES[which]).unwrap());
        let (_folder, db) = world(clause.unwrap_or(json!(null)));
        interest::put_rates(&db, &id("house"), &[rate("2023-12-01", "0.05")], &author()).unwrap();
        let mut today = 0;
        for (place, event) in events.iter().enumerate() {
            happen(&db, event, place);
            let Event::Sweep { days } = event else { continue };
            today += days;
            sweep(&db, number(today));
            let kept: std::collections::BTreeMap<i64, i64> =
                lines(&db).into_iter().map(|(_, invoice, minor, _)| (invoice, minor)).collect();
            let open: Vec<(i64, Id, bool, Option<Id>)> = db
                .json(
                    "SELECT json_group_array(json_array(i.key, i.id, json(iif(i.open_minor > 0, 'true', 'false')), p.id))
                     FROM invoice AS i LEFT JOIN invoice AS p ON p.key = i.parent_key
                     WHERE i.due_on < ?1 AND NOT EXISTS (SELECT 1 FROM invoice AS o WHERE o.parent_key = i.key)",
                    &[(&number(today).to_string()).into()],
                )
                .unwrap();
            let mut shares: std::collections::BTreeMap<Id, Option<i64>> = Default::default();
            for (key, name, is_open, whole) in open {
                let found = interest::of_invoice(&db, &name, number(today), KNOWN).unwrap();
                let (line, expected) = (kept.get(&key), found.map(|of| of.accrued.minor));
                let Some(whole) = whole else {
                    // What was paid before the first sweep that could see it has no line.
                    if let (None, false) = (line, is_open) { continue }
                    prop_assert_eq!(line.copied(), expected, "{} on {}", name, number(today));
                    continue;
                };
                let shares = shares.entry(whole).or_insert(Some(0));
                match (line, expected) {
                    (Some(line), Some(own)) => {
                        prop_assert!((line - own).abs() <= 1, "{} on {}", name, number(today));
                        *shares = shares.map(|sum| sum + line);
                    }
                    (None, Some(own)) if own > 0 && !is_open => *shares = None,
                    (line, own) => prop_assert!(!is_open || line.is_none() && own.is_none()),
                }
            }
            for (name, shares) in shares {
                let Some(shares) = shares else { continue };
                let found = interest::of_invoice(&db, &name, number(today), KNOWN).unwrap();
                let whole = found.map_or(0, |of| of.accrued.minor);
                prop_assert_eq!(shares, whole, "shares of {} on {}", name, number(today));
            }
        }
    }
}

/// Lines as they may be stored: nothing overflows up to the last day for which they hold.
fn watermark() -> impl Strategy<Value = Watermark> {
    let first = (0i64..2_000).prop_map(|days| day("2020-01-01").plus_days(days).unwrap());
    let numbers = (0usize..6, 0i64..=9_000_000_000_000_000, 0u32..9, 0i64..9_000_000_000_000_000);
    (first, numbers, any::<u64>(), 0i64..7_000).prop_map(|(first, numbers, rest, days)| {
        let (count, step, zeros, base_minor) = numbers;
        let count = DayCount::ALL[count].0;
        let (ruler, mark) = count.bearing_from(first);
        let denominator = count.year() * 10i64.pow(zeros);
        let until = first.plus_days(days).unwrap();
        let most = (i64::MAX / 2) / (ruler.through(until) - mark).max(1);
        Watermark {
            ruler,
            mark,
            step: 1 + step.min(most - 1),
            base_minor,
            base_rest: i64::try_from(rest % denominator as u64).unwrap(),
            denominator,
            until,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The statement that moves lines on and the rule it repeats give the same number for any line.
    #[test]
    fn sql_and_rust_move_a_line_alike(
        lines in proptest::collection::vec(watermark(), 1..60),
        days in 2_000i64..9_000,
    ) {
        let (_folder, db) = world(json!(null));
        let on = day("2020-01-01").plus_days(days).unwrap();
        let sql = "INSERT INTO invoice (key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
                   SELECT value, 'I' || value, 1, 'invoice', '2020-01-01', '2020-01-01', 1, 'EUR', 0, 1 FROM json_each(?1)";
        let keys: Vec<i64> = (1..).take(lines.len()).collect();
        db.execute(sql, &[(&json!(keys).to_string()).into()]).unwrap();
        let stored: Vec<Line> = lines.iter().zip(&keys).map(|(watermark, key)| Line {
            customer_key: 1,
            invoice_key: *key,
            watermark: *watermark,
            accrued_minor: -1,
            through: day("1999-12-31"),
        }).collect();
        accrual::put_all(&db, &stored).unwrap();
        accrual::move_on(&db, ALL, on).unwrap();
        for ((_, key, minor, through), line) in accrual::of_range(&db, ALL).unwrap().into_iter().zip(&lines) {
            let moved = line.until >= on;
            let expected = if moved { line.at(on).unwrap() } else { -1 };
            prop_assert_eq!((minor, through == on), (expected, moved), "{}: {:?} on {}", key, line, on);
        }
    }
}
