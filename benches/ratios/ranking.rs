//! How well the card puts who pays late in order, without training: every invoice of a public ledger is ranked by the
//! payment index that its customer had on the day before it was issued, and held against whether it was paid late. What
//! is printed is the area under the curve: the share of pairs of a late and a prompt invoice in the right order.

use crate::table::{Bar, Table};
use anyhow::{Context as _, Result, anyhow};
use dunlin::demo::auc;
use dunlin_app::{audit::Author, customer, invoice, payment, score};
use dunlin_domain::{
    Currency, Date, Id,
    contract::types::Language,
    money::{NumberForm, parse_amount},
};
use dunlin_store::native::NativeDb;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

const FILE: &str = "../shared/data/ibm_accounts_receivable.csv";

/// What the ranking is held to.
const BAR: Bar = Bar::AtLeast(0.85);

/// The share of the weight that whoever pays on the day has: what counts for who had no history then.
const PROMPT: f64 = 0.8;

/// One row: customer, invoice, issue, due date, amount, day of payment.
type Row = (Id, Id, Date, Date, i64, Date);

/// Without the file, which is not part of the sources, it says that it did not run, or fails where it was asked for.
pub fn measure(root: &Path, asked_for: bool, table: &mut Table) -> Result<()> {
    let needed = asked_for || std::env::var_os("DUNLIN_SAMPLE_NEEDED").is_some();
    let file = match std::fs::read_to_string(root.join(FILE)) {
        Ok(file) => file,
        Err(error) if needed => {
            return Err(error)
                .context(format!("ranking cannot run without {FILE} beside the workspace"));
        }
        Err(error) => {
            eprintln!("ranking did not run: {FILE} beside the workspace cannot be read ({error})");
            return Ok(());
        }
    };
    eprintln!("ranking");
    let lines = file.lines().skip(1).filter(|line| !line.trim().is_empty());
    let rows = lines.map(row).collect::<Result<Vec<Row>>>()?;
    let folder = tempfile::tempdir()?;
    let db = NativeDb::open(&folder.path().join("ledger.db")).map_err(fault)?;
    recorded(&db, &rows)?;
    let mut known: BTreeMap<(&Id, Date), Option<f64>> = BTreeMap::new();
    let (mut all, mut judged) = (Vec::new(), Vec::new());
    for (customer, _, issued_on, due_on, _, paid_on) in &rows {
        let found = match known.get(&(customer, *issued_on)) {
            Some(found) => *found,
            None => index(&db, customer, issued_on.plus_days(-1)?)?,
        };
        known.insert((customer, *issued_on), found);
        let late = paid_on > due_on;
        all.push((-found.unwrap_or(PROMPT), late));
        judged.extend(found.map(|index| (-index, late)));
    }
    for (of, pairs) in [("all invoices", all), ("those with a history", judged)] {
        let area = auc(&pairs).context("nobody paid late, or everybody")?;
        let work = format!("payment index on the day before the issue, {of}");
        table.add(
            &work,
            format!("AUC {area:.4} of {}", pairs.len()),
            String::new(),
            area,
            Some(BAR),
        );
    }
    Ok(())
}

/// The share of its weight that the payment index gives.
fn index(db: &NativeDb, customer: &Id, on: Date) -> Result<Option<f64>> {
    let card = score::card(db, customer, on, Language::En).map_err(fault)?;
    let index = card.indicators.iter().find(|of| of.name == "payment-index");
    let share = index.and_then(|of| of.points?.checked_div(of.max_points));
    Ok(share.map(|share| share.to_string().parse()).transpose()?)
}

/// Dates are M/D/YYYY.
fn row(line: &str) -> Result<Row> {
    let fields: Vec<&str> = line.trim().split(',').collect();
    let field = |at: usize| fields.get(at).copied().context("a row is too short");
    let date = |at: usize| -> Result<Date> {
        let parts: Vec<u32> = field(at)?.split('/').map(str::parse).collect::<Result<_, _>>()?;
        let [month, day, year] = parts[..] else { anyhow::bail!("{} is no date", field(at)?) };
        Ok(format!("{year:04}-{month:02}-{day:02}").parse()?)
    };
    let minor = parse_amount(field(6)?, dollars()?, NumberForm::PLAIN)?;
    Ok((field(1)?.parse()?, field(3)?.parse()?, date(4)?, date(5)?, minor, date(8)?))
}

fn dollars() -> Result<Currency> {
    Ok("USD".parse()?)
}

/// A book with all of them, each paid by a payment of its own.
fn recorded(db: &NativeDb, rows: &[Row]) -> Result<()> {
    let author =
        Author { who: "bench".into(), at: "2025-06-30T12:00:00Z".parse()?, salt: "salt".into() };
    let (made, mut customers) = ("made".parse::<Id>()?, BTreeSet::new());
    for (customer, invoice, issued_on, due_on, minor, paid_on) in rows {
        if customers.insert(customer) {
            let new = json!({"id": customer, "name": customer});
            customer::add(db, &serde_json::from_value(new)?, made.clone(), &author)
                .map_err(fault)?;
        }
        let amount = json!({"minor": minor, "currency": dollars()?});
        let new = json!({"id": invoice, "customer_id": customer, "issued_on": issued_on, "due_on": due_on,
            "amount": amount});
        invoice::add(db, &serde_json::from_value(new)?, made.clone(), &author).map_err(fault)?;
        let new = json!({"id": format!("P{invoice}"), "customer_id": customer, "received_on": paid_on,
            "amount": amount, "invoice_id": invoice});
        payment::add(db, &serde_json::from_value(new)?, made.clone(), &author).map_err(fault)?;
    }
    Ok(())
}

fn fault(fault: dunlin_store::Fault) -> anyhow::Error {
    anyhow!("{fault:?}")
}
