//! How often the rule is right in two months of which the truth is known, with confirmations between them.

use crate::support::*;
use dunlin_app::bank;
use dunlin_domain::{
    bank::reference,
    contract::bank::{BankMatch, MatchState},
};
use dunlin_store::native::NativeDb;
use serde_json::json;
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

/// How a payer writes the number of an invoice, sometimes with a day or a month beside it.
fn written(dice: &mut Dice, number: &str) -> String {
    let (month, day) = (9 + dice.roll(2), 1 + dice.roll(28));
    match dice.roll(13) {
        9 => format!("Rechnung {number} vom 2026-{month:02}-{day:02}"),
        10 => format!("{number} v. {day:02}.{month:02}.26"),
        11 => format!("Zahlung {month:02}/2026 zu {number}"),
        12 => format!("2026年{month}月{day}日 {number}"),
        0 => format!("Rechnung {number}"),
        1 => format!("RE.NR. {} VOM {day:02}.{month:02}.2026", number.replace('-', "")),
        2 => format!("rg {}", number.to_lowercase()),
        3 => format!("Zahlung {} Kd-Nr. 4711", number.replace('-', " ")),
        4 => format!("{}/DANKE", number.replace('-', "/")),
        5 => format!("INVOICE NO {number} THANK YOU"),
        6 => format!("Betaling factuur {number} d.d. {day:02}-{month:02}-2026"),
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

/// A digit of a number written wrongly: two that changed places, or one that is another.
fn mistyped(dice: &mut Dice, number: &str) -> String {
    let mut letters: Vec<char> = number.chars().collect();
    let last = letters.len() - 1;
    if letters[last] != letters[last - 1] && dice.roll(2) == 0 {
        letters.swap(last, last - 1);
    } else {
        let digit = letters[last].to_digit(10).unwrap();
        letters[last] = char::from_digit((digit + 1 + dice.roll(8) as u32) % 10, 10).unwrap();
    }
    letters.into_iter().collect()
}

/// What a line is, as the generator knows it.
#[derive(Clone, Debug)]
enum Truth {
    /// This customer pays these invoices; none of them: on account.
    Pays(String, BTreeSet<String>),
    /// This customer pays this invoice a second time: either of the two may be the one that does.
    Twice(String, String),
    /// It takes back the credit with its end-to-end reference.
    TakesBack,
    /// Nothing that is owed.
    Nothing,
}

/// The numbers of a customer's invoices: most are long, some short, some begin with another's whole number, some are a
/// year and a sequence or six digits, which days and months look like.
fn numbered(customer: u64, number: u64) -> String {
    match customer % 12 {
        0 | 6 => format!("R-{}", 100 + number),
        1 | 7 => format!("INV-2026-3{number}"),
        2 => format!("2026{number:04}"),
        3 => format!("2026-{number:04}"),
        4 => format!("{}", 100_000 + number),
        _ => format!("INV-2026-{:05}", 30_000 + number),
    }
}

/// A customer with its account.
struct Payer {
    of: String,
    name: String,
    account: String,
    /// Of some all invoices are of a few amounts, such as rents.
    same: Option<i64>,
}

/// Those who pay for many customers, each from one account.
const THIRD: [&str; 5] = [
    "Muster Treuhand",
    "Handels Factoring Bank AG",
    "PAYSERVICE EUROPE SA",
    "Nord Inkasso GmbH",
    "Holding Verwaltung",
];

fn customers(db: &NativeDb, dice: &mut Dice) -> Vec<Payer> {
    let mut used: BTreeMap<String, u32> = BTreeMap::new();
    let mut payers = Vec::new();
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
        payers.push(Payer { of, name, account, same });
    }
    payers
}

/// What a month brings: open invoices of the customers, and what they pay.
///
/// The shares are those of a company that sells to businesses on account, as far as anybody says them: of the money
/// about three quarters comes with a number or reference and the amount that is open; one in fourteen pays several
/// documents at once, one in seven of these without a list; one in twelve says nothing; about one in ten is short or comes in parts; one in fifty has the
/// number of another document, and as many a number with a wrong digit; one in forty is paid by a third party, such
/// as a factor or a payment service, under its own name and from one of a few accounts, and every fourth of these says
/// nothing more. They are no measurement: whoever has a
/// year of statements can put the shares of it in their place.
fn month(
    db: &NativeDb,
    dice: &mut Dice,
    payers: &[Payer],
    month: u64,
    number: &mut u64,
) -> Vec<(Line, Truth)> {
    let mut lines: Vec<(Line, Truth)> = Vec::new();
    for (n, Payer { of, name, account, same }) in (0u64..).zip(payers) {
        let mut invoices: Vec<(String, i64)> = Vec::new();
        for due in 0..4 + dice.roll(12) {
            *number += 1;
            let named = numbered(n, *number);
            let minor = same.unwrap_or(1_000 + dice.roll(900_000) as i64);
            let due = format!("2026-{month:02}-{:02}", 1 + due);
            // What is owed in another currency is not paid to this account, but may be named in it.
            if dice.roll(25) == 0 {
                invoice_in(db, &named, of, &due, minor, "USD");
                if dice.roll(3) == 0 {
                    let line = pays(minor, &written(dice, &named), name, account);
                    lines.push((line, Truth::Nothing));
                }
                continue;
            }
            invoice(db, &named, of, &due, minor);
            invoices.push((named, minor));
        }
        let payer = |dice: &mut Dice| (passed_on(dice, name), account.clone());
        let mut at = 0;
        while at < invoices.len() {
            let (named, minor) = invoices[at].clone();
            at += 1;
            let (name, account) = payer(dice);
            let one = Truth::Pays(of.clone(), BTreeSet::from([named.clone()]));
            let on_account = Truth::Pays(of.clone(), BTreeSet::new());
            let mut add = |line: Line, truth: &Truth| lines.push((line, truth.clone()));
            match dice.roll(1_000) {
                0..500 => {
                    let end_to_end = format!("E-{month}-{n}-{at}");
                    let paid =
                        Line { end_to_end, ..pays(minor, &written(dice, &named), &name, &account) };
                    if dice.roll(60) == 0 {
                        let back = Line { minor: -minor, returned: true, ..paid.clone() };
                        add(back, &Truth::TakesBack);
                    }
                    if dice.roll(60) == 0 {
                        // Once more by mistake: one of the two pays nothing that is owed.
                        let end_to_end = format!("E-{month}-{n}-{at}-2");
                        add(Line { end_to_end, ..paid.clone() }, &Truth::Twice(of.clone(), named));
                    }
                    add(paid, &one);
                }
                500..560 if at < invoices.len() => {
                    let (next, more) = invoices[at].clone();
                    at += 1;
                    let text = format!("{} und {next}", written(dice, &named));
                    let both = Truth::Pays(of.clone(), BTreeSet::from([named, next]));
                    add(pays(minor + more, &text, &name, &account), &both);
                }
                500..680 => {
                    let digits: String = named.chars().filter(char::is_ascii_digit).collect();
                    let reference = match dice.roll(3) {
                        0 => reference::build_creditor(&named).unwrap(),
                        1 => reference::build_qr(&digits).unwrap(),
                        _ if digits.len() < 4 => reference::build_qr(&digits).unwrap(),
                        // As issuers make them: their bank's number for them, the customer's, and the document's.
                        _ => reference::build_qr(&format!("940017{:08}{digits:0>12}", 4711 + at))
                            .unwrap(),
                    };
                    add(Line { reference, ..pays(minor, "", &name, &account) }, &one);
                }
                680..690 if at + 1 < invoices.len() => {
                    // All that is due, with no number or with that of the first.
                    let rest = invoices[at..invoices.len().min(at + 3)].to_vec();
                    at += rest.len();
                    let all = minor + rest.iter().map(|(_, minor)| minor).sum::<i64>();
                    let text = if dice.roll(2) == 0 {
                        "offene Posten".into()
                    } else {
                        written(dice, &named)
                    };
                    let named = rest.into_iter().map(|(named, _)| named).chain([named]).collect();
                    add(pays(all, &text, &name, &account), &Truth::Pays(of.clone(), named));
                }
                680..745 => {
                    let short = minor - 1 - dice.roll(minor as u64 / 3) as i64;
                    add(pays(short, &written(dice, &named), &name, &account), &one);
                }
                745..790 => {
                    let first = minor / 3;
                    for part in [first, minor - first] {
                        add(pays(part, &written(dice, &named), &name, &account), &one);
                    }
                }
                790..870 => {
                    let day = 1 + dice.roll(28);
                    let text = match dice.roll(6) {
                        0 => format!("Zahlung vom {day:02}.{month:02}.2026"),
                        1 => format!("Miete {month:02}/2026"),
                        _ => "Überweisung".into(),
                    };
                    add(pays(minor, &text, &name, &account), &one);
                }
                870..890 => {
                    let wrong = invoices[dice.roll(invoices.len() as u64) as usize].0.clone();
                    add(pays(minor, &written(dice, &wrong), &name, &account), &one);
                }
                890..910 => {
                    let wrong = mistyped(dice, &named);
                    add(pays(minor, &written(dice, &wrong), &name, &account), &one);
                }
                910..935 => {
                    let third = dice.roll(THIRD.len() as u64);
                    let stranger = format!("DE{:020}", 8_000_000 + third);
                    let text = match dice.roll(4) {
                        0 => "Auszahlung".into(),
                        _ => written(dice, &named),
                    };
                    let payer = THIRD[third as usize];
                    add(pays(minor, &text, payer, &stranger), &one);
                }
                935..950 => {
                    let minor = 50 + dice.roll(300_000) as i64;
                    let day = 1 + dice.roll(28);
                    let text = match dice.roll(2) {
                        0 => format!("Anzahlung 2026-{month:02}-{day:02}"),
                        _ => "Anzahlung".into(),
                    };
                    add(pays(minor, &text, &name, &account), &on_account);
                }
                950..965 => {
                    let stranger = format!("DE{:020}", 9_000_000 + at);
                    let minor = 100 + dice.roll(90_000) as i64;
                    let line = pays(minor, "Rückzahlung 2026", "Finanzamt Mitte", &stranger);
                    add(line, &Truth::Nothing);
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

/// Whether what was booked is what the line is.
fn right(of: &BankMatch, truth: &Truth, paid: &BTreeMap<&str, &BankMatch>) -> bool {
    let best = &of.candidates[0];
    match truth {
        Truth::Nothing => false,
        Truth::Pays(customer, invoices) => {
            let parts = best.designation.as_deref().unwrap_or_default();
            let named: BTreeSet<String> =
                parts.iter().map(|part| part.invoice_id.to_string()).collect();
            *customer == best.customer_id.as_str() && *invoices == named
        }
        Truth::Twice(customer, invoice) => {
            let once = Truth::Pays(customer.clone(), BTreeSet::from([invoice.clone()]));
            right(of, &once, paid)
        }
        Truth::TakesBack => {
            let credit = of.end_to_end_id.as_deref().and_then(|end_to_end| paid.get(end_to_end));
            credit.is_some_and(|credit| credit.payment_id == of.payment_id)
        }
    }
}

/// Somebody who knows the truth confirms what waits, as the answer to a confirmation without more has it.
fn confirm(db: &NativeDb, found: &[BankMatch], month: &[(Line, Truth)]) {
    for (of, (_, truth)) in found.iter().zip(month) {
        let Truth::Pays(customer, invoices) = truth else { continue };
        if of.state != MatchState::Review {
            continue;
        }
        let (mut left, mut parts) = (of.minor, Vec::new());
        for name in invoices {
            let part = open(db, name).min(left);
            left -= part;
            if part > 0 {
                parts.push(json!({"invoice_id": name, "minor": part}));
            }
        }
        let parts = (!parts.is_empty()).then_some(parts);
        let said = from(json!({"customer_id": customer, "designation": parts}));
        bank::confirm(db, &of.id, &said, &author()).unwrap();
    }
}

#[test]
fn in_two_months_of_known_truth_the_rule_is_right_and_finds_most() {
    let (mut all_correct, mut all_payable) = (0, 0);
    for seed in [1, 20_261_101, 3] {
        let (_folder, db) = db();
        let mut dice = Dice(seed);
        let payers = customers(&db, &mut dice);
        let (mut number, mut seen) = (0, 0);
        for (of_year, last_day) in [(9, "2026-09-30"), (10, "2026-10-31")] {
            let month = month(&db, &mut dice, &payers, of_year, &mut number);
            let lines: Vec<Line> = month.iter().map(|(line, _)| line.clone()).collect();
            let name = format!("M{of_year}");
            take_in(&db, &name, &camt(&name, &lines).replace("2026-10-31", last_day)).unwrap();
            let found = matches(&db, None).split_off(seen);
            seen += found.len();
            assert_eq!(found.len(), month.len());
            let (correct, payable) = judged(&format!("seed {seed}, {name}"), &found, &month);
            (all_correct, all_payable) = (all_correct + correct, all_payable + payable);
            confirm(&db, &found, &month);
        }
        assert!(!bank::payer_accounts(&db, 0, 10).unwrap().is_empty());
        holds(&db);
    }
    // A month has a few hundred hard entries: how many of them more or less is chance.
    let recall = f64::from(all_correct) / f64::from(all_payable);
    println!("all months: recall {recall:.4}");
    assert!(recall >= 0.9, "recall {recall}");
}

/// How many were booked rightly, and how many pay something.
fn judged(name: &str, found: &[BankMatch], month: &[(Line, Truth)]) -> (u32, u32) {
    let credits = found.iter().filter(|of| of.minor > 0);
    let paid: BTreeMap<&str, &BankMatch> =
        credits.filter_map(|of| Some((of.end_to_end_id.as_deref()?, of))).collect();
    let (mut automatic, mut correct, mut payable) = (0u32, 0u32, 0u32);
    let mut left: BTreeMap<String, u32> = BTreeMap::new();
    for (of, (line, truth)) in found.iter().zip(month) {
        let owed = !matches!(truth, Truth::Nothing | Truth::Twice(..));
        payable += u32::from(owed);
        if of.state != MatchState::Automatic {
            let best = of.candidates.first();
            let reasons = best.map(|best| best.reasons.as_slice()).unwrap_or_default();
            let shown = reasons.iter().map(|reason| reason.name()).collect::<Vec<_>>().join(" ");
            *left.entry(shown).or_default() += u32::from(owed);
            continue;
        }
        automatic += 1;
        if right(of, truth, &paid) {
            correct += 1;
        } else {
            println!("wrong: {line:?} is {truth:?}, was taken for {:?}", of.candidates[0]);
        }
    }
    let precision = f64::from(correct) / f64::from(automatic);
    let recall = f64::from(correct) / f64::from(payable);
    println!(
        "{name}: {} entries, {automatic} automatic, precision {precision:.4}, recall {recall:.4}",
        month.len()
    );
    let mut left: Vec<_> = left.into_iter().collect();
    left.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reasons, count) in left.iter().take(10) {
        println!("  {count} wait for somebody: {reasons}");
    }
    assert!(precision >= 0.99, "precision {precision}");
    (correct, payable)
}
