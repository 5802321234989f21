//! How often the rule is right in a month of which the truth is known.

use crate::support::*;
use dunlin_domain::{bank::reference, contract::bank::MatchState};
use dunlin_store::native::NativeDb;
use std::collections::{BTreeMap, BTreeSet};

/// Numbers that look like chance and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = self.roll(of.len() as u64);
        of[at as usize]
    }
}

const FIRST: [&str; 20] = [
    "Müller",
    "Schäfer",
    "Hansen",
    "Weiß",
    "Jansen",
    "Dubois",
    "Rossi",
    "Keller",
    "Brandt",
    "Vogel",
    "Nordlicht",
    "Alpen",
    "Rhein",
    "Hanse",
    "Sonnen",
    "Berger",
    "Lindner",
    "Peeters",
    "Novak",
    "Larsen",
];
const SECOND: [&str; 15] = [
    "Maschinenbau",
    "Logistik",
    "Bäckerei",
    "Elektronik",
    "Handel",
    "Druckerei",
    "Möbel",
    "Textil",
    "Chemie",
    "Holzbau",
    "Metall",
    "Verpackung",
    "Optik",
    "Medizintechnik",
    "Software",
];
const FORM: [&str; 5] = ["GmbH", "GmbH & Co. KG", "AG", "B.V.", "Ltd"];

/// How a payer writes the number of an invoice.
fn written(dice: &mut Dice, number: &str) -> String {
    match dice.roll(9) {
        0 => format!("Rechnung {number}"),
        1 => format!("RE.NR. {} VOM 12.10.2026", number.replace('-', "")),
        2 => format!("rg {}", number.to_lowercase()),
        3 => format!("Zahlung {} Kd-Nr. 4711", number.replace('-', " ")),
        4 => format!("{}/DANKE", number.replace('-', "/")),
        5 => format!("INVOICE NO {number} THANK YOU"),
        6 => format!("Betaling factuur {number} d.d. 01-10-2026"),
        7 => format!("货款 {number}"),
        _ => number.rsplit('-').next().unwrap().to_string(),
    }
}

/// How a bank passes a name on.
fn passed_on(dice: &mut Dice, name: &str) -> String {
    match dice.roll(5) {
        0 => name.to_uppercase().replace('Ü', "UE").replace('Ä', "AE").replace('Ö', "OE"),
        1 => name.chars().take(27).collect(),
        2 => name.split(" GmbH").next().unwrap().to_string(),
        3 => name.replace("GmbH", "Gesellschaft mbH"),
        _ => name.to_string(),
    }
}

/// Whom a line is from and what it pays, as the generator knows it.
type Truth = Option<(String, BTreeSet<String>)>;

