//! Tables `score` and `score_change`: how each customer was judged at the last sweep, and whenever that was otherwise.

use crate::{Db, Fault, arrears::Range};
use dunlin_domain::{
    Currency, Date, Decimal, Id, Instant,
    contract::{
        score::{CardDocument, FactName, MigrationAmount, MigrationCell, ScoreLine},
        types::Grade,
    },
};
use std::collections::BTreeMap;

/// Where a page of scores ended: order and customer.
pub type After = (i64, i64);

/// What a sweep decided, and what tells whether it is otherwise than before: score, grade, tier, model.
pub type Decided = (Option<Decimal>, Option<Grade>, Option<String>, String);

/// A customer to judge: key, id, segment, industry, how it was judged before.
pub type Judge = (i64, Id, Option<String>, Option<String>, Option<Decided>);

/// Facts by name, as they are stored.
pub type ByName = BTreeMap<FactName, Decimal>;

/// A judgement to store.
#[derive(Clone, Debug)]
pub struct Judged {
    pub customer: i64,
    pub decided: Decided,
    pub notch: Option<u32>,
    /// How many parts a grade of the card has.
    pub notches: u32,
    /// The place among scores.
    pub order: i64,
    /// Facts by name as JSON.
    pub facts: String,
    /// What each indicator gave as JSON, where the judgement is otherwise than before.
    pub changed: Option<String>,
}

/// A stored judgement: the day, score, grade, part, tier, model, facts, when it was made, and the version of the tiers.
pub type Change = (
    Date,
    Option<Decimal>,
    Option<Grade>,
    Option<u32>,
    Option<String>,
    String,
    ByName,
    Option<Instant>,
    Option<u32>,
);

/// The order of a customer without a score: after all others.
pub const UNSCORED: i64 = 10_000;

/// The customers of the range, with what they are judged and sorted by beside the ledger.
pub fn to_judge<D: Db>(db: &D, range: Range) -> Result<Vec<Judge>, Fault> {
    let params = [range.after.into(), range.upto.into()];
    db.json(sql!("score/to_judge.sql"), &params)
}

/// Stores the judgements of the business date: those that are otherwise than before for good, all in place of the last;
/// the grade that stood when alerts were last judged is kept beside the new one.
pub fn store<D: Db>(
    db: &D,
    judged: &[Judged],
    day: Date,
    warned_on: Option<Date>,
    (at, tiers): (Instant, Option<u32>),
) -> Result<(), Fault> {
    let changes: Vec<_> = judged
        .iter()
        .filter_map(|of| {
            let (score, grade, tier, model) = &of.decided;
            let points = of.changed.as_ref()?;
            Some((of.customer, score, grade, of.notch, tier, model, &of.facts, points))
        })
        .collect();
    let day = day.to_string();
    if !changes.is_empty() {
        let changes = crate::array(&changes)?;
        let at = at.to_string();
        let params = [(&changes).into(), (&day).into(), (&at).into(), tiers.map(i64::from).into()];
        db.execute(sql!("score/insert_changes.sql"), &params)?;
    }
    let rows: Vec<_> = judged
        .iter()
        .map(|of| {
            let (score, grade, tier, model) = &of.decided;
            (of.customer, score, of.order, grade, of.notch, tier, model, &of.facts, of.notches)
        })
        .collect();
    let (rows, warned_on) = (crate::array(&rows)?, warned_on.map(|day| day.to_string()));
    let params = [(&rows).into(), (&day).into(), warned_on.as_ref().into()];
    db.execute(sql!("score/upsert_all.sql"), &params)?;
    Ok(())
}

/// Takes those who cannot be judged any more off the list; what was stored for good stays.
pub fn forget<D: Db>(db: &D, customers: &[i64]) -> Result<(), Fault> {
    if customers.is_empty() {
        return Ok(());
    }
    let customers = crate::array(customers)?;
    db.execute(
        "DELETE FROM score WHERE customer_key IN (SELECT value FROM json_each(?1))",
        &[(&customers).into()],
    )?;
    Ok(())
}

/// Which judgements a list has: those of a grade, of a tier, and with a score from the one to the other. `None`: all, also
/// those without.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    pub grade: Option<Grade>,
    pub tier: Option<&'a str>,
    pub least: Option<u32>,
    pub most: Option<u32>,
}

/// Judgements from the lowest score up.
pub fn page<D: Db>(
    db: &D,
    wanted: Wanted<'_>,
    after: After,
    limit: u32,
) -> Result<Vec<(ScoreLine, After)>, Fault> {
    type Found =
        (i64, i64, Id, Date, Option<Decimal>, Option<Grade>, Option<u32>, Option<String>, String);
    let order = |score: u32| i64::from(score).saturating_mul(10);
    // Whoever asks for scores means those who have one.
    let scored = wanted.least.or(wanted.most).map(|_| UNSCORED.saturating_sub(1));
    let upto = wanted.most.map(order).or(scored).unwrap_or(i64::MAX);
    let after = after.max((wanted.least.map_or(0, order).saturating_sub(1), i64::MAX));
    let grade = wanted.grade.map(|grade| grade.to_string());
    let params = [
        after.0.into(),
        after.1.into(),
        i64::from(limit).into(),
        upto.into(),
        grade.as_deref().into(),
        wanted.tier.into(),
    ];
    let found: Vec<Found> = db.json(sql!("score/page.sql"), &params)?;
    let line = |(order, key, customer_id, as_of, score, grade, notch, tier, model): Found| {
        let line = ScoreLine { customer_id, as_of, score, grade, notch, tier, model };
        (line, (order, key))
    };
    Ok(found.into_iter().map(line).collect())
}