/// A month: customers with open invoices, and what they pay.
fn month(db: &NativeDb, seed: u64) -> Vec<(Line, Truth)> {
    let mut dice = Dice(seed);
    let mut lines: Vec<(Line, Truth)> = Vec::new();
    let mut number = 0u64;
    let mut used: BTreeMap<String, u32> = BTreeMap::new();
    for n in 0..240u64 {
        let mut name = format!("{} {} {}", dice.pick(&FIRST), dice.pick(&SECOND), dice.pick(&FORM));
        let times = used.entry(name.clone()).or_default();
        *times += 1;
        if *times > 1 && dice.roll(3) > 0 {
            // Some customers share a name with another; most have a place in it.
            name = format!("{name} {}", ["Nord", "Süd", "West", "Ost"][(*times as usize) % 4]);
        }
        let (of, account) = (format!("C{n}"), format!("DE{:020}", 1_000_000 + n));
        let known = dice.roll(10) < 6;
        customer(db, &of, &name, known.then_some(account.as_str()));
        let same = (dice.roll(12) == 0).then(|| 4_900 + 1_000 * dice.roll(3) as i64);
        let mut invoices: Vec<(String, i64)> = Vec::new();
        for due in 0..4 + dice.roll(12) {
            number += 1;
            let named = format!("INV-2026-{:05}", 30_000 + number);
            let minor = same.unwrap_or(1_000 + dice.roll(900_000) as i64);
            invoice(db, &named, &of, &format!("2026-10-{:02}", 1 + due), minor);
            invoices.push((named, minor));
        }
        let payer = |dice: &mut Dice| (passed_on(dice, &name), account.clone());
        let mut at = 0;
        while at < invoices.len() {
            let (named, minor) = invoices[at].clone();
            at += 1;
            let (name, account) = payer(&mut dice);
            let one: Truth = Some((of.clone(), BTreeSet::from([named.clone()])));
            match dice.roll(100) {
                0..56 => {
                    lines.push((pays(minor, &written(&mut dice, &named), &name, &account), one))
                }
                56..64 if at < invoices.len() => {
                    let (next, more) = invoices[at].clone();
                    at += 1;
                    let text = format!("{} und {next}", written(&mut dice, &named));
                    let both = BTreeSet::from([named, next]);
                    lines.push((
                        pays(minor + more, &text, &name, &account),
                        Some((of.clone(), both)),
                    ));
                }
                56..72 => {
                    let reference = match dice.roll(2) {
                        0 => reference::build_creditor(&named).unwrap(),
                        _ => reference::build_qr(&named.replace("INV-", "").replace('-', ""))
                            .unwrap(),
                    };
                    lines.push((Line { reference, ..pays(minor, "", &name, &account) }, one));
                }
                72..77 => {
                    let short = minor - 1 - dice.roll(minor as u64 / 3) as i64;
                    lines.push((pays(short, &written(&mut dice, &named), &name, &account), one));
                }
                77..82 => {
                    let first = minor / 3;
                    for part in [first, minor - first] {
                        lines.push((
                            pays(part, &written(&mut dice, &named), &name, &account),
                            one.clone(),
                        ));
                    }
                }
                82..90 => lines.push((pays(minor, "Überweisung", &name, &account), one)),
                90..93 => {
                    let wrong = format!("INV-2026-{:05}", 30_000 + 1 + dice.roll(number));
                    lines.push((pays(minor, &written(&mut dice, &wrong), &name, &account), one));
                }
                93..96 => {
                    let stranger = format!("DE{:020}", 9_000_000 + at);
                    let minor = 100 + dice.roll(90_000) as i64;
                    lines.push((
                        pays(minor, "Rückzahlung 2026", "Finanzamt Mitte", &stranger),
                        None,
                    ));
                }
                _ => {}
            }
        }
    }
    // In the order of the bank, which is none.
    for at in (1..lines.len()).rev() {
        let other = dice.roll(at as u64 + 1) as usize;
        lines.swap(at, other);
    }
    lines
}

#[test]
fn in_a_month_of_known_truth_the_rule_is_right_and_finds_most() {
    for seed in [1, 20_261_101] {
        let (_folder, db) = db();
        let month = month(&db, seed);
        let lines: Vec<Line> = month.iter().map(|(line, _)| line.clone()).collect();
        take(&db, "M1", &lines);
        let found = matches(&db, None);
        assert_eq!(found.len(), month.len());
        let (mut automatic, mut right, mut payable, mut recalled) = (0u32, 0u32, 0u32, 0u32);
        for (of, (line, truth)) in found.iter().zip(&month) {
            payable += u32::from(truth.is_some());
            if of.state != MatchState::Automatic {
                continue;
            }
            automatic += 1;
            let best = &of.candidates[0];
            let parts = best.designation.as_deref().unwrap_or_default();
            let named: BTreeSet<String> =
                parts.iter().map(|part| part.invoice_id.to_string()).collect();
            let customer = truth.as_ref().is_some_and(|(of, _)| *of == best.customer_id.as_str());
            let exact = customer && truth.as_ref().is_some_and(|(_, paid)| *paid == named);
            // On account says nothing of invoices: it is right about the customer, and finds nothing.
            if exact || customer && named.is_empty() {
                right += 1;
            } else {
                println!("wrong: {line:?} is {truth:?}, was taken for {best:?}");
            }
            recalled += u32::from(exact);
        }
        let precision = f64::from(right) / f64::from(automatic);
        let recall = f64::from(recalled) / f64::from(payable);
        println!(
            "seed {seed}: {} entries, {automatic} automatic, precision {precision:.4}, recall {recall:.4}",
            month.len()
        );
        assert!(precision >= 0.99, "precision {precision}");
        assert!(recall >= 0.9, "recall {recall}");
        holds(&db);
    }
}