/// What the day's sweep, or a run after it, found of the customer when nothing was recorded since: the model, the facts,
/// and the document of its card, `None` for the one that ships.
pub fn fresh<D: Db>(
    db: &D,
    id: &Id,
    day: Date,
    shipped: &str,
) -> Result<Option<(String, ByName, Option<CardDocument>)>, Fault> {
    let day = day.to_string();
    let params = [id.as_str().into(), (&day).into(), shipped.into()];
    let row = db.first(sql!("score/fresh.sql"), &params)?;
    row.map(|row| {
        let document = row.text_or_null(2)?.map(|_| row.json(2)).transpose()?;
        Ok((row.text(0)?.to_string(), row.json(1)?, document))
    })
    .transpose()
}

/// Notes that something was recorded of these customers that their judgement does not know, and that a check has to look
/// again. Documents and payments have no triggers for that: with one, SQLite copies rows that are inserted by the thousand.
pub fn outdate<D: Db>(db: &D, customers: &[i64]) -> Result<(), Fault> {
    let customers = crate::array(customers)?;
    db.execute(
        "DELETE FROM credit_ready WHERE customer_key IN (SELECT value FROM json_each(?1))",
        &[(&customers).into()],
    )?;
    db.execute(
        "INSERT INTO score_outdated (customer_key) SELECT customer_key FROM score
         WHERE customer_key IN (SELECT value FROM json_each(?1))
         ON CONFLICT DO UPDATE SET facts = NULL WHERE facts IS NOT NULL",
        &[(&customers).into()],
    )?;
    Ok(())
}

/// Keeps what is true of customers on the day, of whom something was recorded since the sweep that judged them. Until
/// more is recorded, [`fresh`] gives it.
pub fn keep_between<D: Db>(
    db: &D,
    found: &[(i64, &BTreeMap<FactName, Decimal>)],
    day: Date,
) -> Result<(), Fault> {
    let (found, day) = (crate::array(found)?, day.to_string());
    db.execute(
        "INSERT INTO score_outdated (customer_key, as_of, facts)
         SELECT value ->> 0, ?2, value ->> 1 FROM json_each(?1)
         WHERE value ->> 0 IN (SELECT customer_key FROM score_outdated)
         ON CONFLICT DO UPDATE SET as_of = excluded.as_of, facts = excluded.facts",
        &[(&found).into(), (&day).into()],
    )?;
    Ok(())
}

/// The same of everybody.
pub fn outdate_all<D: Db>(db: &D) -> Result<(), Fault> {
    db.execute("DELETE FROM credit_ready", &[])?;
    // Without a condition ON CONFLICT would be read as that of a join.
    let sql = "INSERT INTO score_outdated (customer_key) SELECT customer_key FROM score WHERE true
               ON CONFLICT DO UPDATE SET facts = NULL WHERE facts IS NOT NULL";
    db.execute(sql, &[])?;
    Ok(())
}

/// The same of the customers with invoices after this one.
pub fn outdate_since<D: Db>(db: &D, last_invoice: i64) -> Result<(), Fault> {
    if db.int("SELECT EXISTS (SELECT 1 FROM credit_ready)", &[])? == 1 {
        db.execute(
            "DELETE FROM credit_ready
             WHERE customer_key IN (SELECT customer_key FROM invoice NOT INDEXED WHERE key > ?1)",
            &[last_invoice.into()],
        )?;
    }
    // Before anybody was judged the customers of a large file need not be gathered.
    if db.int("SELECT EXISTS (SELECT 1 FROM score)", &[])? == 0 {
        return Ok(());
    }
    db.execute(
        "INSERT INTO score_outdated (customer_key) SELECT customer_key FROM score
         WHERE customer_key IN (SELECT customer_key FROM invoice NOT INDEXED WHERE key > ?1)
         ON CONFLICT DO UPDATE SET facts = NULL WHERE facts IS NOT NULL",
        &[last_invoice.into()],
    )?;
    Ok(())
}

/// Notes that the customers of the range were judged by all that is recorded.
pub fn up_to_date<D: Db>(db: &D, range: Range) -> Result<(), Fault> {
    db.execute(
        "DELETE FROM score_outdated WHERE customer_key > ?1 AND customer_key <= ?2",
        &[range.after.into(), range.upto.into()],
    )?;
    Ok(())
}

/// The last grade and model of a customer.
pub fn last<D: Db>(db: &D, customer: i64) -> Result<Option<(Option<Grade>, String)>, Fault> {
    let sql = "SELECT json_array(grade, model) FROM score WHERE customer_key = ?1";
    db.first(sql, &[customer.into()])?.map(|row| row.json(0)).transpose()
}

/// Judgements of a customer before a day that were otherwise than those before them, newest first.
pub fn history<D: Db>(
    db: &D,
    customer: i64,
    before: &str,
    limit: u32,
) -> Result<Vec<Change>, Fault> {
    let params = [customer.into(), before.into(), i64::from(limit).into()];
    db.json(sql!("score/history.sql"), &params)
}

/// How many customers went from which grade to which between two days, and what they owed.
pub fn migration<D: Db>(db: &D, since: Date, until: Date) -> Result<Vec<MigrationCell>, Fault> {
    type Found = (Option<Grade>, Option<Grade>, u32, u32, Vec<(Currency, i64, i64)>);
    let (since, until) = (since.to_string(), until.to_string());
    let params = [(&since).into(), (&until).into()];
    let found: Vec<Found> = db.json(sql!("score/migration.sql"), &params)?;
    let cell = |(before, now, customers, model_changed, owed): Found| MigrationCell {
        before,
        now,
        customers,
        model_changed,
        outstanding: owed
            .into_iter()
            .map(|(currency, before_minor, minor)| MigrationAmount {
                currency,
                before_minor,
                minor,
            })
            .collect(),
    };
    Ok(found.into_iter().map(cell).collect())
}
